"""Keeps a long text that a million cells share from becoming a million long texts. Child only.

XLSX stores each text once, and cells name it by its number; calamine gives every cell its own copy.
"""

import re

from ocr_grpc.documents.protocol import Failure, ReaderFailure

MAX_SHEET_TEXT_BYTES = 256 * 1024 * 1024
"""Of all cells of a sheet; more would make some 1,500 pages of it."""

_SHARED = re.compile(rb"""\bt=["']s["'][^<>]*>\s*<(?:\w+:)?v>(\d{1,7})<""")
_TEXT_ENDS = re.compile(rb"</(?:\w{1,20}:)?si>")


class SharedTexts:
    """How long the texts are that cells share, markup included."""

    def __init__(self, part: bytes) -> None:
        """Look through `xl/sharedStrings.xml`, which may be empty."""
        ends = [match.end() for match in _TEXT_ENDS.finditer(part)]
        self._lengths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        self._longest = max(self._lengths, default=0)

    def check(self, sheet: bytes) -> None:
        """Refuse a sheet whose cells have too much text.

        Raises:
            ReaderFailure: MEMORY.
        """
        # The number of cells is quickly bounded, and enough to know for nearly all workbooks.
        if sheet.count(b"<v>") * self._longest <= MAX_SHEET_TEXT_BYTES:
            return
        numbers = map(int, _SHARED.findall(sheet))
        known = len(self._lengths)
        if sum(self._lengths[n] for n in numbers if n < known) > MAX_SHEET_TEXT_BYTES:
            raise ReaderFailure(Failure.MEMORY)
