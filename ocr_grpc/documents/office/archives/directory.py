"""The directory of a zip file, read by somebody who believes none of it. Child only.

Zip says everything twice: in a directory at the end and in a header before each member. Programs
differ in what they believe, and hostile files live on that. Here both must agree, members must lie
one after another, and nothing is parsed before its size is known. `zipfile` believes the directory,
and builds it whole before it can be asked.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ocr_grpc.documents.protocol import Failure, ReaderFailure

STORED, DEFLATED = 0, 8
ENCRYPTED_FLAGS = 0x2041
"""Encrypted, strongly encrypted, directory encrypted."""
_SIZES_FOLLOW = 0x0008
_UTF_8 = 0x0800

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_HEADER = struct.Struct("<4s5H3L2H")
_END_MAGIC, _ENTRY_MAGIC, _HEADER_MAGIC = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_MAX_COMMENT = 0xFFFF
_SHORT, _LONG = 0xFFFF, 0xFFFFFFFF
"""Says that the number is too large for its field, and stands in a zip64 field instead."""
_DIRECTORY_BYTES_PER_MEMBER = 1024
"""Office programs need about 100; a directory may have this much for each member allowed."""
_DESCRIPTOR_BYTES = (0, 12, 16, 20, 24)
"""What may stand between a member and the next: its sizes, said once more."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the directory and its own header agree on it; `offset` is where its bytes are."""

    name: str
    flags: int
    method: int
    crc: int
    packed_bytes: int
    unpacked_bytes: int
    offset: int
    mode: int

    @property
    def is_folder(self) -> bool:
        """Return whether it is nothing but a name for others to begin with."""
        return self.name.endswith("/")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member as the directory says; `header` is where its own header is."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_bytes: int
    unpacked_bytes: int
    header: int
    mode: int


def read_directory(file: BinaryIO, max_members: int) -> list[Member]:
    """Return all members, in the order of the directory.

    Raises:
        ReaderFailure: CORRUPT; ARCHIVE_MEMBERS; ARCHIVE_AMBIGUOUS if it can be read in two ways.
    """
    start, size, count = _directory_place(file)
    if count > max_members:
        raise ReaderFailure(Failure.ARCHIVE_MEMBERS, found=count)
    if size > (max_members + 1) * _DIRECTORY_BYTES_PER_MEMBER:
        raise ReaderFailure(Failure.CORRUPT)
    file.seek(start)
    directory = file.read(size)
    entries: list[_Entry] = []
    for entry in _entries(directory):
        entries.append(entry)
        if len(entries) > max_members:
            raise ReaderFailure(Failure.ARCHIVE_MEMBERS, found=len(entries))
    if len(entries) != count:
        raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
    offsets = _data_offsets(file, entries, start)
    return [_member(entry, offsets[entry.header]) for entry in entries]


def _directory_place(file: BinaryIO) -> tuple[int, int, int]:
    """Return where the directory begins, its size in bytes, and how many members it says it has."""
    file_size = file.seek(0, 2)
    tail_start = max(0, file_size - _END.size - _MAX_COMMENT)
    file.seek(tail_start)
    place = tail_start + _end_place(file.read())
    end = _at(file, place, _END)
    _, disk, directory_disk, _, count, size, start, _ = end
    if disk not in (0, _SHORT) or directory_disk not in (0, _SHORT):
        raise ReaderFailure(Failure.CORRUPT)
    locator_place = place - _LOCATOR_64.size
    if locator_place >= _END_64.size and _at(file, locator_place, _LOCATOR_64)[0] == b"PK\6\7":
        place = locator_place - _END_64.size
        magic, *_, count_64, size_64, start_64 = _at(file, place, _END_64)
        agreed = magic == b"PK\6\6" and all(
            said in (true, limit)
            for said, true, limit in (
                (count, count_64, _SHORT),
                (size, size_64, _LONG),
                (start, start_64, _LONG),
            )
        )
        if not agreed:
            raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
        count, size, start = count_64, size_64, start_64
    # Something before or between: some readers shift all offsets by it, others do not.
    if start + size != place:
        raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS if size <= place else Failure.CORRUPT)
    return start, size, count


def _end_place(tail: bytes) -> int:
    """Return where in the last bytes of a file its end record is, if all would find the same."""
    places: list[int] = []
    place = tail.find(_END_MAGIC)
    while place >= 0:
        if place + _END.size <= len(tail):
            places.append(place)
        place = tail.find(_END_MAGIC, place + 1)
    exact = [
        place
        for place in places
        if place + _END.size + int.from_bytes(tail[place + 20 : place + 22], "little") == len(tail)
    ]
    if not places:
        raise ReaderFailure(Failure.CORRUPT)
    # A few bytes behind the end are what a careless gateway leaves, and fool nobody. Two end
    # records are a trick, save for those of an archive that is embedded, which end earlier.
    if len(exact) > 1 or (not exact and len(places) > 1) or (exact and exact[0] != places[-1]):
        raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
    return places[-1]


