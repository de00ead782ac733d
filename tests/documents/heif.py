"""HEIC files put together byte by byte around one small picture, because nothing here writes them.

Source: ISO/IEC 14496-12 (boxes) and ISO/IEC 23008-12 (pictures in them).
"""

import struct
from dataclasses import dataclass

from PIL import Image

PAPER_SIZE = (96, 64)


@dataclass(frozen=True)
class Hevc:
    """A picture as HEVC: its configuration record and its one slice."""

    configuration: bytes
    slice_: bytes


# `paper(96, 64)` with its bar from (8, 8) to (48, 21), in grey, as x265 wrote it.
HEVC_PAPER = Hevc(
    bytes.fromhex(
        "0104080000009ff8000000001ef000fcfcf8f800000f03600001001740010c01ffff0408000003009ff8000003"
        "00001eba024061000100264201010408000003009ff800000300001ec0c204165ba924a6b9b020000003002000"
        "0003002162000100074401c172b02240"
    ),
    bytes.fromhex(
        "000000272801ae13c02393943c640ca0ff77174f058e4d3b9441fe1d02dd80ccf69defaef819bf458d6db8"
    ),
)


def heif(
    *pictures: Hevc,
    size: tuple[int, int] = PAPER_SIZE,
    quarters: int = 0,
    orientation: int = 0,
    previews: int = 0,
) -> bytes:
    """Return a file with these pictures.

    Args:
        size: what the file says of each, true or not.
        quarters: by how many quarters of a turn they are to be shown turned, counterclockwise.
        orientation: what the EXIF of the first one says; 0 for none.
        previews: how many of the last pictures are previews of the first.
    """
    numbers = range(1, len(pictures) + 1)
    items = [
        (number, b"hvc1", picture.slice_) for number, picture in zip(numbers, pictures, strict=True)
    ]
    exif_number = len(pictures) + 1
    if orientation:
        exif = Image.Exif()
        exif[0x0112] = orientation
        items.append((exif_number, b"Exif", struct.pack(">I", 6) + exif.tobytes()))
    references = [
        _box(b"thmb", struct.pack(">HHH", number, 1, 1))
        for number in [*numbers][len(pictures) - previews :]
    ]
    if orientation:
        references.append(_box(b"cdsc", struct.pack(">HHH", exif_number, 1, 1)))
    properties = _box(
        b"ipco",
        _box(b"hvcC", pictures[0].configuration),
        _box(b"ispe", struct.pack(">III", 0, *size)),
        _box(b"irot", bytes([quarters])),
    )
    of_items = b"".join(struct.pack(">HBBBB", number, 3, 0x81, 0x02, 0x83) for number in numbers)
    kinds = [
        _box(b"infe", struct.pack(">IHH4sB", 0x02000000, number, 0, kind, 0))
        for number, kind, _ in items
    ]

    def meta(offset: int) -> bytes:
        places = b""
        for number, _, content in items:
            places += struct.pack(">HHHII", number, 0, 1, offset, len(content))
            offset += len(content)
        return _box(
            b"meta",
            bytes(4),
            _box(b"hdlr", bytes(8), b"pict", bytes(13)),
            _box(b"pitm", struct.pack(">IH", 0, 1)),
            _box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0x00, len(items)), places),
            _box(b"iinf", struct.pack(">IH", 0, len(items)), *kinds),
            *([_box(b"iref", bytes(4), *references)] if references else []),
            _box(
                b"iprp", properties, _box(b"ipma", struct.pack(">II", 0, len(pictures)), of_items)
            ),
        )

    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + _box(b"mdat", *(content for _, _, content in items))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body
