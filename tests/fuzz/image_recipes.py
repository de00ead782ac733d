"""PNG, JPEG and TIFF that say they are huge, endless, or something else."""

import struct
import zlib
from random import Random

from tests.documents.samples import png_bomb
from tests.fuzz.byte_damage import repaired
from tests.fuzz.good_documents import good
from tests.fuzz.recipes import recipe

HUGE = (0, 1, 30_000, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def sized(name: str, form: str, at: int, dice: Random, mask: int = 2**32 - 1) -> bytes:
    """Put two evil sizes where the header has them."""
    changed = bytearray(good(name))
    width = struct.calcsize(form)
    for number in range(2):
        value = dice.choice(HUGE) & mask & (256**width - 1)
        if dice.random() < 0.8:
            struct.pack_into(form, changed, at + number * width, value)
    return repaired(bytes(changed))


@recipe("png")
def png_of_900_megapixels(_: Random) -> bytes:
    return png_bomb(30_000, 30_000)


@recipe("png")
def png_of_90_megapixels(_: Random) -> bytes:
    return png_bomb(9_500, 9_500)


@recipe("png")
def png_of_one_column(dice: Random) -> bytes:
    sizes = (8, 200_000), (200_000, 8), (8, 2_000_000), (90_000_000, 1), (1, 90_000_000)
    return png_bomb(*dice.choice(sizes))


@recipe("png")
def png_size(dice: Random) -> bytes:
    return sized(dice.choice(("png", "png, palette", "png, 16 bit")), ">I", 16, dice)


@recipe("png")
def png_kind(dice: Random) -> bytes:
    changed = bytearray(good("png"))
    changed[24:29] = bytes(dice.choice((0, 1, 3, 4, 8, 16, 255)) for _ in range(5))
    return repaired(bytes(changed))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@recipe("png")
def png_text_bomb(dice: Random) -> bytes:
    """Put megabytes of nothing into what a PNG may say about itself."""
    packed = zlib.compress(bytes(64 * 2**20), 9)
    chunks = {b"zTXt": b"k\0\0" + packed, b"iCCP": b"k\0\0" + packed,
              b"iTXt": b"k\0\1\0\0\0" + packed}  # fmt: skip
    name = dice.choice(list(chunks))
    content = good("png")
    return content[:33] + _chunk(name, chunks[name]) * dice.choice((1, 9)) + content[33:]


@recipe("png")
def png_of_many_chunks(_: Random) -> bytes:
    content = good("png")
    return content[:33] + _chunk(b"tEXt", b"a\0b") * 200_000 + content[33:]


@recipe("png")
def apng_frames(dice: Random) -> bytes:
    count = dice.choice((0, 5, 2**31 - 1, 2**32 - 1))
    content = bytearray(good("png, animated"))
    at = content.index(b"acTL") + 4
    struct.pack_into(">II", content, at, count, 0)
    return repaired(bytes(content))


@recipe("jpg")
def jpeg_size(dice: Random) -> bytes:
    content = good(dice.choice(("jpeg", "jpeg, CMYK", "jpeg, progressive")))
    changed = bytearray(content)
    at = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2")) + 5
    struct.pack_into(">HH", changed, at, dice.choice((0, 1, 65_535)), dice.choice((1, 65_535)))
    return bytes(changed)


@recipe("jpg")
def jpeg_of_many_scans(dice: Random) -> bytes:
    """Repeat the scans of a large progressive picture, each of which touches every pixel."""
    content = good("jpeg, progressive")
    first, last = content.index(b"\xff\xda"), content.rindex(b"\xff\xda")
    at = content.index(b"\xff\xc2") + 5
    side = struct.pack(">HH", dice.choice((2000, 9000)), 9000)
    return content[:at] + side + content[at + 4 : first] + content[first:last] * 3000


@recipe("jpg")
def jpeg_exif_in_a_circle(_: Random) -> bytes:
    loop = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    exif = b"Exif\0\0" + loop
    content = good("jpeg")
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]


@recipe("jpg")
def jpeg_of_many_markers(_: Random) -> bytes:
    content = good("jpeg")
    return (
        content[:2] + b"\xff\xfe\xff\xff" + b"x" * 65_533 + b"\xff\xfe\0\2" * 300_000 + content[2:]
    )


def _tiff(entries: list[tuple[int, int, int, int]], following: int, more: bytes = b"") -> bytes:
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + struct.pack(
        "<I", following
    ) + more  # fmt: skip


def _plain(width: int, height: int, **other: int) -> list[tuple[int, int, int, int]]:
    values = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height,
              279: min(width * height, 2**32 - 1)}  # fmt: skip
    values |= {int(tag[1:]): value for tag, value in other.items()}
    return [(tag, 4, 1, value & (2**32 - 1)) for tag, value in sorted(values.items())]


@recipe("tif")
def tiff_in_a_circle(dice: Random) -> bytes:
    return _tiff(_plain(4, 4), dice.choice((8, 0xFFFFFFF0, 9)))


@recipe("tif")
def tiff_of_many_frames(dice: Random) -> bytes:
    """Return a TIFF of as many tiny frames as its one page of pixels allows."""
    frames, at, parts = dice.choice((500, 30_000)), 8, []
    for number in range(frames):
        frame = _tiff(_plain(4, 4), 0)[8:-4]
        at += len(frame) + 4
        parts.append(frame + struct.pack("<I", at if number + 1 < frames else 0))
    return b"II*\0\x08\0\0\0" + b"".join(parts)


@recipe("tif")
def tiff_size(dice: Random) -> bytes:
    other = {f"t{tag}": dice.choice(HUGE) for tag in dice.sample((258, 262, 277, 278, 279, 322), 2)}
    return _tiff(_plain(dice.choice(HUGE), dice.choice(HUGE), **other), 0, bytes(999))


@recipe("tif")
def tiff_codec(dice: Random) -> bytes:
    codec = dice.choice((2, 3, 4, 5, 6, 7, 8, 32773, 34661, 34676, 34712, 34925, 50000, 50001))
    return _tiff(_plain(2000, 2000, t259=codec), 0, dice.randbytes(5000))


@recipe("tif")
def tiff_of_many_entries(_: Random) -> bytes:
    return _tiff(_plain(4, 4) + [(60_000, 2, 2**31 - 1, 8)] * 60_000, 0)


@recipe("tif")
def tiff_subfiles_in_a_circle(_: Random) -> bytes:
    return _tiff(_plain(4, 4, t330=8, t34665=8, t34853=8), 0)


@recipe("tif")
def tiff_deflate_bomb(_: Random) -> bytes:
    packed = zlib.compress(bytes(90_000_000), 9)
    values = _plain(30_000, 3_000, t259=8, t273=400, t279=len(packed))
    return _tiff(values, 0).ljust(400, b"\0") + packed
