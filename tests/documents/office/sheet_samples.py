"""Workbooks of all three formats, written by the libraries that people write them with."""

import io
import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import openpyxl
import xlsxwriter
import xlwt
from odf.draw import Frame, Image
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableProperties
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P
from PIL import Image as Pillow

HEADER = ["name", "count", "price", "day", "moment", "clock", "lasted", "true"]
VALUES = [
    "Ann | Bob",
    3,
    0.1 + 0.2,
    date(2024, 2, 29),
    datetime(2024, 2, 29, 13, 5, 7),
    time(8, 30),
    timedelta(hours=30, minutes=5),
    True,
]
SHOWN = [
    "Ann | Bob",
    "3",
    "0.3",
    "2024-02-29",
    "2024-02-29 13:05:07",
    "08:30:00",
    "30:05:00",
    "TRUE",
]


def picture(color: str = "white") -> io.BytesIO:
    """Return a picture large enough to be looked at."""
    written = io.BytesIO()
    Pillow.new("RGB", (200, 100), color).save(written, "PNG")
    written.seek(0)
    return written


def xlsx(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    """Return a workbook as openpyxl writes it."""
    workbook = openpyxl.Workbook()
    fill(workbook)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def xlsx_with_results(fill: Callable[[xlsxwriter.workbook.Workbook], None]) -> bytes:
    """Return a workbook as xlsxwriter writes it, whose formulas can have results."""
    written = io.BytesIO()
    workbook = xlsxwriter.Workbook(written, {"in_memory": True})
    fill(workbook)
    workbook.close()
    return written.getvalue()


class _Locked(xlwt.Workbook):
    """Says that it is encrypted, which its library cannot do: a record after the first one."""

    def get_biff_data(self) -> bytes:
        stream = super().get_biff_data()
        first = 4 + struct.unpack_from("<H", stream, 2)[0]
        return stream[:first] + struct.pack("<3H", 0x2F, 54, 1) + b"\0" * 52 + stream[first:]


def locked_xls() -> bytes:
    """Return a workbook of 1997 that needs a password."""
    workbook = _Locked()
    workbook.add_sheet("Secret").write(0, 0, "secret")
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def xls() -> bytes:
    """Return a workbook of 1997 with a visible sheet and a hidden one."""
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Prices")
    for column, (name, value) in enumerate(zip(HEADER[:4], VALUES[:4], strict=True)):
        style = xlwt.easyxf(num_format_str="YYYY-MM-DD") if isinstance(value, date) else None
        sheet.write(0, column, name)
        sheet.write(2, column, value, *([style] if style else []))
    hidden = workbook.add_sheet("Secret")
    hidden.write(0, 0, "hidden")
    hidden.visibility = 1
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def ods(rows_repeated: int = 1, columns_repeated: int = 1, shown: bool = True) -> bytes:
    """Return a workbook of LibreOffice with merged cells, a picture, and a hidden sheet."""
    document = OpenDocumentSpreadsheet()
    sheet = Table(name="Preise")
    sheet.addElement(_row([("string", "Name"), ("string", "Preis")]))
    sheet.addElement(_row([("string", "Äpfel"), ("float", 1.5)]))
    merged = TableCell(valuetype="string", numbercolumnsspanned=2)
    merged.addElement(P(text="zusammen"))
    row = TableRow()
    row.addElement(merged)
    row.addElement(CoveredTableCell())
    sheet.addElement(row)
    frame = Frame(width="5cm", height="2cm")
    frame.addElement(Image(href=document.addPicture("a.png", "image/png", picture().read())))
    cell = TableCell()
    cell.addElement(frame)
    row = TableRow()
    row.addElement(cell)
    sheet.addElement(row)
    many = TableRow(numberrowsrepeated=rows_repeated)
    value_type = {"valuetype": "string"} if shown else {}
    cell = TableCell(numbercolumnsrepeated=columns_repeated, **value_type)
    if shown:
        cell.addElement(P(text="x"))
    many.addElement(cell)
    sheet.addElement(many)
    document.spreadsheet.addElement(sheet)
    style = Style(name="hidden", family="table")
    style.addElement(TableProperties(display="false"))
    document.automaticstyles.addElement(style)
    secret = Table(name="Geheim", stylename="hidden")
    secret.addElement(_row([("string", "hidden")]))
    document.spreadsheet.addElement(secret)
    written = io.BytesIO()
    document.write(written)
    return written.getvalue()


def _row(values: list[tuple[str, object]]) -> TableRow:
    row = TableRow()
    for kind, value in values:
        cell = TableCell(valuetype=kind, **({"value": value} if kind == "float" else {}))
        cell.addElement(P(text=str(value)))
        row.addElement(cell)
    return row
