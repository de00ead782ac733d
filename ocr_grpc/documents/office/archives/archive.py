"""Zip containers opened with suspicion: DOCX, XLSX, PPTX, ODT, ODS, EPUB. Child only.

Everything is checked that can be without unpacking, and unpacking stops at the size a member says
it has. The libraries that read a kind of document get a new archive with only what was checked, so
that it does not matter what they would have made of the old one.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import BinaryIO

from ocr_grpc.documents.family import ReaderLimits
from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.archives.directory import (
    DEFLATED,
    ENCRYPTED_FLAGS,
    STORED,
    Member,
    read_directory,
)
from ocr_grpc.documents.office.archives.members import (
    SNIFFED_BYTES,
    is_archive,
    is_read,
    may_be_archive,
)
from ocr_grpc.documents.protocol import Failure, ReaderFailure

_CHUNK_BYTES = 256 * 1024
_RATIO_FREE_BYTES = 1024 * 1024
"""Smaller members may be packed as tightly as they like: empty pages and white pictures are."""
_NO_PARTS: Mapping[str, bytes] = {}
_EPUB = b"application/epub+zip"
MANIFEST = "META-INF/manifest.xml"
"""Says in OpenDocument what there is, and what is encrypted."""


class Archive:
    """A zip container whose directory has been checked. Reads from `file`, and never writes."""

    def __init__(self, file: BinaryIO, limits: ReaderLimits) -> None:
        """Check the container; `file` stays the caller's to close.

        Raises:
            ReaderFailure: it is damaged, encrypted, too large or unsafe.
        """
        self._file = file
        self._members: dict[str, Member] = {}
        members = read_directory(file, limits.max_archive_members)
        _refuse_too_much(members, limits)
        known: set[str] = set()
        for member in members:
            _refuse_unsafe(member)
            if member.is_folder:
                continue
            # Office looks parts up without regard to case; pictures of books may differ by it.
            key = str(PurePosixPath(member.name))
            key = key.casefold() if is_read(member.name, book=True) else key
            if key in known:
                raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
            known.add(key)
            self._members[member.name] = member
        for member in self._members.values():
            if not may_be_archive(member.name) and is_archive(self._beginning(member)):
                raise ReaderFailure(Failure.ARCHIVE_NESTED)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all members that are no folders, in the order of the directory."""
        return tuple(self._members)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a member of that name."""
        return name in self._members

    def read(self, name: str) -> bytes:
        """Return the content of a member.

        Raises:
            ReaderFailure: CORRUPT if there is none of that name, or it is damaged;
                ARCHIVE_AMBIGUOUS if it unpacks to more than it says.
        """
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member in pieces; see `read`."""
        if name not in self._members:
            raise ReaderFailure(Failure.CORRUPT)
        return self._chunks(self._members[name])

    def size_bytes(self, name: str) -> int:
        """Return the size of a member unpacked, 0 if there is none of that name."""
        member = self._members.get(name)
        return member.unpacked_bytes if member else 0

    def without_media(self, replaced: Mapping[str, bytes] = _NO_PARTS) -> bytes:
        """Return the container anew, with its markup and nothing else, for other libraries to read.

        All other members are there, but empty: their names are in relations that are followed.

        Args:
            replaced: what to write for members of these names, whatever they are.

        Raises:
            ReaderFailure: as from `read`, and DOCTYPE if a part of markup has one.
        """
        kind = self._beginning(self._members["mimetype"]) if "mimetype" in self else b""
        book = kind.strip() == _EPUB
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            # EPUB and ODF want it first and stored, so that it can be seen from outside.
            if "mimetype" in self:
                archive.writestr("mimetype", self.read("mimetype"), zipfile.ZIP_STORED)
            for name, member in self._members.items():
                if name == "mimetype":
                    continue
                if is_read(name, book=book):
                    # Old OpenOffice wrote the name of a DTD into its manifest.
                    lenient = book or name == MANIFEST
                    large = member.unpacked_bytes >= zipfile.ZIP64_LIMIT  # pandoc knows no ZIP64
                    with archive.open(name, "w", force_zip64=large) as part:
                        chunks = [replaced[name]] if name in replaced else self._chunks(member)
                        for chunk in xml.without_doctype(chunks, lenient=lenient):
                            part.write(chunk)
                else:
                    archive.writestr(name, replaced.get(name, b""))
        return written.getvalue()

    def close(self) -> None:
        """Forget the members; the file is the caller's to close."""
        self._members.clear()

    def _beginning(self, member: Member) -> bytes:
        """Return the first `SNIFFED_BYTES` of a member, or all of it; its checksum stays unread."""
        self._file.seek(member.offset)
        packed = self._file.read(min(member.packed_bytes, 2 * SNIFFED_BYTES))
        if member.method == STORED:
            return packed[:SNIFFED_BYTES]
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, SNIFFED_BYTES)
        except zlib.error as error:
            raise ReaderFailure(Failure.CORRUPT) from error

    def _chunks(self, member: Member) -> Iterator[bytes]:
        """Unpack a member bit by bit; never more than it says it has, which was checked."""
        crc = unpacked = 0
        for chunk in self._stored(member) if member.method == STORED else self._inflated(member):
            unpacked += len(chunk)
            if unpacked > member.unpacked_bytes:
                # Who trusts the size reads something else than who does not.
                raise ReaderFailure(Failure.ARCHIVE_AMBIGUOUS)
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if unpacked != member.unpacked_bytes or crc != member.crc:
            raise ReaderFailure(Failure.CORRUPT)

    def _stored(self, member: Member) -> Iterator[bytes]:
        for place in range(0, member.packed_bytes, _CHUNK_BYTES):
            self._file.seek(member.offset + place)
            yield self._file.read(min(_CHUNK_BYTES, member.packed_bytes - place))

    def _inflated(self, member: Member) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        for packed in self._stored(member):
            try:
                yield inflater.decompress(packed, _CHUNK_BYTES)
                while inflater.unconsumed_tail:
                    yield inflater.decompress(inflater.unconsumed_tail, _CHUNK_BYTES)
            except zlib.error as error:
                raise ReaderFailure(Failure.CORRUPT) from error
        if not inflater.eof:
            raise ReaderFailure(Failure.CORRUPT)


