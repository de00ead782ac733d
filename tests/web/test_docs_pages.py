"""The reference of the HTTP API, with forms and without."""

import json

import pytest
from playwright.sync_api import expect

from ocr_grpc.openapi.__main__ import WEB
from tests.web.accessibility import serious_faults

CAPABILITIES = "Returns what this server can do"


def operations() -> list[dict]:
    paths = json.loads((WEB / "openapi.json").read_bytes())["paths"]
    return [operation for item in paths.values() for operation in item.values()]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_every_operation_is_listed_and_nobody_else_is_asked(page, server, path):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path, wait_until="networkidle")
    listed = page.get_by_role("navigation").filter(has_text="OcrService")
    for operation in operations():
        expect(listed.get_by_text(operation["summary"], exact=True).first).to_be_attached()
    assert [url for url in asked if not url.startswith((server.url + "/", "data:"))] == []


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_an_operation_shows_its_fields_and_its_errors(page, path):
    page.goto(path)
    page.get_by_text("Reads one document and returns all of it at once").first.click()
    expect(page.get_by_text("/v1/ocr:extract").first).to_be_visible()
    expect(page.get_by_text("Where the text is taken from").first).to_be_visible()
    expect(page.get_by_text("429", exact=True).first).to_be_visible()


def test_a_call_can_be_tried(page):
    page.goto("/docs")
    page.get_by_text(CAPABILITIES).first.click()
    with page.expect_response("**/v1/ocr/capabilities") as answered:
        page.get_by_role("button", name="Execute").click()
    assert answered.value.status == 200
    expect(page.get_by_text("Response Status: OK (200)")).to_be_visible()
    expect(page.get_by_text("max_inline_bytes").first).to_be_visible()


def test_a_call_can_be_tried_with_a_token(page, server):
    token = server.register("docs-reader")["authorization"].removeprefix("Bearer ")
    page.goto("/docs")
    page.get_by_text("Authentication", exact=True).first.click()
    page.get_by_placeholder("access token or API key").fill(token)
    page.get_by_role("button", name="Set").first.click()
    page.get_by_text("Returns the user who is calling").first.click()
    with page.expect_response("**/v1/users/me") as answered:
        page.get_by_role("button", name="Execute").click()
    assert answered.value.json()["user"]["user_name"] == "docs-reader"


def test_the_page_for_reading_has_no_forms(page):
    page.goto("/redoc")
    page.get_by_text(CAPABILITIES).first.click()
    expect(page.get_by_text("/v1/ocr/capabilities").first).to_be_visible()
    expect(page.get_by_role("button", name="Execute")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_nothing_keeps_people_out(page, path, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(path)
    expect(page.get_by_role("link", name=CAPABILITIES)).to_be_visible()
    assert serious_faults(page) == []


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_operations_can_be_reached_by_keyboard(page, path):
    page.goto(path)
    page.get_by_role("link", name=CAPABILITIES).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("/v1/ocr/capabilities").first).to_be_visible()


def test_the_pages_lead_back_and_to_the_files(page, server):
    page.goto("/docs")
    links = page.get_by_label("Forms of this reference").get_by_role("link")
    targets = [link.get_attribute("href") for link in links.all()]
    assert targets == ["/redoc", "/openapi.json", "/protos.zip"]
    for target in targets:
        assert server.client.get(target).status_code == 200
    page.get_by_role("link", name="ocr_grpc").first.click()
    expect(page).to_have_url(server.url + "/")
