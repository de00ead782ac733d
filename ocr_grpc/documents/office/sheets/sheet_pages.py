"""Pages of rows and cells, as of workbooks and CSV, cut where they grow too long. Child only."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office.kept_pages import KeptPages
from ocr_grpc.documents.office.pages import Segment, WrittenPages
from ocr_grpc.documents.office.sheets.markdown_tables import (
    escaped,
    on_one_line,
    pipe_row,
    pipe_table,
    tabbed,
)
from ocr_grpc.documents.protocol import MAX_WRITTEN_CHARACTERS

_ROOM = MAX_WRITTEN_CHARACTERS - 1000
"""For the rows of a page, in characters; the rest is for the sheet's name and empty lines."""
_MAX_NAME = 200
_RULE = " --- |"
_EMPTY_CELL = "  |"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What becomes one page, or several.

    Attributes:
        name: empty if it has none.
        rows: without empty ones at the end; a row is without empty cells at the end.
        width: the length of the longest row.
        pictures: the numbers of its pictures, which come after the rows.
    """

    name: str
    rows: Iterable[list[str]]
    width: int
    pictures: list[int] = field(default_factory=list[int])


class SheetPages(WrittenPages):
    """Sheets as pages, read once and then kept in the scratch file."""

    def __init__(self, opening: Opening, kind: DocumentKind) -> None:
        """Read the sheets, unless an earlier reader has.

        Raises:
            ReaderFailure: they cannot be read, or make too many pages.
        """
        self._pages = KeptPages(opening.scratch, opening.limits.max_pages)
        if not self._pages.complete:
            for sheet in self._sheets(opening):
                for page in _pages_of(sheet):
                    self._pages.append(page)
            if not len(self._pages):
                self._pages.append(_page("", [], table=True))
            self._pages.finish()
        super().__init__(opening, kind, len(self._pages))

    @abstractmethod
    def _sheets(self, opening: Opening) -> Iterator[Sheet]:
        """Yield the sheets in their order; each one's rows are read before the next is asked for.

        Called before the document is complete: only what a subclass has set itself is there.
        """

    def _segments(self, page: int, markdown: bool) -> Iterable[Segment]:
        kept = self._pages[page]
        rows: list[list[str]] = kept["rows"]
        pictures: list[int] = kept["pictures"]
        text = pipe_table(rows) if markdown and kept["table"] else tabbed(rows)
        if kept["name"] and (rows or pictures):
            name = f"## {escaped(kept['name'])}" if markdown else on_one_line(kept["name"])
            text = f"{name}\n\n{text}" if text else f"{name}\n"
        yield text
        for number in pictures:
            yield "\n"
            yield number, False
            yield "\n"


def _pages_of(sheet: Sheet) -> Iterator[dict[str, Any]]:
    """Cut a sheet into pages that fit, with the header on each of them."""
    rows = iter(sheet.rows)
    header: list[str] = next(rows, list[str]())
    header_size = len(pipe_row(header)) + 2 + sheet.width * (len(_RULE) + len(_EMPTY_CELL))
    # What has thousands of columns is no table any more: nothing would be left for its rows.
    table = header_size < _ROOM // 2
    if not table:
        header_size, rows, header = 0, _chain(header, rows), []
    page, size = ([header] if header else []), header_size
    for row in rows:
        row_size = len(pipe_row(row)) + 1
        if size + row_size > _ROOM and len(page) > (1 if header else 0):
            yield _page(sheet.name, page, table=table)
            page, size = ([header] if header else []), header_size
        if size + row_size > _ROOM:
            yield from _pages_of_long_row(sheet.name, row)
            continue
        page.append(row)
        size += row_size
    yield _page(sheet.name, page, table=table, pictures=sheet.pictures)


def _pages_of_long_row(name: str, row: list[str]) -> Iterator[dict[str, Any]]:
    text = tabbed([row])
    for start in range(0, len(text), _ROOM):
        yield _page(name, [text[start : start + _ROOM].split("\t")], table=False)


def _page(
    name: str, rows: list[list[str]], *, table: bool, pictures: list[int] | None = None
) -> dict[str, Any]:
    return {"name": name[:_MAX_NAME], "rows": rows, "table": table, "pictures": pictures or []}


def _chain(first: list[str], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest
