"""The TypeScript client in a real browser, on a page of another origin than the service's."""

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.clients.programs import CLIENTS, fenced, run
from tests.clients.stage import Stage
from tests.clients.test_typescript import build
from tests.people import PASSWORD

HERE = CLIENTS / "typescript"
CHROMIUM = shutil.which("chromium")
[STORE] = [block for block in fenced(HERE / "README.md", "js") if "tokenStore = {" in block]
DEADLINE_MS = 120_000
"""How long the browser waits for anything; a real engine reads meanwhile, beside other tests."""

pytestmark = pytest.mark.timeout(900)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Build the example page and serve it; return its origin."""
    if CHROMIUM is None:
        missing = "there is no `chromium` on this machine"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    build()
    files = functools.partial(Quiet, directory=str(HERE / "examples" / "browser" / "dist"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser(origin: str) -> Iterator[Browser]:
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    """Open the example; a fault in its script fails the test."""
    context = browser.new_context(viewport={"width": 900, "height": 1000}, color_scheme="light")
    context.set_default_timeout(DEADLINE_MS)
    faults: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.clock.install()
    opened.goto(origin)
    yield opened
    context.close()
    assert faults == []


@pytest.fixture(scope="module")
def user(stage: Stage) -> str:
    """Make a user; return their name."""
    body = {"user_name": "browser-user", "password": PASSWORD}
    url = f"http://{stage.service.http}/v1/auth/register"
    assert httpx.post(url, json=body, trust_env=False).status_code == 200
    return body["user_name"]


@pytest.fixture
def requests(page: Page) -> list[Request]:
    """Return what the page asks the service for, as it does."""
    made: list[Request] = []
    page.on("request", lambda request: made.append(request))
    return made


def paths(requests: list[Request]) -> list[str]:
    """Return the paths that were asked for, questions about other origins left out."""
    return [urlsplit(each.url).path for each in requests if each.method != "OPTIONS"]


def sign_in(page: Page, stage: Stage, user: str) -> None:
    page.get_by_label("Service").fill(f"http://{stage.service.http}")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#who")).to_have_text(f"Connected as {user}.")


def read(page: Page, stage: Stage, name: str) -> None:
    page.get_by_label("Document").set_input_files(stage.scan.with_name(name))
    page.get_by_role("button", name="Read").click()


def test_a_scan_is_shown_as_it_is_read(page, stage, user, requests):
    sign_in(page, stage, user)
    page.evaluate(
        """() => {
            window.seen = [];
            new MutationObserver(() => window.seen.push(document.querySelector("#pages").innerText))
                .observe(document.querySelector("#pages"), {childList: true, subtree: true});
        }"""
    )
    read(page, stage, "scan.pdf")
    expect(page.locator("#state")).to_contain_text("Done in")
    for number in (1, 2, 3):
        text = page.locator(f"#page-{number} pre")
        expect(text).to_have_text(f"Invoice {number}0815\nTotal {number}99.50 EUR")
    seen = page.evaluate("window.seen")
    assert any("Invoice" in text and "Total 399.50 EUR" not in text for text in seen)
    assert "/ocr_grpc.v1.OcrService/StreamExtract" in paths(requests)
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "browser.png", full_page=True)


def test_a_document_too_large_for_one_message_is_sent_as_a_body(page, stage, user, requests):
    sign_in(page, stage, user)
    read(page, stage, "large.pdf")
    expect(page.locator("#state")).to_contain_text("Done in")
    expect(page.locator("#page-1 pre")).not_to_be_empty()
    assert "/v1/ocr:upload" in paths(requests)
    assert "/ocr_grpc.v1.OcrService/StreamExtract" not in paths(requests)


def test_stopping_ends_the_call(page, stage, user):
    sign_in(page, stage, user)
    read(page, stage, "long.pdf")
    expect(page.locator("#pages pre").first).not_to_be_empty()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Read")).to_be_enabled()
    expect(page.locator("#state")).not_to_contain_text("Done in")


def test_a_session_is_refreshed_before_it_expires(page, stage, user, requests):
    refresh = "/ocr_grpc.v1.AuthService/RefreshToken"
    sign_in(page, stage, user)
    assert refresh not in paths(requests)
    page.clock.fast_forward("25:00:00")  # longer than any access token lives
    read(page, stage, "text.pdf")
    expect(page.locator("#state")).to_contain_text("Done in")
    assert paths(requests).count(refresh) == 1


def test_tabs_that_share_a_session_keep_it(browser, origin, stage, user, tmp_path):
    """With the token store of the README.

    Between processes of a browser localStorage lags: the second tab may not see yet what the first
    one wrote, and refresh too. The service forgives that for some seconds.
    """
    library = tmp_path / "library.js"
    entry = f"import {{ connect }} from 'ocr-grpc-client/browser'; {STORE} window.client = client;"
    (HERE / ".cache" / "tab.js").write_text(entry.replace("address", "window.address"))
    bundle = ["npx", "esbuild", ".cache/tab.js", "--bundle", f"--outfile={library}"]
    run([*bundle, "--log-level=warning"], folder=HERE)
    context = browser.new_context()
    context.set_default_timeout(DEADLINE_MS)
    requests: list[Request] = []
    context.on("request", lambda request: requests.append(request))
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(origin)
        tab.evaluate("address => { window.address = address; }", f"http://{stage.service.http}")
        tab.add_script_tag(path=library)
    tabs[0].evaluate("who => client.login(...who).then(() => 0)", [user, PASSWORD])
    tabs[0].evaluate(
        """() => {
            const tokens = JSON.parse(localStorage.getItem("tokens"));
            localStorage.setItem("tokens", JSON.stringify({...tokens, expiresAt: new Date(0)}));
        }"""
    )
    for tab in tabs:
        tab.evaluate("() => { window.me = client.auth.getMe({}); }")
    for tab in tabs:
        assert tab.evaluate("() => window.me.then(({ user }) => user.userName)") == user
    assert paths(requests).count("/ocr_grpc.v1.AuthService/RefreshToken") in (1, 2)
    for tab in tabs:
        name = "() => client.auth.getMe({}).then(({ user }) => user.userName)"
        assert tab.evaluate(name) == user
    context.close()


def test_a_refusal_says_why(page, stage, user):
    page.get_by_label("Service").fill(f"http://{stage.service.http}")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill("something else")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#who")).to_contain_text("LOGIN_FAILED")
