"""Containers that lie: paths, links, sizes, counts, bombs, overlaps."""

import io
import zipfile
from random import Random

from tests.fuzz.archive import (
    DEFLATED,
    ENCRYPTED,
    STORED,
    UNIX_LINK,
    Member,
    archive,
    member,
    members_of,
    repeated,
)
from tests.fuzz.good_documents import good
from tests.fuzz.recipes import recipe

CONTAINERS = ("docx", "xlsx", "pptx", "odt", "ods", "epub")
MIB = 2**20


def _good(dice: Random) -> list[Member]:
    return members_of(good(dice.choice(CONTAINERS)))


def _with(dice: Random, *more: Member) -> bytes:
    return archive([*_good(dice), *more])


@recipe("docx")
def member_outside(dice: Random) -> bytes:
    names = ("../../x", "/etc/cron.d/x", "..\\..\\x", "C:\\x", "word/../../x", "\\\\host\\share\\x",
             "a/../../../../../../etc/passwd", "//x", "./../x")  # fmt: skip
    return _with(dice, member(dice.choice(names), b"outside"))


@recipe("docx")
def member_is_a_link(dice: Random) -> bytes:
    target = dice.choice((b"/etc/passwd", b"../../../../etc/passwd", b"."))
    return _with(dice, member("word/media/link", target, STORED, attributes=UNIX_LINK))


@recipe("xlsx")
def main_part_is_a_link(dice: Random) -> bytes:
    members = _good(dice)
    at = dice.randrange(len(members))
    members[at] = member(members[at].name, b"/etc/passwd", STORED, attributes=UNIX_LINK)
    return archive(members)


@recipe("docx")
def strange_names(dice: Random) -> bytes:
    names = ("a\0b", "x" * 60_000, "", ".", "..", "con", "\u202egpj.exe", "a\nb", " ", "\ud800")
    return _with(dice, *(member(name, b"x") for name in dice.sample(names, 3)))


@recipe("docx")
def one_name_twice(dice: Random) -> bytes:
    members = _good(dice)
    double = dice.choice(members)
    return archive([*members, double.with_content(b"<other/>")])


@recipe("docx")
def names_differ_in_case(dice: Random) -> bytes:
    members = _good(dice)
    return archive([*members, member(dice.choice(members).name.upper(), b"<other/>")])


@recipe("docx")
def two_headers_disagree(dice: Random) -> bytes:
    members = _good(dice)
    at = dice.randrange(len(members))
    true = members[at]
    lies = {"local_name": "elsewhere.xml", "shares": None}
    members[at] = Member(true.name, true.packed, true.size, true.crc, true.method, **lies)
    return archive(members)


@recipe("docx")
def sizes_lie(dice: Random) -> bytes:
    members = _good(dice)
    at = dice.randrange(len(members))
    true = members[at]
    lie = dice.choice((0, 1, 2**31 - 1, 2**32 - 1))
    which = dice.choice(("claimed_size", "claimed_packed"))
    members[at] = Member(true.name, true.packed, true.size, true.crc, true.method, **{which: lie})
    return archive(members)


@recipe("docx")
def bomb_that_says_it_is_small(dice: Random) -> bytes:
    bomb = repeated("word/document.xml", b"<a>", b" ", 200 * MIB)
    lie = Member(bomb.name, bomb.packed, bomb.size, bomb.crc, claimed_size=dice.choice((0, 1000)))
    return archive([m for m in members_of(good("docx")) if m.name != bomb.name] + [lie])


@recipe("docx")
def checksums_lie(dice: Random) -> bytes:
    members = [
        Member(m.name, m.packed, m.size, dice.getrandbits(32), m.method) for m in _good(dice)
    ]
    return archive(members)


@recipe("docx")
def encrypted_members(dice: Random) -> bytes:
    members = [
        Member(m.name, m.packed, m.size, m.crc, m.method, ENCRYPTED) if dice.random() < 0.5 else m
        for m in _good(dice)
    ]
    return archive(members)


@recipe("docx")
def unknown_compression(dice: Random) -> bytes:
    method = dice.choice((1, 6, 9, 12, 14, 93, 95, 98, 99, 0xFFFF))
    return archive(Member(m.name, m.packed, m.size, m.crc, method) for m in _good(dice))


