"""The synthetic pages with known text, as pixels, as image-only PDF, or with a text layer.

The standard PDF fonts are rendered by pdfium with outlines it carries itself, so no font file is
needed and the pixels are the same on every machine with the same pdfium.

Run `python -m benchmarks.pages OUT_DIR` to write them all as files for any other program.
"""

import argparse
import io
from math import ceil
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from benchmarks.office_pages import office_pages
from benchmarks.prose_pages import prose_pages
from benchmarks.sheet import Page

__all__ = ["RESOLUTIONS", "Page", "image_pdf", "pages", "pixels", "quick_pages", "text_pdf"]

RESOLUTIONS = (150, 200)
"""The dots per inch the figures are quoted for."""
QUICK = ("one-size-6pt", "columns-2-en-10pt", "prose-de-11pt", "invoice-en", "table-open-9pt")


def pages() -> list[Page]:
    """Return all pages, the same on every call and machine; names are unique."""
    return prose_pages() + office_pages()


def quick_pages() -> list[Page]:
    """Return a few pages that cover small print, columns, a language, digits and a table."""
    return [page for page in pages() if page.name in QUICK]


def text_pdf(page: Page) -> bytes:
    """Return the page as a PDF with real text, in reading order; the same bytes every time."""
    sink = io.BytesIO()
    canvas = Canvas(sink, pagesize=page.size_pt, invariant=1)
    page.draw(canvas)
    canvas.showPage()
    canvas.save()
    return sink.getvalue()


def pixels(page: Page, dpi: float) -> NDArray[np.uint8]:
    """Return the page rendered in grey, (height, width) uint8, white 255."""
    document = pdfium.PdfDocument(text_pdf(page))
    try:
        bitmap = document[0].render(scale=dpi / 72, grayscale=True)
        return bitmap.to_numpy().copy()  # the bitmap's own memory goes when it is closed
    finally:
        document.close()


def image_pdf(page: Page, dpi: float) -> bytes:
    """Return a PDF whose one page is nothing but the rendered image, lossless, in its true size.

    Rendered again at the same resolution it has exactly the pixels of `pixels(page, dpi)`.
    """
    image = Image.fromarray(pixels(page, dpi))
    # Under the true size by a hundredth of a point at most: pdfium keeps sizes as float32 and
    # rounds pixels up, so the true size would often come back one pixel larger. For the same
    # reason the image stands a hair inside its page, else rows are moved here and there.
    width, height = ((ceil(side * 7200 / dpi) - 1) / 100 for side in image.size)
    inset = 0.005
    sink = io.BytesIO()
    canvas = Canvas(sink, pagesize=(width, height), invariant=1)
    canvas.drawImage(ImageReader(image), inset, inset, width - 2 * inset, height - 2 * inset)
    canvas.showPage()
    canvas.save()
    return sink.getvalue()


def main() -> None:
    """Write every page at every resolution as `NAME-DPI.pdf` with `NAME-DPI.txt` beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to; made if missing")
    parser.add_argument("--quick", action="store_true", help="only a few pages")
    parser.add_argument("--png", action="store_true", help="write PNG images instead of PDF")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for page in quick_pages() if options.quick else pages():
        for dpi in RESOLUTIONS:
            target = options.out / f"{page.name}-{dpi}"
            target.with_name(target.name + ".txt").write_text(page.text + "\n", encoding="utf-8")
            if options.png:
                image = Image.fromarray(pixels(page, dpi))
                image.save(target.with_name(target.name + ".png"), dpi=(dpi, dpi))
            else:
                target.with_name(target.name + ".pdf").write_bytes(image_pdf(page, dpi))
    print(f"{len(list(options.out.glob('*.txt')))} pages in {options.out}")


if __name__ == "__main__":
    main()
