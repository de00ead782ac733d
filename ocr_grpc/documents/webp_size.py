"""The size of a WebP picture from its header, before the decoder reserves memory for it."""

from typing import BinaryIO


def webp_size(file: BinaryIO) -> tuple[int, int] | None:
    """Return width and height in pixels; None if the header is none that is known.

    Source: RFC 9649, sections 2.5 to 2.7.
    """
    head = file.read(30)
    file.seek(0)
    if len(head) < 30:
        return None
    chunk = head[12:16]
    if chunk == b"VP8X":
        width, height = head[24:27], head[27:30]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = head[26:28], head[28:30]
        return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
    return None
