"""BMP, GIF, WebP, AVIF, HEIF and JPEG 2000 that say they are huge, or endless."""

import struct
from random import Random

from tests.fuzz.good_documents import good
from tests.fuzz.image_recipes import HUGE, sized
from tests.fuzz.recipes import recipe


@recipe("bmp")
def bmp_size(dice: Random) -> bytes:
    return sized(dice.choice(("bmp", "bmp, palette")), "<I", 18, dice)


@recipe("bmp")
def bmp_run_lengths(dice: Random) -> bytes:
    body = dice.choice((b"\xff\0" * 50_000, b"\0\2\xff\xff" * 50_000, b"\0\0" * 99, b"\0\3a"))
    side = dice.choice((1000, 60_000))
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + head + bytes(1024) + body


@recipe("bmp")
def bmp_palette(dice: Random) -> bytes:
    changed = bytearray(good("bmp, palette"))
    struct.pack_into("<I", changed, 46, dice.choice(HUGE))
    struct.pack_into("<H", changed, 28, dice.choice((0, 1, 2, 3, 4, 16, 32, 64, 255)))
    return bytes(changed)


@recipe("gif")
def gif_size(dice: Random) -> bytes:
    return sized("gif", "<H", 6, dice)


@recipe("gif")
def gif_of_many_frames(dice: Random) -> bytes:
    frame = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    side = dice.choice((1, 10_000))
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    return head + frame * dice.choice((2000, 100_000)) + b";"


@recipe("gif")
def gif_without_end(dice: Random) -> bytes:
    return good("gif")[:-1] + b"!\xff\x0bNETSCAPE2.0" + b"\xff" + dice.randbytes(255) * 2000


@recipe("webp")
def webp_canvas(dice: Random) -> bytes:
    changed = bytearray(good("webp, animated"))
    at = changed.index(b"VP8X") + 12
    changed[at : at + 6] = dice.randbytes(6) if dice.random() < 0.5 else b"\xff" * 6
    return bytes(changed)


@recipe("webp")
def webp_sizes_lie(dice: Random) -> bytes:
    changed = bytearray(good(dice.choice(("webp", "webp, lossless", "webp, animated"))))
    chunks = [at for at in range(len(changed) - 8) if changed[at : at + 4] in
              (b"RIFF", b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ANIM", b"ALPH")]  # fmt: skip
    struct.pack_into("<I", changed, dice.choice(chunks) + 4, dice.choice(HUGE))
    return bytes(changed)


@recipe("webp")
def webp_of_many_frames(_: Random) -> bytes:
    content = good("webp, animated")
    at = content.index(b"ANMF")
    size = struct.unpack_from("<I", content, at + 4)[0] + 8
    body = content[:at] + content[at : at + size + size % 2] * 20_000
    return body[:4] + struct.pack("<I", len(body) - 8) + body[8:]


@recipe("avif")
def boxes_lie(dice: Random) -> bytes:
    """Change sizes and contents of the boxes of HEIF, AVIF and JPEG 2000."""
    changed = bytearray(good(dice.choice(("avif", "avif, animated", "heif", "jpeg 2000"))))
    names = (b"meta", b"iloc", b"ispe", b"ipco", b"iinf", b"pitm", b"mdat", b"av1C", b"hvc1",
    b"ftyp",
             b"moov", b"trak", b"stsz", b"stco", b"jp2h", b"ihdr", b"jp2c", b"colr")  # fmt: skip
    for name in dice.sample(names, 6):
        if (at := changed.find(name)) >= 4:
            where = at + dice.choice((-4, -4, 4, 8, 12))
            if where + 4 <= len(changed):
                struct.pack_into(">I", changed, where, dice.choice(HUGE))
    return bytes(changed)


@recipe("heic")
def boxes_in_depth(dice: Random) -> bytes:
    inner = b""
    for _ in range(5000):
        inner = struct.pack(">I", len(inner) + 8) + dice.choice((b"moov", b"meta")) + inner
    return b"\0\0\0\x14ftypheic\0\0\0\0mif1" + inner


@recipe("avif")
def many_boxes(_: Random) -> bytes:
    return b"\0\0\0\x14ftypavif\0\0\0\0mif1" + b"\0\0\0\x08free" * 300_000


@recipe("jp2")
def jpeg_2000_size(dice: Random) -> bytes:
    """Change the size of picture and tiles: one pixel a tile makes billions of tiles."""
    changed = bytearray(good(dice.choice(("jpeg 2000", "jpeg 2000, bare"))))
    at = changed.index(b"\xff\x51") + 6
    for number in range(8):
        if dice.random() < 0.5:
            struct.pack_into(">I", changed, at + 4 * number, dice.choice((*HUGE, 1, 1)))
    return bytes(changed)


@recipe("jp2")
def jpeg_2000_components(dice: Random) -> bytes:
    changed = bytearray(good("jpeg 2000, bare"))
    at = changed.index(b"\xff\x51") + 38
    struct.pack_into(">H", changed, at, dice.choice((0, 2, 5, 16_384, 65_535)))
    return bytes(changed)


@recipe("ico")
def icons(dice: Random) -> bytes:
    body = good("png")
    return b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(body), 22) + body


@recipe("png")
def other_pictures(dice: Random) -> bytes:
    """Return pictures of formats that Pillow knows and this service does not."""
    heads = (b"%!PS-Adobe-3.0 EPSF-3.0\n", b"8BPS\0\1", b"P6 99999 99999 255\n",
    b"\0\0\1\0\xff\xff",
             b"SIMPLE  =                    T", b"gimp xcf ", b"\x01\xda\x01\x01\0\3",
             b"\xd7\xcd\xc6\x9a", b"DDS |\0\0\0", b"qoif", b"icns", b"BLP2",
             b"Y\xa6\x6a\x95")  # fmt: skip
    return dice.choice(heads) + dice.randbytes(500)