def _entries(directory: bytes) -> Iterator[_Entry]:
    place = 0
    while place < len(directory):
        if place + _ENTRY.size > len(directory):
            raise ReaderFailure(Failure.CORRUPT)
        magic, _, _, flags, method, _, _, *numbers = _ENTRY.unpack_from(directory, place)
        crc, packed, unpacked, name_bytes, extra_bytes, comment_bytes, _, _, outer, header = numbers
        name_end = place + _ENTRY.size + name_bytes
        if magic != _ENTRY_MAGIC or name_end + extra_bytes + comment_bytes > len(directory):
            raise ReaderFailure(Failure.CORRUPT)
        extra = directory[name_end : name_end + extra_bytes]
        unpacked, packed, header = _wide(extra, unpacked, packed, header)
        yield _Entry(
            raw_name=directory[place + _ENTRY.size : name_end],
            flags=flags,
            method=method,
            crc=crc,
            packed_bytes=packed,
            unpacked_bytes=unpacked,
            header=header,
            mode=outer >> 16,
        )
        place = name_end + extra_bytes + comment_bytes


def _wide(extra: bytes, *numbers: int) -> list[int]:
    """Return numbers with those that are too large for their field taken from the zip64 field."""
    if _LONG not in numbers:
        return list(numbers)
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            field = extra[place + 4 : place + 4 + size]
            wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            # Without a field of its own the number is what it says: 4 GiB less a byte.
            return [next(wide, n) if n == _LONG else n for n in numbers]
        place += 4 + size
    return list(numbers)


def _data_offsets(file: BinaryIO, entries: list[_Entry], directory: int) -> dict[int, int]:
    """Return where each header's data begins, if headers agree and members follow one another."""
    offsets: dict[int, int] = {}
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header):
        if entry.header < end or (entry.header > 0 and end == 0):
            raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
        _refuse_hidden_member(file, end, entry.header)
        offset = _data_offset(file, entry)
        end = offset + entry.packed_bytes
        if end > directory:
            raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
        offsets[entry.header] = offset
    _refuse_hidden_member(file, end, directory)
    return offsets


def _data_offset(file: BinaryIO, entry: _Entry) -> int:
    magic, _, flags, method, _, _, _, packed, unpacked, name_bytes, extra_bytes = _at(
        file, entry.header, _HEADER
    )
    if magic != _HEADER_MAGIC:
        raise ReaderFailure(Failure.CORRUPT)
    said = ((packed, entry.packed_bytes), (unpacked, entry.unpacked_bytes))
    agreed = (
        file.read(name_bytes) == entry.raw_name
        and method == entry.method
        # Zero if the sizes were not known yet; some programs forget to say that they follow.
        and all(here in (0, _LONG, there) for here, there in said)
        and not (flags ^ entry.flags) & ENCRYPTED_FLAGS
    )
    if not agreed:
        raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
    return entry.header + _HEADER.size + name_bytes + extra_bytes


def _refuse_hidden_member(file: BinaryIO, end: int, start: int) -> None:
    """Refuse a member that the directory does not name, between one's end and the next's start."""
    if start - end < _HEADER.size:
        return
    file.seek(end)
    gap = file.read(_DESCRIPTOR_BYTES[-1] + len(_HEADER_MAGIC))
    if any(gap.startswith(_HEADER_MAGIC, place) for place in _DESCRIPTOR_BYTES):
        raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)


def _member(entry: _Entry, offset: int) -> Member:
    try:
        name = entry.raw_name.decode("utf-8" if entry.flags & _UTF_8 else "cp437")
    except UnicodeDecodeError as error:
        raise ReaderFailure(Failure.CORRUPT) from error
    return Member(
        name=name,
        flags=entry.flags,
        method=entry.method,
        crc=entry.crc,
        packed_bytes=entry.packed_bytes,
        unpacked_bytes=entry.unpacked_bytes,
        offset=offset,
        mode=entry.mode,
    )


def _at(file: BinaryIO, place: int, layout: struct.Struct) -> tuple[Any, ...]:
    file.seek(place)
    content = file.read(layout.size)
    if len(content) < layout.size:
        raise ReaderFailure(Failure.CORRUPT)
    return layout.unpack(content)
