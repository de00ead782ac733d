"""Small pages with known text, drawn with the standard fonts that pdfium carries itself."""

import io
import threading

import numpy as np
import pypdfium2 as pdfium
from reportlab.pdfgen.canvas import Canvas

from ocr_grpc.engines.engine import Engine, PageImage, ReadOptions
from ocr_grpc.engines.ppocr.pixels import Pixels
from ocr_grpc.model import Line

NOBODY = threading.Event()

PROSE = (
    "The harbour office opens at seven, and by nine the first boats",
    "are unloaded. Keep the jars closed, dry and dark; the seeds",
    "inside will last for at least 14 years. Nobody in Vireux",
    "remembers who planted the orchard, yet everyone knows when",
    "it bears fruit. Please return the key before noon; otherwise",
    "the guard will charge a fee of $97,379.21.",
)


def drawn(
    texts: list[tuple[float, float, str, float]],
    size: tuple[float, float] = (420, 300),
    dpi: float = 150,
    font: str = "Helvetica",
) -> Pixels:
    """Return a grey page with each (x, y from the top, text, font size), all in points."""
    sink = io.BytesIO()
    canvas = Canvas(sink, pagesize=size, invariant=1)
    for x, y, text, points in texts:
        canvas.setFont(font, points)
        canvas.drawString(x, size[1] - y, text)
    canvas.save()
    document = pdfium.PdfDocument(sink.getvalue())
    try:
        return document[0].render(scale=dpi / 72, grayscale=True).to_numpy().copy()
    finally:
        document.close()


def paragraph(
    lines: tuple[str, ...], x: float = 30, y: float = 40, points: float = 10
) -> list[tuple[float, float, str, float]]:
    return [(x, y + place * points * 1.3, line, points) for place, line in enumerate(lines)]


def read(engine: Engine, pixels: Pixels, options: ReadOptions | None = None) -> list[Line]:
    """Return all lines of a page."""
    page = PageImage(np.asarray(pixels, np.uint8))
    batches = engine.read(page, options or ReadOptions(), NOBODY)
    return [line for batch in batches for line in batch]


def words(lines: list[Line]) -> str:
    """Return the text of lines with single spaces."""
    return " ".join(" ".join(line.text for line in lines).split())
