"""Flowing documents in real reader processes, with the sandbox and pandoc inside of it."""

import io
from collections.abc import Callable
from pathlib import Path

import docx

from ocr_grpc.documents.document import DocumentKind, Picture
from ocr_grpc.model import TextFormat
from tests.documents.office.flow_samples import book, picture, saved


async def test_a_word_document_is_read_and_its_picture_too(
    pool: Callable[..., object], file: Callable[[bytes], Path]
):
    document = docx.Document()
    document.add_heading("Report", 1)
    document.add_picture(io.BytesIO(picture(64, 32)))
    document.add_page_break()
    document.add_paragraph("end")
    documents = await pool()
    opened = await documents.open(file(saved(document)), name="report.docx")
    assert (opened.kind, opened.page_count) == (DocumentKind.DOCX, 2)
    first = await opened.structured_page(1, TextFormat.MARKDOWN)
    assert first.segments == ("# Report\n\n", Picture(0, inline=False))
    last = await opened.structured_page(2, TextFormat.PLAIN)
    assert last.segments == ("end",)
    drawn = await opened.render_picture(0, 1)
    assert (drawn.geometry.width_px, drawn.geometry.height_px) == (64, 32)
    assert (await opened.inspect(1, 0)).picture_count == 1
    await opened.close()


async def test_a_document_outlives_its_reader(
    pool: Callable[..., object], file: Callable[[bytes], Path]
):
    documents = await pool(leases_per_reader=1)
    first = await documents.open(file(b"# One\n\ntext\n\f# Two\n"), name="a.md")
    second = await documents.open(file(book({"a.xhtml": "<p>chapter</p>"})), name="b.epub")
    for _ in range(2):
        page = await first.structured_page(2, TextFormat.MARKDOWN)
        assert page.segments == ("# Two",)
        page = await second.structured_page(1, TextFormat.PLAIN)
        assert page.segments == ("chapter",)
    await first.close()
    await second.close()
