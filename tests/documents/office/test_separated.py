"""CSV of all the kinds that programs write becomes a table, and loses nothing."""

import io

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.office.detect import detect
from ocr_grpc.documents.office.pages import WrittenPages
from ocr_grpc.documents.office.sheets.separated import open_separated
from ocr_grpc.documents.protocol import MAX_WRITTEN_CHARACTERS, ReaderFailure
from ocr_grpc.model import TextFormat
from tests.documents.conftest import opening

TABLE = [["name", "town", "price"], ["Jürgen", "Köln", "1,5"], ["Käthe", "Gütersloh", "2,5"]]


def opened(content: bytes, ending: str = "csv", **limits: int) -> WrittenPages:
    asked = opening(io.BytesIO(content), None, ending, **limits)
    return open_separated(asked, detect(asked, None))


def text(document: WrittenPages, page: int = 0, *, markdown: bool = False) -> str:
    return "".join(document.structured(page, markdown)["segments"])


def rows(content: str | bytes, ending: str = "csv") -> list[list[str]]:
    encoded = content.encode() if isinstance(content, str) else content
    return [line.split("\t") for line in text(opened(encoded, ending)).splitlines()]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_delimiter_line_break_and_encoding_is_found(
    delimiter: str, line_break: str, encoding: str
):
    lines = [delimiter.join(f'"{value}"' for value in row) for row in TABLE]
    content = (line_break.join(lines) + line_break).encode(encoding)
    assert rows(content) == TABLE
    assert opened(content).kind is (DocumentKind.TSV if delimiter == "\t" else DocumentKind.CSV)


def test_markdown_is_a_table_and_plain_text_has_tabs():
    document = opened(b"a,b\n1|2,*x*\n")
    assert text(document, markdown=True) == "| a | b |\n| --- | --- |\n| 1\\|2 | \\*x\\* |\n"
    assert text(document) == "a\tb\n1|2\t*x*\n"


def test_quotes_line_breaks_in_values_and_ragged_rows_are_read():
    content = 'a,b\n"x, ""y""\nz",1\n\nonly\n1,2,3,,,\n'
    assert rows(content) == [["a", "b"], ['x, "y" z', "1"], ["only"], ["1", "2", "3"]]
    markdown = text(opened(content.encode()), markdown=True)
    assert markdown.splitlines()[0] == "| a | b |  |"


def test_a_decimal_comma_is_no_delimiter():
    assert rows("a;b\n1,5;2,5\n3,5;4,5\n") == [["a", "b"], ["1,5", "2,5"], ["3,5", "4,5"]]


def test_a_decimal_comma_is_no_delimiter_without_a_header_either():
    assert rows("1,5;2,5\n3,5;4,5\n") == [["1,5", "2,5"], ["3,5", "4,5"]]


def test_what_excel_states_in_the_first_line_is_believed():
    assert rows("sep=;\na;b,c\n") == [["a", "b,c"]]


def test_one_value_a_line_is_a_column():
    assert rows("one\ntwo, or so\nthree\n") == [["one"], ["two, or so"], ["three"]]


def test_a_quote_that_never_ends_swallows_nothing():
    lines = [f"{n},{'x' * 90}" for n in range(20_000)]
    lines[2] = '2,"oops'
    document = opened("\n".join(lines).encode())
    everything = "".join(text(document, page) for page in range(document.page_count))
    assert all(f"{n}\t" in everything for n in range(0, 20_000, 999))


def test_a_long_file_goes_on_on_further_pages_with_its_header():
    content = "number,text\n" + "".join(f"{n},{'x' * 50}\n" for n in range(9000))
    document = opened(content.encode())
    assert document.page_count == 3
    pages = [text(document, page).splitlines() for page in range(3)]
    assert all(page[0] == "number\ttext" for page in pages)
    numbers = [int(line.split("\t")[0]) for page in pages for line in page[1:]]
    assert numbers == list(range(9000))
    longest = max(len(text(document, page, markdown=True)) for page in range(3))
    assert longest <= MAX_WRITTEN_CHARACTERS
    with pytest.raises(ReaderFailure, match="too_many_pages"):
        opened(content.encode(), max_pages=2)


def test_an_empty_file_is_a_blank_page():
    document = opened(b"\n\n")
    assert document.page_count == 1
    assert document.inspect(0, 0)["blank"]


async def test_a_csv_file_is_read_in_a_reader_process(pool, file):
    started = await pool()
    document = await started.open(file(b"a,b,c\n1,2,3\n4,5,6\n"))
    assert document.kind is DocumentKind.CSV
    page = await document.structured_page(1, TextFormat.PLAIN)
    assert page.segments == ("a\tb\tc\n1\t2\t3\n4\t5\t6\n",)
    await document.close()
