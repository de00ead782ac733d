"""Good PDFs: text, scans, forms, embedded fonts, encrypted."""

import io
from collections.abc import Callable

from PIL import ImageFont
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from tests.documents.samples import drawn, paper, prose_pdf, scan_pdf, written

PASSWORD = "open sesame"


def _form() -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "Name")
        canvas.acroForm.textfield(name="name", value="Ann Other", x=100, y=770, width=200)
        canvas.acroForm.checkbox(name="yes", checked=True, x=100, y=740)
        canvas.linkURL("https://example.org/", (60, 700, 200, 720))
        canvas.textAnnotation("a note", (300, 700, 320, 720))
        canvas.bookmarkPage("here")
        canvas.addOutlineEntry("Here", "here")

    return drawn(draw)


def _embedded_font() -> bytes:
    pdfmetrics.registerFont(TTFont("Own", io.BytesIO(ImageFont.load_default(20).font_bytes)))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Own", 12)
        for line in range(20):
            canvas.drawString(60, 780 - 20 * line, "The quick brown fox – naïve façade, Größe")

    return drawn(draw)


def _encrypted() -> bytes:
    guard = StandardEncryption(PASSWORD, strength=128)
    return drawn(lambda canvas: canvas.drawString(60, 700, "hidden words"), encrypt=guard)


MAKERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "pdf": ("pdf", lambda: prose_pdf(3)),
    "pdf of one page": ("pdf", lambda: written("Some words", "on two lines")),
    "pdf of a scan": ("pdf", lambda: scan_pdf(paper())),
    "pdf with a form": ("pdf", _form),
    "pdf with a font": ("pdf", _embedded_font),
    "pdf, encrypted": ("pdf", _encrypted),
}
