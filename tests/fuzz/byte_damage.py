"""Damage that knows nothing of formats: cuts, flips, splices, and numbers that lie."""

import re
import struct
import zlib
from collections.abc import Callable
from random import Random

from tests.fuzz.archive import archive, members_of

Damage = Callable[[Random, bytes, bytes], bytes]
"""Makes something hostile out of a good document and another one."""

EVIL_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
EVIL_WORDS = (b"0", b"-1", b"2147483647", b"2147483648", b"-2147483648", b"4294967296", b"1e308",
              b"18446744073709551616", b"NaN", b"0.0000001",
              b"99999999999999999999999999")  # fmt: skip


def truncated(dice: Random, content: bytes, _: bytes) -> bytes:
    return content[: dice.randrange(1, len(content))]


def beheaded(dice: Random, content: bytes, _: bytes) -> bytes:
    return content[dice.randrange(1, min(len(content), 600)) :] or b"x"


def flipped(dice: Random, content: bytes, _: bytes) -> bytes:
    changed = bytearray(content)
    for _i in range(dice.choice((1, 3, 10, 1 + len(content) // 50))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def spliced(dice: Random, content: bytes, other: bytes) -> bytes:
    start, end = sorted(dice.randrange(len(content)) for _i in range(2))
    return content[:start] + other[dice.randrange(len(other)) :][:50_000] + content[end:]


def repeated(dice: Random, content: bytes, _: bytes) -> bytes:
    start, end = sorted(dice.randrange(len(content)) for _i in range(2))
    return content[:start] + content[start:end] * dice.choice((2, 10, 100)) + content[end:]


def other_head(dice: Random, content: bytes, other: bytes) -> bytes:
    length = dice.choice((4, 8, 16, 64, 512))
    return other[:length] + content[length:]


def joined(_: Random, content: bytes, other: bytes) -> bytes:
    return content + other


def zeroed(dice: Random, content: bytes, _: bytes) -> bytes:
    start = dice.randrange(len(content))
    length = dice.choice((1, 16, 512, len(content)))
    return content[:start] + bytes(min(length, len(content) - start)) + content[start + length :]


def lying_numbers(dice: Random, content: bytes, _: bytes) -> bytes:
    """Put extreme numbers where headers are likely to have theirs."""
    changed = bytearray(content)
    for _i in range(dice.choice((1, 1, 2, 4))):
        form = dice.choice(("<H", ">H", "<I", ">I", "B"))
        width = struct.calcsize(form)
        at = dice.randrange(max(1, min(len(content), dice.choice((64, 512, 10**9))) - width))
        number = dice.choice(EVIL_NUMBERS) & (256**width - 1)
        changed[at : at + width] = struct.pack(form, number)
    return repaired(bytes(changed))


def lying_words(dice: Random, content: bytes, _: bytes) -> bytes:
    """Replace numbers that are written in digits."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[:200_000]))
    if not found:
        return flipped(dice, content, content)
    for match in sorted(dice.choices(found, k=dice.choice((1, 2, 5))), key=lambda it: -it.start()):
        content = content[: match.start()] + dice.choice(EVIL_WORDS) + content[match.end() :]
    return content


def repaired(content: bytes) -> bytes:
    """Return a PNG with correct checksums, so that somebody looks behind them; else the same."""
    if not content.startswith(b"\x89PNG"):
        return content
    changed, at = bytearray(content), 8
    while at + 12 <= len(changed):
        (length,) = struct.unpack_from(">I", changed, at)
        end = at + 8 + length
        if end + 4 > len(changed):
            break
        struct.pack_into(">I", changed, end, zlib.crc32(changed[at + 4 : end]))
        at = end + 4
    return bytes(changed)


DAMAGES: tuple[Damage, ...] = (
    truncated, beheaded, flipped, flipped, spliced, repeated, other_head, joined, zeroed,
    lying_numbers, lying_numbers, lying_words,
)  # fmt: skip


def inside(dice: Random, content: bytes, other: bytes) -> bytes:
    """Damage members of a container instead of the container, which hides it from its checks."""
    members = members_of(content)
    for _ in range(dice.choice((1, 1, 3))):
        at = dice.randrange(len(members))
        harm = dice.choice(DAMAGES)
        if old := members[at].content():
            new = harm(dice, old, other)
            members[at] = members[at].with_content(new)
    return archive(members)


def damaged(dice: Random, content: bytes, other: bytes) -> tuple[str, bytes]:
    """Return the name of some damage, and what it made of a good document."""
    if content.startswith(b"PK") and dice.random() < 0.6:
        return "inside", inside(dice, content, other)
    harm = dice.choice(DAMAGES)
    return harm.__name__, harm(dice, content, other)
