"""The playground: a document goes in, and its text is seen while it is read."""

import base64
import io
import json
import time

import pypdfium2 as pdfium
import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.pages import image_pdf as scanned
from benchmarks.pages import pages
from tests.documents.encrypted import AES_256
from tests.support import NO_DOCUMENT, encoded, image_pdf, picture, text_pdf
from tests.web.accessibility import serious_faults

INLINE_BYTES = 600_000
SETTINGS = {"AUTH_ENABLED": "false", "ENGINE": "ppocr", "ENGINE_WORKERS": "1"}
SETTINGS |= {"MAX_INLINE_BYTES": str(INLINE_BYTES)}

pytestmark = pytest.mark.engine

DENSE = next(page for page in pages() if page.name == "dense")


def small_scan(count: int, lines: int = 12) -> bytes:
    """Return a scanned PDF below `INLINE_BYTES`, with different lines on every page."""
    size = 700, 60 * lines + 60
    texts = [[f"page {page} line {line}" for line in range(lines)] for page in range(1, count + 1)]
    return image_pdf([picture(lines_of_page, size) for lines_of_page in texts])


def choose(page: Page, content: bytes, name: str) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)


def drop(page: Page, content: bytes, name: str) -> None:
    """Drop a file on the page as a person does."""
    transfer = page.evaluate_handle(
        """([text, name]) => {
            const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [base64.b64encode(content).decode(), name],
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})


def opened(page: Page) -> Page:
    page.goto("/playground")
    expect(page.locator(".sample").first).to_be_enabled()  # it knows the limits of the server
    return page


def row(page: Page, number: int) -> Locator:
    return page.get_by_role("region", name=f"Page {number}", exact=True)


def ending(page: Page, kind: str) -> Locator:
    return page.locator(f".result-progress [data-state={kind}]")


def test_lines_of_a_dropped_scan_appear_before_its_page_is_done(page):
    opened(page)
    page.evaluate(
        """() => new MutationObserver(() => {
            const row = document.querySelector(".page-row");
            if (!row?.querySelector(".line polygon")) return;
            window.seen ??= { state: row.dataset.state, picture: !!row.querySelector("img") };
        }).observe(document.body, { childList: true, subtree: true })"""
    )
    drop(page, scanned(DENSE, 150), "dense.pdf")
    expect(ending(page, "finished")).to_be_visible()
    assert page.evaluate("window.seen") == {"state": "reading", "picture": True}


def test_lines_lie_where_they_are_printed_and_are_marked_with_their_text(page):
    choose(opened(page), small_scan(1), "scan.pdf")
    expect(ending(page, "finished")).to_be_visible()
    line = page.get_by_role("option", name="page 1 line 3")
    sheet = page.locator(".sheet").bounding_box()
    box = line.bounding_box()
    printed_at = (40 + 60 * 3) / (60 * 12 + 60)
    assert (box["y"] - sheet["y"]) / sheet["height"] == pytest.approx(printed_at, abs=0.03)
    line.hover()
    expect(page.locator(".words.marked")).to_have_text("page 1 line 3")
    expect(page.locator(".tip")).to_contain_text("page 1 line 3")


def test_arrow_keys_walk_through_the_lines_of_a_picture(page):
    choose(opened(page), small_scan(1), "scan.pdf")
    expect(ending(page, "finished")).to_be_visible()
    page.get_by_role("listbox").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".words.marked")).to_have_text("page 1 line 1")
    page.keyboard.press("End")
    expect(page.locator(".words.marked")).to_have_text("page 1 line 11")
    page.keyboard.press("Escape")
    expect(page.locator(".words.marked")).to_have_count(0)


def test_lines_of_a_picture_can_be_selected_with_the_mouse(page):
    choose(opened(page), small_scan(1), "scan.pdf")
    expect(ending(page, "finished")).to_be_visible()
    box = page.get_by_role("option", name="page 1 line 3").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 8, middle, steps=5)
    page.mouse.up()
    assert "page 1 line" in page.evaluate("getSelection().toString()")


def test_cancelling_stops_the_work_on_the_server(page, server):
    drop(opened(page), image_pdf([picture([f"{n}"]) for n in range(3)] * 40), "long.pdf")
    expect(page.locator(".line").first).to_be_attached()
    page.get_by_role("button", name="Cancel").click()
    expect(ending(page, "cancelled")).to_contain_text("Stopped.")
    deadline = time.monotonic() + 5
    while "CANCELLED" not in logged_calls(server, "StreamExtract"):
        assert time.monotonic() < deadline, "The server read on."
        time.sleep(0.05)


def test_a_document_that_cannot_be_read_says_why(page):
    choose(opened(page), NO_DOCUMENT, "program")
    expect(page.get_by_role("alert")).to_contain_text("UNKNOWN_FORMAT")
    expect(ending(page, "failed")).to_be_visible()
    page.get_by_role("button", name="New document").click()
    expect(page.locator("input[type=file]")).to_be_focused()


def test_a_page_that_fails_says_why_and_the_others_are_read(page):
    opened(page)
    page.get_by_text("Options").click()
    page.get_by_label("Where the text comes from").select_option("Only its own text")
    choose(page, mixed_pdf(), "mixed.pdf")
    expect(ending(page, "finished")).to_contain_text("1 failed")
    expect(row(page, 1)).to_contain_text("Page 1, line 0: the quick brown fox.")
    expect(row(page, 2)).to_contain_text("NO_TEXT_LAYER")


def test_only_the_pages_asked_for_are_read(page):
    opened(page)
    page.get_by_text("Options").click()
    page.get_by_role("textbox", name="Pages").fill("2-3")
    choose(page, text_pdf(4), "four.pdf")
    expect(ending(page, "finished")).to_contain_text("2 pages read")
    assert page.locator(".page-row h2").all_text_contents() == ["Page 2", "Page 3"]


@pytest.mark.parametrize("padding", [b"", b"\n" * INLINE_BYTES], ids=["inline", "by REST"])
def test_a_missing_password_is_asked_for_and_stands_in_no_address(page, padding):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    choose(opened(page), AES_256 + padding, "secret.pdf")
    expect(page.get_by_role("alert")).to_contain_text("PASSWORD_REQUIRED")
    page.get_by_label("Password of the document").fill("pässwörd")
    page.keyboard.press("Enter")
    expect(row(page, 1)).to_contain_text("Secret")
    assert not any("password" in url or "p%C3%A4ss" in url for url in asked)


def test_everything_can_be_downloaded(page):
    choose(opened(page), small_scan(2, lines=2), "two.scan.pdf")
    expect(ending(page, "finished")).to_be_visible()
    text = downloaded(page, "Text", "two.scan.txt")
    assert text == "page 1 line 0\npage 1 line 1\fpage 2 line 0\npage 2 line 1"
    markdown = downloaded(page, "Markdown", "two.scan.md")
    assert "page 2 line 0\\\npage 2 line 1" in markdown
    document = json.loads(downloaded(page, "JSON", "two.scan.json"))
    assert document["kind"] == "DOCUMENT_KIND_PDF"
    assert [found["outcome"] for found in document["pages"]] == ["PAGE_OUTCOME_OK"] * 2
    assert document["pages"][1]["lines"][0]["text"] == "page 2 line 0"
    assert len(document["pages"][1]["lines"][0]["polygon"]) == 4


def test_a_file_over_the_inline_limit_goes_by_rest_and_streams_too(page):
    calls = []
    page.on("request", lambda request: calls.append(request.url.split("?")[0].split("/", 3)[3]))
    content = encoded(picture(["first line", "second line"], (900, 900)), "BMP")
    assert len(content) > INLINE_BYTES
    choose(opened(page), content, "größer.bmp")
    expect(row(page, 1).locator(".line").first).to_be_attached()
    expect(ending(page, "finished")).to_be_visible()
    expect(row(page, 1)).to_contain_text("first line\nsecond line")
    assert "v1/ocr:upload" in calls
    assert not any("StreamExtract" in call for call in calls)


def test_a_refusal_by_rest_reads_like_any_other(page):
    choose(opened(page), NO_DOCUMENT * 2000, "program")
    expect(page.get_by_role("alert")).to_contain_text("UNKNOWN_FORMAT")


def test_a_stream_that_breaks_off_is_a_failure(page):
    opened(page)
    page.route(
        "**/v1/ocr:upload?**",
        lambda route: route.fulfill(
            content_type="application/x-ndjson",
            body='{"sequence":1,"started":{"page_count":2,"document_page_count":2}}\n{"sequ',
        ),
    )
    choose(page, b"a" * (INLINE_BYTES + 1), "cut.txt")
    expect(ending(page, "broken")).to_contain_text("broke off")
    expect(page.get_by_role("alert")).to_contain_text("incomplete")


def test_a_pasted_picture_is_read(page):
    opened(page)
    content = base64.b64encode(encoded(picture(["pasted words"]))).decode()
    page.evaluate(
        """(text) => {
            const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
            window.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }""",
        content,
    )
    expect(row(page, 1).locator(".page-text")).to_have_text("pasted words")


def test_a_sample_of_structured_text_comes_as_markdown(page):
    opened(page).get_by_role("button", name="Minutes").click()
    expect(row(page, 1)).to_contain_text("# Minutes of the harbour committee")
    expect(page.locator(".sheet")).to_have_count(0)


def test_pages_far_from_the_screen_hold_no_picture(page):
    choose(opened(page), image_pdf([picture([str(n)], (500, 700)) for n in range(12)]), "a.pdf")
    expect(ending(page, "finished")).to_be_visible()
    expect(row(page, 1).locator("img")).to_be_attached()
    assert page.locator(".page-row").count() == 12
    assert page.locator(".sheet img").count() < 8
    page.get_by_role("link", name="Page 12, read").click()
    expect(row(page, 12).locator("img")).to_be_attached()
    expect(row(page, 1).locator("img")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out_of_a_document(page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    choose(opened(page), small_scan(2, lines=3), "scan.pdf")
    expect(ending(page, "finished")).to_be_visible()
    assert serious_faults(page) == []


def test_a_document_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    choose(opened(page), small_scan(2, lines=3), "a-rather-long-name-of-a-scan-" * 4 + ".pdf")
    expect(ending(page, "finished")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_screen_readers_are_told_how_it_ended(page):
    choose(opened(page), small_scan(2, lines=2), "scan.pdf")
    said = page.get_by_role("status").filter(has_text="2 pages read")
    expect(said.first).to_be_attached()
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def mixed_pdf() -> bytes:
    """Return a page with text, and one that is a picture."""
    whole = pdfium.PdfDocument(text_pdf(1))
    whole.import_pages(pdfium.PdfDocument(image_pdf([picture()])))
    sink = io.BytesIO()
    whole.save(sink)
    whole.close()
    return sink.getvalue()


def downloaded(page: Page, button: str, name: str) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"Download as {button}").click()
    assert waiting.value.suggested_filename == name
    return waiting.value.path().read_text(encoding="utf-8")


def logged_calls(server, method: str) -> list[str]:
    """Return how the calls of a method ended, as the server logged it so far."""
    lines = (server.folder / "serve.log").read_text().splitlines()
    calls = [json.loads(line) for line in lines if line.startswith("{")]
    return [call["status"] for call in calls if call.get("method", "").endswith(method)]
