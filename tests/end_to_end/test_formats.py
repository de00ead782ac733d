"""Every format, from the upload to the text: words, tables, and what the engine reads of pictures.

Most documents are written by pandoc from one story, so that they can be asked the same questions;
the tests beside the readers ask more of each format.
"""

import base64
import io
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc.aio
import openpyxl
import openpyxl.drawing.image
import pptx
import pypandoc
import pytest
import xlwt
from odf import opendocument, table, text
from PIL import Image
from pptx.util import Inches

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.v1 import document_pb2, options_pb2, page_pb2
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.documents.heif import HEVC_PAPER, heif
from tests.processes import serve
from tests.support import FORCE_OCR, TEXT_LAYER_ONLY, collect, encoded, picture, refusal, serving

NULL_TEXT = "null line 1\nnull line 2\nnull line 3\nnull line 4"

STORY = """# Annual report

The year went *well*, says the über-optimistic board.

- first point
- second point

| name | price |
|------|-------|
| tea  | 1.20  |
| milk | 0.99  |

Before the scan.

![](scan.png)

After the scan.
"""


def by_pandoc(to: str, folder: Path) -> bytes:
    (folder / "scan.png").write_bytes(encoded(picture(("in a picture",))))
    command = [pypandoc.get_pandoc_path(), "-f", "markdown", "-t", to, "-s", "-o", "-"]
    command += ["--metadata=title:Report", f"--resource-path={folder}", "--embed-resources"]
    return subprocess.run(command, input=STORY.encode(), capture_output=True, check=True).stdout


def workbook(kind: str) -> bytes:
    buffer = io.BytesIO()
    rows = [["name", "price"], ["tea", 1.2], ["milk", 0.99]]
    if kind == "xls":
        book = xlwt.Workbook()
        for name in ("Prices", "Second"):
            sheet = book.add_sheet(name)
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    sheet.write(at, column, value)
        book.save(buffer)
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.title = "Prices"
        for row in rows:
            book.active.append(row)
        scan = io.BytesIO(encoded(picture(("in a picture",))))
        book.active.add_image(openpyxl.drawing.image.Image(scan), "D2")
        book.create_sheet("Second")["A1"] = "elsewhere"
        book.save(buffer)
    else:
        document = opendocument.OpenDocumentSpreadsheet()
        for name in ("Prices", "Second"):
            sheet = table.Table(name=name)
            for row in rows:
                line = table.TableRow()
                for value in row:
                    cell = table.TableCell()
                    cell.addElement(text.P(text=str(value)))
                    line.addElement(cell)
                sheet.addElement(line)
            document.spreadsheet.addElement(sheet)
        document.save(buffer)
    return buffer.getvalue()


def photo_deck() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.shapes.add_picture(io.BytesIO(encoded(picture())), 0, 0, Inches(10))
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("formats"), ENGINE="null") as (_, address):
        yield address


@pytest.fixture
async def stub(address) -> AsyncIterator[OcrServiceStub]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield OcrServiceStub(channel)


