"""Zip containers that mean harm, made by hand."""

import io
import struct
import zipfile
import zlib

CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/{part}" ContentType="application/{content_type}"/></Types>'
)
WORD = "vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MIB = 1024 * 1024


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an honest container with these members."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in members.items():
            # By hand, because zipfile mends names that are given to it.
            member = zipfile.ZipInfo()
            member.filename = name
            member.compress_type = method
            archive.writestr(member, content)
    return written.getvalue()


def open_xml(content_type: str, part: str, **members: bytes) -> bytes:
    """Return a container that says it is a document of Office, with a main part of that type."""
    types = CONTENT_TYPES.format(part=part, content_type=content_type)
    return zipped({"[Content_Types].xml": types.encode(), part: b"<main/>", **members})


def with_directory_field(content: bytes, offset: int, value: bytes, entry: int = 0) -> bytes:
    """Return a container with bytes of one of its directory's entries changed."""
    place = -1
    for _ in range(entry + 1):
        place = content.index(b"PK\1\2", place + 1)
    place += offset
    return content[:place] + value + content[place + len(value) :]


def linked(name: str = "word/link.xml") -> bytes:
    """Return a container with a symbolic link."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        link = zipfile.ZipInfo(name)
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"/etc/passwd")
    return written.getvalue()


def with_two_of_one_name() -> bytes:
    """Return a container in which a name stands for two members."""
    content = zipped({"word/a.xml": b"<a/>", "word/b.xml": b"<b/>"})
    return content.replace(b"word/b.xml", b"word/a.xml")


def overlapping(count: int = 50) -> bytes:
    """Return a container whose members all have the same packed bytes, as in bombs without nesting.

    Source: Fifield, A better zip bomb, WOOT 2019: here without its quoting, all headers are one.
    """
    packed = zlib.compress(b"\0" * 1000)[2:-4]
    sizes = struct.pack("<3L", zlib.crc32(b"\0" * 1000), len(packed), 1000)
    header = struct.pack("<4s5H", b"PK\3\4", 20, 0, 8, 0, 0) + sizes + struct.pack("<2H", 1, 0)
    body = header + b"a" + packed
    entry = struct.pack("<4s6H", b"PK\1\2", 20, 20, 0, 8, 0, 0) + sizes
    entry += struct.pack("<5H2L", 1, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entry) * count, len(body), 0)
    return body + entry * count + end


def bomb(size: int = 50 * MIB) -> bytes:
    """Return a container with one member of zeros that packs a thousandfold."""
    return zipped({"word/document.xml": b"\0" * size})


def lying_bomb(said: int, size: int = 50 * MIB) -> bytes:
    """Return a container with a member that says twice that it is smaller than it is."""
    content = bomb(size)
    return content.replace(struct.pack("<L", size), struct.pack("<L", said))


def with_hidden_member() -> bytes:
    """Return a container with a member that the directory does not name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("a.xml", b"<a/>")
        archive.writestr("hidden.xml", b"<hidden/>")
        archive.filelist.pop()
    return written.getvalue()


def with_a_million_entries() -> bytes:
    """Return a container whose directory says, and has, a million members."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 16) + b""
    directory = entry * 1_000_000
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(directory), 1)
    end_64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1_000_000, 1_000_000, len(directory), 0
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return directory + end_64 + locator + end
