"""OLE files with nothing in them but names."""

import struct

FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
NONE = FREE


def compound_file(names: list[str], chain: int = END, sibling: int = NONE) -> bytes:
    """Return a file whose root has streams of these names.

    Args:
        names: at most three.
        chain: the sector that follows the directory, which has only one.
        sibling: what the last name has on its right.
    """
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<5H", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<2L", header, 44, 1, 1)  # one table sector, the directory in sector 1
    struct.pack_into("<L", header, 68, END)
    struct.pack_into("<109L", header, 76, 0, *[FREE] * 108)
    table = struct.pack("<128L", TABLE, chain, *[FREE] * 126)
    entries = [entry("Root Entry", 5, NONE, 1 if names else NONE)]
    for place, name in enumerate(names, 1):
        right = place + 1 if place < len(names) else sibling
        entries.append(entry(name, 2, right, NONE))
    return bytes(header) + table + b"".join(entries).ljust(512, b"\0")


def entry(name: str, kind: int, right: int, child: int) -> bytes:
    """Return an entry of the directory."""
    encoded = name.encode("utf-16-le") + b"\0\0"
    written = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
    return (written + struct.pack("<3L", NONE, right, child)).ljust(128, b"\0")
