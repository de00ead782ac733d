"""A zip writer that lies wherever it is told to; `zipfile` would refuse to."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

STORED, DEFLATED = 0, 8
ENCRYPTED, UTF8_NAME = 0x1, 0x800
UNIX_LINK = 0o120777 << 16


@dataclass(frozen=True)
class Member:
    """One member, with what its headers say where that is not the truth.

    Attributes:
        packed: the bytes in the file, deflated already if `method` says so.
        claimed_size, claimed_packed: what both headers say; None for the truth.
        local_name: what the header before the bytes says; None for the same.
        shares: the index of another member whose bytes are this one's too.
    """

    name: str
    packed: bytes
    size: int
    crc: int
    method: int = DEFLATED
    flags: int = UTF8_NAME
    attributes: int = 0
    extra: bytes = b""
    claimed_size: int | None = None
    claimed_packed: int | None = None
    local_name: str | None = None
    shares: int | None = None

    def content(self) -> bytes:
        """Return what is in it."""
        return zlib.decompress(self.packed, -15) if self.method == DEFLATED else self.packed

    def with_content(self, content: bytes) -> "Member":
        """Return the member with other bytes and true sizes."""
        return member(self.name, content, self.method)


def member(name: str, content: bytes, method: int = DEFLATED, **lies) -> Member:
    packed = deflated(content) if method == DEFLATED else content
    return replace(Member(name, packed, len(content), zlib.crc32(content), method), **lies)


def deflated(content: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packing.compress(content) + packing.flush()


def repeated(name: str, head: bytes, unit: bytes, count: int, tail: bytes = b"") -> Member:
    """Return a member of `head`, so many times `unit`, and `tail`, without holding it whole."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = unit * max(1, 2**20 // len(unit))
    whole, rest = divmod(count * len(unit), len(block))
    packed = packing.compress(head) + packing.flush(zlib.Z_FULL_FLUSH)
    # Behind a full flush the same bytes are packed in the same way, so once is enough.
    packed += (packing.compress(block) + packing.flush(zlib.Z_FULL_FLUSH)) * whole
    packed += packing.compress(block[:rest] + tail) + packing.flush()
    crc = zlib.crc32(head)
    for _ in range(whole):
        crc = zlib.crc32(block, crc)
    size = len(head) + count * len(unit) + len(tail)
    return Member(name, packed, size, zlib.crc32(block[:rest] + tail, crc))


def members_of(content: bytes) -> list[Member]:
    """Return the members of a true zip file."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return [
            member(each.filename, file.read(each), each.compress_type)
            for each in file.infolist()
            if each.compress_type in (STORED, DEFLATED)
        ]


def archive(
    members: Iterable[Member],
    *,
    comment: bytes = b"",
    claimed_count: int | None = None,
    claimed_offset: int | None = None,
    before: bytes = b"",
) -> bytes:
    """Return the file; `before` stands in front of it, and the offsets say so."""
    parts, directory, at, starts = [before], [], len(before), []
    for each in members:
        start = at if each.shares is None else starts[each.shares]
        starts.append(start)
        size = each.size if each.claimed_size is None else each.claimed_size
        length = len(each.packed) if each.claimed_packed is None else each.claimed_packed
        name, own = each.name.encode("utf-8", "surrogatepass"), each.local_name
        local = name if own is None else own.encode()
        same = (each.flags, each.method, 0, 0x21, each.crc, length, size)
        if each.shares is None:
            header = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, *same, len(local), 0)
            parts += [header, local, each.packed]
            at += len(header) + len(local) + len(each.packed)
        entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x0314, 20, *same, len(name),
                            len(each.extra), 0, 0, 0, each.attributes, start)  # fmt: skip
        directory.append(entry + name + each.extra)
    table = b"".join(directory)
    count = len(directory) if claimed_count is None else claimed_count
    offset = at if claimed_offset is None else claimed_offset
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count & 0xFFFF, count & 0xFFFF, len(table),
                      offset & 0xFFFFFFFF, len(comment))  # fmt: skip
    return b"".join((*parts, table, end, comment))
