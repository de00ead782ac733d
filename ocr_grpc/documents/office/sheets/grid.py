"""Makes far-away cells harmless: calamine allocates the rectangle around all cells. Child only.

One value in the last cell of a sheet of Excel makes that 17 billion cells, and a library that
cannot allocate ends its process. Such sheets are squeezed: empty rows and columns, which are not
shown anyway, are taken out before it sees them.
"""

import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat

from ocr_grpc.documents.protocol import Failure, ReaderFailure

MAX_CELLS = 10_000_000
"""Of 32 bytes each, twice while they are converted: 640 MB of the reader's 2 GiB."""
MAX_PART_BYTES = 384 * 1024 * 1024
"""What a sheet may have unpacked, as its text is held in memory."""

_SLICE_BYTES = 16 * 1024 * 1024
_OVERLAP_BYTES = 256
_COLUMN = re.compile(rb"""<(?:\w+:)?c\s[^<>]{0,200}?\br\s*=\s*["']([A-Za-z]{1,9})\d""")
_BEYOND_Z = re.compile(rb"""r\s*=\s*["'][A-Za-z]{2}""")
_ROW = re.compile(rb"""<(?:\w+:)?row\s[^<>]{0,200}?\br\s*=\s*["'](\d{1,12})["']""")
_CELL = re.compile(
    rb"""(<(?:\w+:)?c\s[^<>]*?\br\s*=\s*["'])([A-Za-z]{1,9})(\d{1,12})(["'][^<>]*>)"""
)
_EMPTY_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]*/>")
_ROW_NUMBER = re.compile(rb"""(<(?:\w+:)?row\s[^<>]*?)\br\s*=\s*["']\d+["']""")
_UNTYPED_CELL = re.compile(rb"(<table:table-cell)((?:\s(?:(?!value-type)[^<>/])*)?>\s*<text:p)")
_ERROR = re.compile(rb"""(<(?:\w+:)?c\s[^<>]*?\bt=)(["'])e\2""")


def prepared(content: bytes) -> bytes | None:
    """Return a sheet of XLSX with its errors as texts and its cells close together.

    Returns:
        None if it can stay as it is.

    Raises:
        ReaderFailure: MEMORY if it has too many cells for this all the same.
    """
    if len(content) > MAX_PART_BYTES:
        raise ReaderFailure(Failure.MEMORY)
    changed = content
    # calamine has no words for errors; as texts they are shown as they are.
    if b't="e"' in content or b"t='e'" in content:
        changed = _ERROR.sub(rb"\1\2str\2", content)
    if _last_row(content) * _last_column(content) > MAX_CELLS:
        changed = _squeezed(changed)
    return None if changed is content else changed


def with_text_cells(content: bytes) -> bytes:
    """Return `content.xml` of ODS with the type of text for cells that have text and no type.

    Programs that make them so are many, office programs show them, and calamine does not.
    """
    return _UNTYPED_CELL.sub(rb'\1 office:value-type="string"\2', content)


def _last_row(content: bytes) -> int:
    rows = (int(row) for each in _slices(content) for row in _ROW.findall(each))
    # Rows need not be numbered if their cells are.
    last = content.rfind(b"<c ")
    cell = _CELL.search(content, last) if last >= 0 else None
    return max(max(rows, default=1), int(cell[3]) if cell else 1)


def _last_column(content: bytes) -> int:
    if not _BEYOND_Z.search(content):
        return 26
    letters = {name for each in _slices(content) for name in set(_COLUMN.findall(each))}
    return max(map(_column_number, letters), default=1)


def _squeezed(content: bytes) -> bytes:
    content = _ROW_NUMBER.sub(rb"\1", _EMPTY_CELL.sub(b"", content))
    row_numbers: set[int] = set()
    column_numbers: set[int] = set()
    for cell in _CELL.finditer(content):
        column_numbers.add(_column_number(cell[2]))
        row_numbers.add(int(cell[3]))
    if len(row_numbers) * len(column_numbers) > MAX_CELLS:
        raise ReaderFailure(Failure.MEMORY)
    columns = {number: _letters(n) for n, number in enumerate(sorted(column_numbers), 1)}
    rows = {number: b"%d" % n for n, number in enumerate(sorted(row_numbers), 1)}
    return _CELL.sub(
        lambda cell: cell[1] + columns[_column_number(cell[2])] + rows[int(cell[3])] + cell[4],
        content,
    )


def _slices(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _SLICE_BYTES):
        yield content[start : start + _SLICE_BYTES + _OVERLAP_BYTES]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _letters(number: int) -> bytes:
    letters = b""
    while number:
        number, place = divmod(number - 1, 26)
        letters = bytes((65 + place,)) + letters
    return letters


class OpenDocumentGrid:
    """How many cells calamine would allocate for a workbook of ODS, and where its pictures are.

    There a cell may say that it stands for a million of the same kind.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Look through `content.xml`.

        Raises:
            ReaderFailure: MEMORY if there are too many cells; CORRUPT.
        """
        self.pictures: dict[str, list[str]] = {}
        """The members with the pictures of each sheet by its name."""
        self._sheet = ""
        self._cells = self._rows = self._width = 0
        self._row_repeats = self._row_width = self._row_filled = 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            for chunk in chunks:
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise ReaderFailure(Failure.CORRUPT) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name in {"table-cell", "covered-table-cell"}:
            self._row_width += _repeats(attributes, "table:number-columns-repeated")
            if "office:value-type" in attributes:
                self._row_filled = self._row_width
        elif name == "p":
            self._row_filled = self._row_width
        elif name == "table-row":
            self._row_width = self._row_filled = 0
            self._row_repeats = _repeats(attributes, "table:number-rows-repeated")
        elif name == "table":
            self._sheet = attributes.get("table:name", "")
            self._rows = self._width = 0
        elif name == "image" and "xlink:href" in attributes:
            self.pictures.setdefault(self._sheet, []).append(attributes["xlink:href"])

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "table-row":
            # Empty rows between others are allocated, empty ones at the end are not.
            self._rows += self._row_repeats
            if self._row_filled:
                self._width = max(self._width, self._row_filled)
                self._cells = max(self._cells, self._rows * self._width)
                if self._cells > MAX_CELLS:
                    raise ReaderFailure(Failure.MEMORY)


def _repeats(attributes: dict[str, str], name: str) -> int:
    repeats = attributes.get(name, "1")
    return int(repeats) if repeats.isascii() and repeats.isdigit() and len(repeats) < 10 else 1
