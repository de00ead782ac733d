"""Sheets become pages with a table, as people see them, however far apart their cells are."""

import io
from collections.abc import Callable
from dataclasses import replace

import openpyxl
import pytest
from openpyxl.drawing.image import Image

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.detect import detect
from ocr_grpc.documents.office.pages import WrittenPages
from ocr_grpc.documents.office.sheets.workbook import open_sheets
from ocr_grpc.documents.protocol import MAX_WRITTEN_CHARACTERS, ReaderFailure
from ocr_grpc.model import TextFormat
from tests.documents.conftest import opening
from tests.documents.office import sheet_samples as samples
from tests.documents.office.archive_samples import zipped


def opened(content: bytes, scratch: io.BytesIO | None = None, **limits: int) -> WrittenPages:
    asked = replace(opening(io.BytesIO(content), None, **limits), scratch=scratch)
    archive = Archive(asked.file, asked.limits) if content.startswith(b"PK") else None
    return open_sheets(asked, detect(asked, archive), archive)


def text(document: WrittenPages, page: int = 0, *, markdown: bool = True) -> str:
    segments = document.structured(page, markdown)["segments"]
    return "".join(part if isinstance(part, str) else f"[{part[1]}]" for part in segments)


def rows(document: WrittenPages, page: int = 0) -> list[list[str]]:
    lines = text(document, page, markdown=False).splitlines()
    return [line.split("\t") for line in lines[2:] if line]


def values(workbook: openpyxl.Workbook) -> None:
    sheet = workbook.active
    sheet.title = "Prices"
    for row in (samples.HEADER, samples.VALUES):
        sheet.append(row)


def test_values_are_shown_as_people_see_them():
    document = opened(samples.xlsx(values))
    assert document.kind is DocumentKind.XLSX
    assert document.page_count == 1
    assert rows(document) == [samples.HEADER, samples.SHOWN]
    assert text(document).splitlines() == [
        "## Prices",
        "",
        "| name | count | price | day | moment | clock | lasted | true |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| Ann \\| Bob | 3 | 0.3 | 2024-02-29 | 2024-02-29 13:05:07 | 08:30:00 | 30:05:00 | TRUE |",
    ]


def test_results_of_formulas_are_shown_and_so_are_errors():
    def fill(workbook) -> None:
        sheet = workbook.add_worksheet("Sums")
        sheet.write_formula("A1", "=1+1", None, 2)
        sheet.write_formula("B1", "=1/0", None, "#DIV/0!")
        sheet.write_formula("C1", '="a"', None, "a")
        sheet.write_boolean("D1", False)

    assert rows(opened(samples.xlsx_with_results(fill))) == [["2", "#DIV/0!", "a", "FALSE"]]


def test_each_visible_sheet_is_a_page_in_the_order_of_the_workbook():
    def fill(workbook: openpyxl.Workbook) -> None:
        workbook.active.title = "b"
        workbook.active["A1"] = "first"
        hidden = workbook.create_sheet("hidden")
        hidden["A1"] = "secret"
        hidden.sheet_state = "veryHidden"
        workbook.create_chartsheet("chart")
        workbook.create_sheet("empty")
        workbook.create_sheet("a # `1`")["A1"] = "last"

    document = opened(samples.xlsx(fill))
    assert document.page_count == 3
    assert [text(document, page) for page in range(3)] == [
        "## b\n\n| first |\n| --- |\n",
        "",
        "## a # \\`1\\`\n\n| last |\n| --- |\n",
    ]
    assert document.inspect(1, 0)["blank"]
    assert not document.inspect(2, 0)["blank"]


def test_empty_rows_and_columns_are_left_out_and_merged_cells_are_shown_once():
    def fill(workbook: openpyxl.Workbook) -> None:
        sheet = workbook.active
        sheet["C4"], sheet["F4"], sheet["F9"] = "a", "b", "merged\nof two"
        sheet.merge_cells("F9:H12")

    assert rows(opened(samples.xlsx(fill))) == [["a", "b"], ["", "merged of two"]]


def test_a_cell_in_the_last_corner_costs_nothing():
    def fill(workbook: openpyxl.Workbook) -> None:
        sheet = workbook.active
        sheet["A1"], sheet["XFD1048576"], sheet["B7"] = "first", "last", "#N/A"

    assert rows(opened(samples.xlsx(fill))) == [["first"], ["", "#N/A"], ["", "", "last"]]


def test_more_cells_than_a_reader_can_hold_are_refused():
    def fill(workbook: openpyxl.Workbook) -> None:
        for place in range(1, 4000):
            workbook.active.cell(place, place, 1)

    with pytest.raises(ReaderFailure, match="memory"):
        opened(samples.xlsx(fill))


def test_a_long_text_in_very_many_cells_is_refused():
    def fill(workbook) -> None:
        sheet = workbook.add_worksheet()
        for row in range(10_000):
            sheet.write(row, 0, "x" * 32_000)

    with pytest.raises(ReaderFailure, match="memory"):
        opened(samples.xlsx_with_results(fill))


def test_a_long_sheet_goes_on_on_further_pages_with_its_header():
    def fill(workbook) -> None:
        sheet = workbook.add_worksheet("long")
        for row in range(9000):
            sheet.write_row(row, 0, ["number", "text"] if row == 0 else [row, "x" * 50])

    content = samples.xlsx_with_results(fill)
    document = opened(content)
    assert document.page_count == 3
    read = [rows(document, page) for page in range(3)]
    assert all(page[0] == ["number", "text"] for page in read)
    assert [int(row[0]) for page in read for row in page[1:]] == list(range(1, 9000))
    for page in range(3):
        assert text(document, page).startswith("## long\n\n| number | text |\n| --- | --- |\n| ")
        assert len(text(document, page)) <= MAX_WRITTEN_CHARACTERS
    with pytest.raises(ReaderFailure) as refused:
        opened(content, max_pages=2)
    assert refused.value.fields == {"found": 3}


def test_a_row_longer_than_a_page_is_not_cut_off():
    def fill(workbook) -> None:
        sheet = workbook.add_worksheet("wide")
        for column in range(10):
            sheet.write(0, column, "h")
            sheet.write(1, column, chr(ord("a") + column) * 32_000)

    document = opened(samples.xlsx_with_results(fill))
    everything = "".join(text(document, page) for page in range(document.page_count))
    assert all(everything.count(letter * 1000) >= 31 for letter in "abcdefgj")


def test_a_table_of_thousands_of_columns_is_lines():
    def fill(workbook) -> None:
        sheet = workbook.add_worksheet("wide")
        for row in range(3):
            sheet.write_row(row, 0, range(16_384))

    document = opened(samples.xlsx_with_results(fill))
    assert "| --- |" not in text(document)
    assert sum(len(rows(document, page)) for page in range(document.page_count)) == 3


def test_pictures_come_after_the_table_from_the_top():
    def fill(workbook: openpyxl.Workbook) -> None:
        sheet = workbook.active
        sheet["A1"] = "a"
        for place, color in (("A20", "red"), ("C5", "blue"), ("A5", "green")):
            sheet.add_image(Image(samples.picture(color)), place)

    content = samples.xlsx(fill)
    document = opened(content)
    assert text(document) == "## Sheet\n\n| a |\n| --- |\n\n[False]\n\n[False]\n\n[False]\n"
    numbers = [part[0] for part in document.structured(0, True)["segments"] if part[0:1] != "#"]
    pictures = [document._picture(n) for n in numbers if isinstance(n, int)]
    assert pictures == [samples.picture(color).read() for color in ("green", "blue", "red")]


def test_workbooks_of_1997_are_read():
    document = opened(samples.xls())
    assert document.kind is DocumentKind.XLS
    assert document.page_count == 1
    assert rows(document) == [samples.HEADER[:4], samples.SHOWN[:4]]


def test_workbooks_with_a_password_are_told():
    with pytest.raises(ReaderFailure, match="encrypted"):
        opened(samples.locked_xls())


def test_workbooks_of_libre_office_are_read_with_their_pictures():
    document = opened(samples.ods(rows_repeated=3, columns_repeated=2))
    assert document.kind is DocumentKind.ODS
    assert document.page_count == 1
    assert text(document) == (
        "## Preise\n\n| Name | Preis |\n| --- | --- |\n| Äpfel | 1.5 |\n| zusammen |\n"
        "| x | x |\n| x | x |\n| x | x |\n\n[False]\n"
    )
    number = document.structured(0, True)["segments"][1][0]
    assert document._picture(number) == samples.picture().read()


def test_cells_that_stand_for_a_million_are_refused_but_not_empty_ones():
    with pytest.raises(ReaderFailure, match="memory"):
        opened(samples.ods(1_000_000, 16_384))
    with pytest.raises(ReaderFailure, match="memory"):
        opened(samples.ods(1_000_000, 50))
    empty = opened(samples.ods(1_000_000, 16_384, shown=False))
    assert rows(empty)[1:3] == [["Äpfel", "1.5"], ["zusammen"]]


def test_the_next_reader_finds_the_pages_in_the_scratch_file():
    content = samples.xlsx(values)
    scratch = io.BytesIO()
    before = text(opened(content, scratch))
    scratch.seek(0)
    kept = scratch.getvalue().replace(b"2024-02-29 13:05:07", b"2024-02-29 14:05:07")
    assert text(opened(content, io.BytesIO(kept))) == before.replace("13:05", "14:05")
    for wrong in (kept[:-1], kept[: len(kept) // 2], b"\0" * 100):
        assert text(opened(content, io.BytesIO(wrong))) == before


def test_damaged_workbooks_are_told():
    content = samples.xls()
    for cut in (content[: len(content) // 2], content[:1600]):
        with pytest.raises(ReaderFailure):
            opened(cut)
    with pytest.raises(ReaderFailure, match="doctype"):
        opened(hostile(b"<!DOCTYPE a [<!ENTITY b 'c'>]>"))
    with pytest.raises(ReaderFailure, match="corrupt"):
        opened(hostile(b"<"))


def hostile(prolog: bytes) -> bytes:
    """Return a workbook whose sheet begins with `prolog`."""
    honest = Archive(io.BytesIO(samples.xlsx(values)), opening(io.BytesIO(), None).limits)
    sheet = "xl/worksheets/sheet1.xml"
    members = {name: honest.read(name) for name in honest.names}
    return zipped({**members, sheet: prolog + members[sheet]})


async def test_a_workbook_is_read_in_a_reader_process(
    pool: Callable[..., object], file: Callable[[bytes], object]
):
    started = await pool()
    for content, kind in (
        (samples.xlsx(values), DocumentKind.XLSX),
        (samples.xls(), DocumentKind.XLS),
        (samples.ods(), DocumentKind.ODS),
    ):
        document = await started.open(file(content))
        assert document.kind is kind
        page = await document.structured_page(1, TextFormat.MARKDOWN)
        assert page.segments[0].startswith("## Pr")
        await document.close()


def test_a_time_that_is_nearly_midnight_is_a_date():
    def hourly(workbook: openpyxl.Workbook) -> None:
        workbook.active.append(["at", "what"])
        hour = workbook.active["A2"]
        hour.value, hour.number_format = 45352.9999999999, "yyyy-mm-dd hh:mm:ss"
        workbook.active["B2"] = "soft\u00adly"

    assert rows(opened(samples.xlsx(hourly)))[-1] == ["2024-03-02", "softly"]
