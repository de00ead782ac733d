"""Documents for the measurements of the service."""

import io
from collections.abc import AsyncIterator

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from benchmarks.pages import image_pdf, pages

MIB = 2**20


def image_document(names: list[str], dpi: int) -> bytes:
    """Return a PDF of images of the synthetic pages with these names."""
    by_name = {page.name: page for page in pages()}
    whole = pypdfium2.PdfDocument.new()
    rendered = {name: image_pdf(by_name[name], dpi) for name in set(names)}
    for name in names:
        whole.import_pages(pypdfium2.PdfDocument(rendered[name]))
    sink = io.BytesIO()
    whole.save(sink)
    return sink.getvalue()


def text_document(page_count: int) -> bytes:
    """Return a PDF of pages with a text layer of some 3,000 characters each."""
    sink = io.BytesIO()
    canvas = Canvas(sink, pagesize=A4, invariant=1)
    for page in range(1, page_count + 1):
        canvas.setFont("Helvetica", 9)
        for line in range(45):
            text = f"Page {page}, line {line}: the quick brown fox jumps over the lazy dog again."
            canvas.drawString(50, 800 - 16 * line, text)
        canvas.showPage()
    canvas.save()
    return sink.getvalue()


async def large_document(size_mib: int) -> AsyncIterator[bytes]:
    """Yield a valid PDF of one page and so many MiB, in chunks of 1 MiB; it is never whole."""
    yield text_document(1)
    noise = b"%" + np.random.default_rng(1).bytes(MIB - 1)
    for _ in range(size_mib):
        yield noise


def small_image() -> bytes:
    """Return a PNG with one line of text."""
    picture = Image.new("L", (600, 80), 255)
    font = ImageFont.load_default(32)
    ImageDraw.Draw(picture).text((20, 20), "Invoice 2024-0815", fill=0, font=font)
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    return sink.getvalue()