@recipe("docx")
def other_compressions(dice: Random) -> bytes:
    """Rewrite a good one with bzip2 or LZMA, which no office program uses."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", dice.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))) as file:
        for each in _good(dice):
            file.writestr(each.name, each.content())
    return buffer.getvalue()


@recipe("docx")
def high_ratio(dice: Random) -> bytes:
    return _with(dice, repeated("word/media/image9.png", b"", bytes(1), dice.choice((2, 50)) * MIB))


@recipe("docx")
def many_members_with_fair_ratios(dice: Random) -> bytes:
    noise = dice.randbytes(600)
    pad = [repeated(f"word/media/{n}.bin", noise, b"ab" * 30, 30_000) for n in range(60)]
    return _with(dice, *pad)


@recipe("docx", heavy=True)
def two_gibibytes(dice: Random) -> bytes:
    return _with(dice, repeated("word/media/image9.png", b"", bytes(1), 2048 * MIB))


@recipe("docx")
def hundred_thousand_members(dice: Random) -> bytes:
    empty = member("", b"", STORED)
    many = [Member(f"word/{n}", b"", 0, empty.crc, STORED) for n in range(100_000)]
    return archive([*_good(dice), *many], claimed_count=dice.choice((None, 0, 5, 0xFFFF)))


@recipe("docx")
def overlapping_members(dice: Random) -> bytes:
    """Name the same packed bytes thousands of times, as "a better zip bomb" does."""
    kernel = repeated("word/media/0", b"", bytes(1), MIB)
    members = [*_good(dice), kernel]
    at = len(members) - 1
    more = [
        Member(f"word/media/{n}", kernel.packed, kernel.size, kernel.crc, shares=at)
        for n in range(1, 3000)
    ]
    return archive(members + more)


@recipe("docx")
def archive_in_an_archive(dice: Random) -> bytes:
    inner = good(dice.choice(CONTAINERS))
    for depth in range(dice.choice((1, 5, 50))):
        inner = archive([member(f"word/embeddings/{depth}.zip", inner, STORED)])
    return _with(dice, member("word/media/image1.png", inner, STORED))


@recipe("zip")
def only_archives(dice: Random) -> bytes:
    return archive(member(f"{n}.zip", good(dice.choice(CONTAINERS)), STORED) for n in range(5))


@recipe("docx")
def nothing_in_it(_: Random) -> bytes:
    return archive([])


@recipe("docx")
def members_missing(dice: Random) -> bytes:
    members = _good(dice)
    return archive(dice.sample(members, dice.randrange(1, len(members))))


@recipe("docx")
def members_empty(dice: Random) -> bytes:
    return archive(m.with_content(b"") if dice.random() < 0.3 else m for m in _good(dice))


@recipe("docx")
def members_of_two_formats(dice: Random) -> bytes:
    return archive([*_good(dice), *_good(dice)])


@recipe("docx")
def directory_lies(dice: Random) -> bytes:
    lies = ({"claimed_count": 0}, {"claimed_count": 60_000}, {"claimed_offset": 0},
            {"claimed_offset": 2**32 - 1}, {"claimed_offset": 2**31})  # fmt: skip
    return archive(_good(dice), **dice.choice(lies))


@recipe("docx")
def zip64_lies(dice: Random) -> bytes:
    extra = b"\x01\x00\x18\x00" + dice.randbytes(24)
    return archive(
        Member(m.name, m.packed, m.size, m.crc, m.method, extra=extra, claimed_size=2**32 - 1)
        for m in _good(dice)
    )


@recipe("docx")
def directory_cut(dice: Random) -> bytes:
    content = archive(_good(dice))
    return content[: content.rindex(b"PK\5\6") - dice.randrange(200)]


@recipe("docx")
def comment_with_a_second_directory(dice: Random) -> bytes:
    return archive(_good(dice), comment=archive([member("word/document.xml", b"<x/>")])[-500:])


@recipe("docx")
def junk_before(dice: Random) -> bytes:
    head = dice.choice((b"MZ" + bytes(500), b"%PDF-1.4\n", b"GIF89a", b"\x7fELF", b"<html>"))
    return archive(_good(dice), before=head)


@recipe("epub")
def wrong_media_type(dice: Random) -> bytes:
    kinds = (b"application/epub+zip\n", b"application/vnd.oasis.opendocument.text", b"x" * 9999,
             b"application/vnd.oasis.opendocument.text-master", b"", b"text/html")  # fmt: skip
    rest = [m for m in _good(dice) if m.name != "mimetype"]
    method = dice.choice((STORED, DEFLATED))
    return archive([member("mimetype", dice.choice(kinds), method), *rest])
