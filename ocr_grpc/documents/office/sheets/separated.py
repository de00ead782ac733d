"""CSV and its kin: values with a sign between them. Child only."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import encodings
from ocr_grpc.documents.office.sheets.sheet_pages import Sheet, SheetPages
from ocr_grpc.documents.protocol import Failure, ReaderFailure

ENDINGS = frozenset(("csv", "tsv", "tab"))
"""The endings of file names that say so."""

_DELIMITERS = "\t;|,"
"""The likeliest first, if lines agree on several: commas also stand inside of numbers and texts."""
_SAMPLE_RECORDS = 100
_SAMPLE_CHARACTERS = 64 * 1024
_MIN_RECORDS = 3
_MIN_FIELDS = 3
_MAX_MEAN_CHARACTERS = 50
_MAX_FIELD_CHARACTERS = 1024 * 1024
"""A longer field is a quote that never ends: then quotes mean nothing."""
_STATED = re.compile(r"sep=([^\n\"\w])\n", re.IGNORECASE)
"""What Excel writes before the first line, and reads."""


def open_separated(opening: Opening, kind: DocumentKind) -> "SeparatedPages":
    """Open a CSV or TSV file.

    Raises:
        ReaderFailure: it is no text, or has too many pages.
    """
    return SeparatedPages(opening, kind)


def delimiter_of(text: str, *, sure: bool) -> str | None:
    """Return what stands between the values of a text.

    Args:
        text: with line breaks of one character.
        sure: wants all lines to agree, and to look like values: for texts that may be prose.

    Returns:
        None if it has one value a line, or is not sure to have any.
    """
    stated = _STATED.match(text)
    if stated:
        return stated[1]
    sample = text[:_SAMPLE_CHARACTERS]
    if len(sample) < len(text) and "\n" in sample:
        sample = sample[: sample.rfind("\n") + 1]
    best, most_agreeing = None, 0
    for delimiter in _DELIMITERS:
        records = [row for row in islice(_records(sample, delimiter), _SAMPLE_RECORDS) if any(row)]
        fields, agreeing = _most_common_length(records)
        split = sum(len(record) > 1 for record in records)
        if split * 2 <= len(records) or (
            sure and not _looks_like_values(records, fields, delimiter)
        ):
            continue
        if agreeing > most_agreeing:
            best, most_agreeing = delimiter, agreeing
    return best


class SeparatedPages(SheetPages):
    """A CSV file, which is one sheet without a name."""

    def _sheets(self, opening: Opening) -> Iterator[Sheet]:
        opening.file.seek(0)
        text = encodings.decode(opening.file.read())
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        delimiter = delimiter_of(text, sure=False) or "\0"
        start = stated.end() if (stated := _STATED.match(text)) else 0
        width = max(map(len, _rows(text, start, delimiter)), default=0)
        yield Sheet("", _rows(text, start, delimiter), width)

    def _picture(self, number: int) -> bytes:
        raise ReaderFailure(Failure.BROKEN)


def _rows(text: str, start: int, delimiter: str) -> Iterator[list[str]]:
    """Yield the records that have a value, without what is empty at their ends."""
    for record in _records(text, delimiter, start):
        row = [value.strip() for value in record]
        while row and not row[-1]:
            row.pop()
        if row:
            yield row


def _records(text: str, delimiter: str, start: int = 0) -> Iterator[list[str]]:
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    lines = _Lines(text, start)
    reader = csv.reader(lines, delimiter=delimiter)
    good = start
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            break
        good = lines.place
        yield record
    for line in _Lines(text, good):
        yield line.rstrip("\n").split(delimiter)


class _Lines(Iterator[str]):
    """The lines of a text one by one; `place` is where the next one begins."""

    def __init__(self, text: str, place: int) -> None:
        self._text = text
        self.place = place

    def __next__(self) -> str:
        if self.place >= len(self._text):
            raise StopIteration
        end = self._text.find("\n", self.place) + 1 or len(self._text)
        line = self._text[self.place : end]
        self.place = end
        return line


def _most_common_length(records: list[list[str]]) -> tuple[int, int]:
    """Return how many fields most records have that have more than one, and how many do."""
    lengths = Counter(len(record) for record in records if len(record) > 1)
    return max(lengths.items(), key=lambda each: (each[1], each[0]), default=(0, 0))


def _looks_like_values(records: list[list[str]], fields: int, delimiter: str) -> bool:
    """Return whether records are of one length, and short values rather than prose or a drawing."""
    if len(records) < _MIN_RECORDS or any(len(record) != fields for record in records):
        return False
    if delimiter == "\t":
        return True
    later = [value for record in records for value in record[1:]]
    after_space = sum(value.startswith(" ") for value in later)
    mean = sum(len(value) for record in records for value in record) / (len(records) * fields)
    drawn = delimiter == "|" and any(not record[0].strip() for record in records)
    return (
        fields >= _MIN_FIELDS
        and after_space * 5 <= len(later)
        and mean <= _MAX_MEAN_CHARACTERS
        and not drawn
    )
