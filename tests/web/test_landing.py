"""What a visitor sees first: the landing page, and the playground of a server with accounts."""

import os
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.people import PASSWORD
from tests.support import image_pdf, picture
from tests.web.accessibility import serious_faults
from tests.web.accounts import sign_in

INLINE_BYTES = 600_000
SETTINGS = {"USER_PAGES_PER_MONTH": "1234", "USER_CALLS_PER_MINUTE": "77"}
SETTINGS |= {"MAX_INLINE_BYTES": str(INLINE_BYTES)}
BUDGET_BYTES = 150_000
NULL_TEXT = "null line 1\nnull line 2\nnull line 3\nnull line 4"


def test_the_landing_page_is_small_and_asks_nobody_else(page, server):
    received, asked = [], []
    network = page.context.new_cdp_session(page)
    network.on("Network.loadingFinished", lambda end: received.append(end["encodedDataLength"]))
    network.send("Network.enable")
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/", wait_until="networkidle")
    assert len(received) >= 4
    assert sum(received) < BUDGET_BYTES
    assert [url for url in asked if not url.startswith(server.url + "/")] == []


def test_the_landing_page_can_be_read_without_a_script(browser, server):
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    assert page.title()
    assert page.locator("meta[name=description]").get_attribute("content")
    for example in ("curl", "python", "javascript", "go"):
        expect(page.locator(f"[data-example={example}]")).to_be_visible()
    expect(page.get_by_role("link", name="Playground")).to_be_visible()
    context.close()


def test_plans_and_the_way_in_come_from_the_settings(page):
    page.goto("/")
    row = page.get_by_role("row", name="Standard")
    expect(row.get_by_role("cell")).to_have_text(["1,234", "77", "20"])
    assert page.get_by_role("link", name="Create yours").get_attribute("href") == "/account"


def test_the_tabs_of_the_examples_work_by_keyboard(page):
    page.goto("/")
    page.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Python")).to_be_focused()
    expect(page.locator("[data-example=python]")).to_be_visible()
    expect(page.locator("[data-example=curl]")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.locator("[data-example=go]")).to_be_visible()


@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_the_examples_do_what_they_say(page, server, tmp_path, language):
    command = {"curl": ["sh"], "python": [sys.executable], "javascript": ["node", "example.mjs"]}
    if not shutil.which(command[language][0]):
        if os.environ.get("CI") == "true":
            pytest.fail(f"{language}: nothing here runs it")
        pytest.skip(f"{language}: nothing here runs it")
    page.goto("/")
    code = page.locator(f"[data-example={language}]").text_content()
    (tmp_path / "scan.pdf").write_bytes(image_pdf([picture(), picture()]))
    (tmp_path / "example.mjs").write_text(code)
    environment = {"PATH": os.environ["PATH"], "KEY": key_of(server, f"example-{language}")}
    done = subprocess.run(
        command[language],
        input=None if language == "javascript" else code,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    read = done.stdout.replace("\\n", "\n")  # curl prints the events as they are
    assert read.count(NULL_TEXT) == 2


def test_a_chosen_theme_is_kept(page):
    page.goto("/")
    page.get_by_role("button", name="Switch to the dark theme").click()
    page.goto("/playground")
    assert page.evaluate("getComputedStyle(document.body).colorScheme || 'none'")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    expect(page.get_by_role("button", name="Switch to the light theme")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/playground"])
def test_nothing_keeps_people_out(page, path, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(path, wait_until="networkidle")
    if path == "/playground":
        page.get_by_text("Options").click()
    assert serious_faults(page) == []


def test_the_landing_page_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/", wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_playground_asks_strangers_to_sign_in_and_keeps_their_file(page, server):
    server.register("stranger")
    page.goto("/playground")
    expect(page.get_by_text("Please sign in first")).to_be_visible()
    page.get_by_role("button", name="Receipt").click()
    expect(page.get_by_text("receipt.jpg waits here while you sign in.")).to_be_visible()
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_label("User name or e-mail address").fill("stranger")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/playground")
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("region", name="Page 1")).to_contain_text("null line 4")


@pytest.mark.parametrize("bytes_more", [0, INLINE_BYTES], ids=["inline", "by REST"])
def test_who_signed_in_reads_documents_as_themselves(page, server, bytes_more):
    name = f"reader-{bytes_more}"
    server.register(name)
    sign_in(page, name)
    page.goto("/playground")
    expect(page.locator(".sample").first).to_be_enabled()
    content = image_pdf([picture()]) + b"\n" * bytes_more
    file = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("region", name="Page 1")).to_contain_text("null line 4")


def key_of(server, name: str) -> str:
    headers = server.register(name)
    body = {"key": {"display_name": name, "scopes": ["SCOPE_OCR"]}}
    made = server.client.post("/v1/keys", json=body, headers=headers)
    assert made.status_code == 200, made.text
    return made.json()["secret"]