def _refuse_too_much(members: list[Member], limits: ReaderLimits) -> None:
    """Refuse what the members together, or one of them, would unpack to."""
    unpacked = sum(member.unpacked_bytes for member in members)
    if unpacked > limits.max_archive_bytes:
        raise ReaderFailure(Failure.ARCHIVE_BYTES, found=unpacked)
    packed = sum(member.packed_bytes for member in members)
    for each, full in [(packed, unpacked), *((m.packed_bytes, m.unpacked_bytes) for m in members)]:
        if full > _RATIO_FREE_BYTES and full > each * limits.max_archive_ratio:
            raise ReaderFailure(Failure.ARCHIVE_RATIO, found=full // max(each, 1))


def _refuse_unsafe(member: Member) -> None:
    """Refuse a member that is a trick, or that cannot be unpacked."""
    path = PurePosixPath(member.name)
    if (
        not member.name
        or path.is_absolute()
        or ".." in path.parts
        or any(sign in member.name for sign in "\\\0")
        or member.name[1:2] == ":"
    ):
        raise ReaderFailure(Failure.ARCHIVE_PATH)
    if stat.S_IFMT(member.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ReaderFailure(Failure.ARCHIVE_LINK)
    if member.flags & ENCRYPTED_FLAGS:
        raise ReaderFailure(Failure.ENCRYPTED)
    # No program that makes documents uses another method, and the formats allow no other.
    if member.method not in (STORED, DEFLATED):
        raise ReaderFailure(Failure.CORRUPT)
    sizes_differ = member.method == STORED and member.packed_bytes != member.unpacked_bytes
    if sizes_differ or (member.is_folder and member.unpacked_bytes):
        raise ReaderFailure(Failure.CORRUPT)