@pytest.fixture(scope="module")
def stories(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("stories")
    forms = {"docx": "docx", "odt": "odt", "rtf": "rtf", "html": "html5", "epub": "epub3"}
    made = {name: by_pandoc(form, folder) for name, form in forms.items()}
    scan = base64.b64encode((folder / "scan.png").read_bytes()).decode()
    made["markdown"] = STORY.replace("scan.png", f"data:image/png;base64,{scan}").encode()
    return made


def request(content: bytes, name: str = "", **options) -> pb.StreamExtractRequest:
    return pb.StreamExtractRequest(content=content, file_name=name, options=options)


async def pages_of(stub, content: bytes, name: str = "", **options) -> list:
    events = await collect(stub.StreamExtract(request(content, name, **options)))
    finished = [event.page_finished for event in events if event.HasField("page_finished")]
    return sorted(finished, key=lambda page: page.page_number)


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


STORY_KINDS = ["docx", "odt", "rtf", "html", "epub", "markdown"]


@pytest.mark.parametrize("kind", STORY_KINDS)
async def test_a_structured_document_is_markdown(stub, stories, kind):
    pages = await pages_of(stub, stories[kind], f"story.{kind[:2]}")
    whole = "\n\n".join(page.text for page in pages)
    assert {page.text_format for page in pages} == {options_pb2.TEXT_FORMAT_MARKDOWN}
    assert re.search(r"^# Annual report$", whole, re.MULTILINE)
    assert re.search(r"^[-*] +first point$", whole, re.MULTILINE)
    assert re.search(r"^\| *tea *\| *1.20 *\|$", whole, re.MULTILINE)
    assert "über-optimistic" in whole
    assert in_order(whole, "Before the scan.", "null line 1", "null line 4", "After the scan.")
    read = [page for page in pages if page.provenance.picture_count]
    assert [page.provenance.engine for page in read] == ["null"]
    assert read[0].provenance.source == page_pb2.TEXT_SOURCE_TEXT_LAYER


@pytest.mark.parametrize("kind", STORY_KINDS)
async def test_the_same_as_plain_text(stub, stories, kind):
    pages = await pages_of(
        stub,
        stories[kind],
        f"story.{kind[:2]}",
        text_format=options_pb2.TEXT_FORMAT_PLAIN,
        skip_pictures=True,
    )
    whole = "\n".join(page.text for page in pages)
    assert {page.text_format for page in pages} == {options_pb2.TEXT_FORMAT_PLAIN}
    assert "Annual report" in whole.splitlines()
    assert "tea\t1.20" in whole.splitlines()
    assert not re.search(r"[#|*]|null line|scan\.png|data:", whole)


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
async def test_a_workbook_has_a_page_for_each_sheet(stub, kind):
    first, second = await pages_of(stub, workbook(kind))
    plain, _ = await pages_of(
        stub, workbook(kind), text_format=options_pb2.TEXT_FORMAT_PLAIN, skip_pictures=True
    )
    assert in_order(first.text, "Prices", "| name", "| tea", "1.2", "| milk")
    assert "Second" in second.text
    assert "tea\t1.2" in plain.text.splitlines()
    if kind == "xlsx":
        assert first.text.endswith(NULL_TEXT)


@pytest.mark.parametrize(
    ("name", "separator"), [("prices.csv", ";"), ("prices.tsv", "\t"), ("", ",")]
)
async def test_separated_values_are_a_sheet(stub, name, separator):
    rows = [["name", "price", "unit"], ["tea", "1.20", "box"], ["milk", "0.99", "litre"]]
    content = "\n".join(separator.join(row) for row in rows).encode()
    (page,) = await pages_of(stub, content, name)
    assert re.search(r"^\| tea +\| 1.20 +\| box +\|$", page.text, re.MULTILINE)


async def test_a_presentation_has_a_page_for_each_slide(stub):
    deck = pptx.Presentation()
    for number in (1, 2):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text = "a point"
        slide.notes_slide.notes_text_frame.text = "said aloud"
    buffer = io.BytesIO()
    deck.save(buffer)
    pages = await pages_of(stub, buffer.getvalue())
    assert len(pages) == 2
    assert in_order(pages[1].text, "# Slide 2", "a point", "said aloud")


async def test_a_slide_that_is_one_photo_is_read_like_a_scan(stub):
    (page,) = await pages_of(stub, photo_deck())
    assert page.text == NULL_TEXT
    assert page.provenance.source == page_pb2.TEXT_SOURCE_IMAGE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-32"])
async def test_plain_text_comes_in_any_common_encoding(stub, encoding):
    words = "Größe, naïve façade – “quoted”. Überall Straßen und Plätze, schöne Grüße.\n"
    (page,) = await pages_of(stub, words.encode(encoding), "notes.txt")
    assert page.text == words.strip()
    assert page.text_format == options_pb2.TEXT_FORMAT_PLAIN
    assert page.provenance.source == page_pb2.TEXT_SOURCE_TEXT_LAYER


def pictures() -> Iterator[tuple[str, bytes]]:
    page = picture()
    yield "HEIC", heif(HEVC_PAPER)
    yield "AVIF", encoded(page, "AVIF")
    yield "JPEG_2000", encoded(page, "JPEG2000")
    yield "TIFF", encoded(page, "TIFF", save_all=True, append_images=[page])
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF"):
        yield kind, encoded(page, kind)


@pytest.mark.parametrize(("kind", "content"), list(pictures()), ids=lambda it: str(it)[:10])
async def test_an_image_has_a_page_for_each_frame(stub, kind, content):
    events = await collect(stub.StreamExtract(request(content)))
    started = events[0].started
    assert started.kind == document_pb2.DocumentKind.Value(f"DOCUMENT_KIND_{kind}")
    assert started.page_count == (2 if kind == "TIFF" else 1)
    texts = [event.page_finished.text for event in events if event.HasField("page_finished")]
    assert set(texts) == {NULL_TEXT}


async def test_a_blank_page_is_told_and_not_given_to_the_engine(stub):
    (page,) = await pages_of(stub, encoded(Image.new("L", (800, 1000), 255)))
    assert page.blank
    assert (page.text, page.outcome) == ("", page_pb2.PAGE_OUTCOME_OK)


async def test_every_format_is_listed_with_what_becomes_a_page(stub):
    told = await stub.GetCapabilities(pb.GetCapabilitiesRequest())
    named = {document_pb2.DocumentKind.Name(form.kind): form for form in told.formats}
    assert set(named) == {f"DOCUMENT_KIND_{kind.name}" for kind in DocumentKind}
    assert named["DOCUMENT_KIND_PPTX"].page_unit == "slide"
    assert named["DOCUMENT_KIND_DOCX"].structured
    assert told.limits.max_archive_members == 10_000


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (b"Some words.\n", {"mode": FORCE_OCR}, "MODE_NOT_SUPPORTED"),
        (b"Some words.\n", {"text_format": 2}, "TEXT_FORMAT_NOT_SUPPORTED"),
        (encoded(picture()), {"text_format": 2}, "TEXT_FORMAT_NOT_SUPPORTED"),
        (encoded(picture()), {"text_format": 77}, "INVALID_OPTION"),
        (encoded(picture()), {"password": "x" * 129}, "INVALID_OPTION"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(stub, content, options, reason):
    code, found = await refusal(stub.StreamExtract(request(content, **options)))
    assert (code.name, found) == ("INVALID_ARGUMENT", reason)


async def test_text_alone_never_starts_the_engine(stub, stories):
    pages = await pages_of(stub, stories["docx"], mode=TEXT_LAYER_ONLY)
    assert all(page.provenance.picture_count == 0 for page in pages)
    assert "null line" not in "".join(page.text for page in pages)


async def test_a_document_that_takes_too_long_ends_with_its_reason(tmp_path):
    async with serving(tmp_path, engine="hang", document_timeout_seconds=0.5) as stub:
        black = encoded(picture(first_pixel=0))
        code, reason = await refusal(stub.StreamExtract(request(black)))
    assert (code.name, reason) == ("INVALID_ARGUMENT", "DOCUMENT_TIMED_OUT")
