"""Makes the samples of the playground, `public/samples`; their texts and people are invented.

    python clients/web/scripts/make_samples.py

The pages are those of the benchmarks, made to look as if they had come out of a scanner or a phone.
"""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from docx import Document
from docx.document import Document as WordDocument
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from benchmarks.awkward import skewed  # noqa: E402 - the line above makes it importable
from benchmarks.pages import pages, pixels  # noqa: E402

SAMPLES = ROOT / "clients" / "web" / "public" / "samples"
MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""What the files say about when they were made, so that they are the same every time."""
SCAN_DPI = 200
PAGES = {page.name: page for page in pages()}


def scan(name: str, degrees: float, dpi: int = SCAN_DPI) -> Image.Image:
    """Return a page as an office scanner sees it: a little askew, in black and white."""
    sheet = PAGES[name]
    grey = Image.fromarray(pixels(skewed(sheet, degrees), dpi))
    width, height = (round(side * dpi / 72) for side in sheet.size_pt)
    left, top = (grey.width - width) // 2, (grey.height - height) // 2
    grey = grey.crop((left, top, left + width, top + height)).filter(ImageFilter.GaussianBlur(0.5))
    speckle = np.random.default_rng(len(name)).random((height, width)) < 1e-5
    ink = (np.asarray(grey) < 150) | speckle
    return Image.fromarray(~ink)  # two colours, so that the PDF has it as a fax, lossless


def scanned_pdf() -> bytes:
    """Return a letter, an invoice and a report as a scanned PDF: pictures without any text."""
    sheets = [scan("letter-en", 0.6), scan("invoice-en", -0.4), scan("report", 0.3)]
    sink = io.BytesIO()
    sheets[0].save(
        sink,
        "PDF",
        save_all=True,
        append_images=sheets[1:],
        resolution=SCAN_DPI,
        title="Letter, invoice and report",
        creationDate=MADE.timetuple(),
        modDate=MADE.timetuple(),
    )
    return sink.getvalue()


def photographed_receipt() -> bytes:
    """Return a receipt on a dark table, as a phone takes it: askew, in uneven light."""
    strip = Image.fromarray(pixels(PAGES["receipt"], 170)).convert("L")
    table = Image.new("L", (strip.width + 240, strip.height + 200), 70)
    turned = strip.rotate(-4, Image.Resampling.BICUBIC, expand=True, fillcolor=70)
    table.paste(turned, ((table.width - turned.width) // 2, (table.height - turned.height) // 2))
    light = np.linspace(1.0, 0.8, table.width) * np.linspace(0.94, 1.0, table.height)[:, None]
    grey = np.asarray(table.filter(ImageFilter.GaussianBlur(0.5)), dtype=np.float64) * light
    warm = np.stack([grey, grey * 0.97, grey * 0.91], axis=-1).clip(0, 255).astype(np.uint8)
    sink = io.BytesIO()
    Image.fromarray(warm).save(sink, "JPEG", quality=70)
    return sink.getvalue()


def german_columns() -> bytes:
    """Return two columns of German in small print, as a picture."""
    page = Image.fromarray(pixels(PAGES["columns-2-de-9pt"], 140))
    sink = io.BytesIO()
    page.quantize(8).save(sink, "PNG", optimize=True)
    return sink.getvalue()


def minutes_docx() -> bytes:
    """Return the minutes of a meeting as a Word document: headings, a list, a table."""
    document: WordDocument = Document()
    document.core_properties.created = document.core_properties.modified = MADE
    document.core_properties.author = "ocr_grpc"
    document.add_heading("Minutes of the harbour committee", level=1)
    document.add_paragraph("Nordhafen, 3 March. Present: Ines Marchetti, Hugo Tallis.")
    document.add_heading("Decided", level=2)
    for text in ("The crane is painted before Easter.", "Berths 4 and 7 stay closed."):
        document.add_paragraph(text, style="List Bullet")
    document.add_heading("Costs", level=2)
    rows = [
        ("Work", "Who", "Sum"),
        ("Paint", "Holm", "1,240.00"),
        ("Rope", "", "318.50"),
    ]
    table = document.add_table(rows=0, cols=3)
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.add_paragraph("The next meeting is on 7 April at nine.")
    sink = io.BytesIO()
    document.save(sink)
    return undated(sink.getvalue())


def undated(archive: bytes) -> bytes:
    """Return a ZIP archive with the same members, none of which says when it was made."""
    sink = io.BytesIO()
    with ZipFile(io.BytesIO(archive)) as old, ZipFile(sink, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(ZipInfo(name), old.read(name), ZIP_DEFLATED)
    return sink.getvalue()


def main() -> None:
    """Write all samples."""
    SAMPLES.mkdir(parents=True, exist_ok=True)
    (SAMPLES / "scanned-letters.pdf").write_bytes(scanned_pdf())
    (SAMPLES / "receipt.jpg").write_bytes(photographed_receipt())
    (SAMPLES / "zweispaltig.png").write_bytes(german_columns())
    (SAMPLES / "minutes.docx").write_bytes(minutes_docx())
    for path in sorted(SAMPLES.iterdir()):
        print(f"{path.stat().st_size:>8}  {path.name}")


if __name__ == "__main__":
    main()
