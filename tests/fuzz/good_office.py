"""Good Office documents, made by the libraries that most other programs use too."""

import io
from collections.abc import Callable
from typing import Any

import docx
import openpyxl
import openpyxl.drawing.image
import pptx
import xlwt
from odf import draw, opendocument, table, text
from pptx.util import Inches

from tests.support import encoded, picture


def _saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _image() -> io.BytesIO:
    return io.BytesIO(encoded(picture(("in a picture",), (300, 100))))


def _docx() -> bytes:
    document = docx.Document()
    document.add_heading("A letter", 1)
    document.add_paragraph("Some words before the picture.")
    document.add_picture(_image())
    document.add_paragraph("first", style="List Bullet")
    grid = document.add_table(2, 2)
    for number, cell in enumerate(cell for row in grid.rows for cell in row.cells):
        cell.text = f"cell {number}"
    document.add_page_break()
    document.add_paragraph("On the second page.")
    return _saved(document)


def _xlsx() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (("name", "price"), ("tea", 1.2), ("sum", "=SUM(B2:B2)")):
        sheet.append(row)
    sheet.merge_cells("A5:C5")
    sheet.add_image(openpyxl.drawing.image.Image(_image()), "D2")
    book.create_sheet("Second")["B2"] = "far away"
    return _saved(book)


def _xls() -> bytes:
    book = xlwt.Workbook()
    for name in ("First", "Second"):
        sheet = book.add_sheet(name)
        for row in range(20):
            sheet.write(row, 0, f"row {row}")
            sheet.write(row, 1, row * 1.5)
    return _saved(book)


def _pptx() -> bytes:
    slides = pptx.Presentation()
    for number in range(2):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text = "a point\nanother one"
        slide.notes_slide.notes_text_frame.text = "said aloud"
    slide.shapes.add_picture(_image(), Inches(1), Inches(3))
    grid = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    grid.cell(0, 0).text = "in a cell"
    return _saved(slides)


def _odt() -> bytes:
    document = opendocument.OpenDocumentText()
    document.text.addElement(text.H(outlinelevel=1, text="A letter"))
    paragraph = text.P(text="Some words.")
    name = document.addPicture("picture.png", "image/png", _image().getvalue())
    frame = draw.Frame(width="3cm", height="1cm", anchortype="as-char")
    frame.addElement(draw.Image(href=name))
    paragraph.addElement(frame)
    document.text.addElement(paragraph)
    return _saved(document)


def _ods() -> bytes:
    document = opendocument.OpenDocumentSpreadsheet()
    for name in ("First", "Second"):
        sheet = table.Table(name=name)
        for number in range(3):
            row = table.TableRow()
            for column in range(3):
                cell = table.TableCell(valuetype="string")
                cell.addElement(text.P(text=f"{name} {number} {column}"))
                row.addElement(cell)
            sheet.addElement(row)
        document.spreadsheet.addElement(sheet)
    return _saved(document)


MAKERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "docx": ("docx", _docx),
    "xlsx": ("xlsx", _xlsx),
    "xls": ("xls", _xls),
    "pptx": ("pptx", _pptx),
    "odt": ("odt", _odt),
    "ods": ("ods", _ods),
}
