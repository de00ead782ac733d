"""The table of contents of an OLE file, the container of Office before 2007. Child only.

Tells only what kind of document it is; what is in it is read by a library.
Source: Microsoft, [MS-CFB] Compound File Binary File Format, sections 2.2 to 2.6.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ocr_grpc.documents.protocol import Failure, ReaderFailure

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER_BYTES = 512
_SECTOR_SHIFTS = (9, 12)
_LISTED_IN_HEADER = 109
_LIST_PLACE = 76
_ENTRY_BYTES = 128
_MAX_DIRECTORY_SECTORS = 4096
"""Office needs one or two; documents with thousands of embedded ones some hundreds."""
_MAX_SECTOR = 0xFFFFFFFA
_STORAGE_OR_STREAM = (1, 2)
_WORKBOOK_BEGINS = b"\x09\x08\x10\x00\x00\x06\x05\x00"
_PASSWORD_RECORD = 0x2F
_RECORDS_BEFORE_PASSWORD = 4
"""It is the second one, or the third if the workbook is protected against being written."""


def stream_names(file: BinaryIO) -> frozenset[str]:
    """Return the names of what lies in the root of an OLE file, not of what is embedded deeper.

    Raises:
        ReaderFailure: CORRUPT.
    """
    directory = _Sectors(file).directory()
    entries = [directory[n : n + _ENTRY_BYTES] for n in range(0, len(directory), _ENTRY_BYTES)]
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [_number(entries[0], 76)] if entries else []
    # The names of a folder are a binary tree, which in a hostile file may be a ring.
    while waiting:
        place = waiting.pop()
        if place in seen or place >= len(entries):
            continue
        seen.add(place)
        entry = entries[place]
        if len(entry) == _ENTRY_BYTES and entry[66] in _STORAGE_OR_STREAM:
            name_bytes = min(struct.unpack_from("<H", entry, 64)[0], 64)
            names.add(entry[:name_bytes].decode("utf-16-le", "replace").rstrip("\0"))
            waiting += [_number(entry, 68), _number(entry, 72)]
    return frozenset(names)


def is_encrypted_workbook(content: bytes) -> bool:
    """Return whether the workbook in an OLE file can only be read with a password.

    The library that reads workbooks says of such a one no more than that it is of no known format.
    Source: Microsoft, [MS-XLS] Excel Binary File Format, sections 2.4.21 and 2.4.117.
    """
    place = content.find(_WORKBOOK_BEGINS)
    for _ in range(_RECORDS_BEFORE_PASSWORD):
        if place < 0 or place + 4 > len(content):
            return False
        kind, size = struct.unpack_from("<2H", content, place)
        if kind == _PASSWORD_RECORD:
            return True
        place += 4 + size
    return False


class _Sectors:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0)
        self._header = file.read(_HEADER_BYTES)
        if len(self._header) < _HEADER_BYTES or not self._header.startswith(MAGIC):
            raise ReaderFailure(Failure.CORRUPT)
        shift = struct.unpack_from("<H", self._header, 30)[0]
        if shift not in _SECTOR_SHIFTS:
            raise ReaderFailure(Failure.CORRUPT)
        self._sector_bytes = 1 << shift
        self._numbers = self._sector_bytes // 4
        self._tables = list(self._table_sectors())

    def directory(self) -> bytes:
        """Return the directory, whose sectors are chained."""
        content: list[bytes] = []
        sector = _number(self._header, 48)
        while sector < _MAX_SECTOR:
            if len(content) == _MAX_DIRECTORY_SECTORS:
                raise ReaderFailure(Failure.CORRUPT)
            content.append(self._sector(sector))
            sector = self._next(sector)
        return b"".join(content)

    def _next(self, sector: int) -> int:
        table, place = divmod(sector, self._numbers)
        if table >= len(self._tables):
            raise ReaderFailure(Failure.CORRUPT)
        return _number(self._sector(self._tables[table]), place * 4)

    def _table_sectors(self) -> Iterator[int]:
        """Yield where the parts of the table of chains are, first from the header."""
        for place in range(_LISTED_IN_HEADER):
            yield _number(self._header, _LIST_PLACE + 4 * place)
        following = _number(self._header, 68)
        for _ in range(_MAX_DIRECTORY_SECTORS):
            if following >= _MAX_SECTOR:
                return
            more = self._sector(following)
            for place in range(self._numbers - 1):
                yield _number(more, 4 * place)
            following = _number(more, 4 * (self._numbers - 1))

    def _sector(self, number: int) -> bytes:
        self._file.seek((number + 1) * self._sector_bytes)
        content = self._file.read(self._sector_bytes)
        if len(content) < self._sector_bytes:
            raise ReaderFailure(Failure.CORRUPT)
        return content


def _number(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 4], "little")
