"""Turns the bytes of a text into characters, whatever encoding its author used. Child only."""

import codecs
import re
import unicodedata
from collections.abc import Iterator

from chardetng_py import detect

from ocr_grpc.documents.protocol import Failure, ReaderFailure

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 64 * 1024
"""How much of a text is looked at to guess its encoding, and to tell that it is a text."""
_MAX_STRANGE_SHARE = 0.01
"""More control characters than one in a hundred are no text; some logs have a few."""
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""The escape of terminals is not among them: logs are full of it."""
_UNASSIGNED = frozenset(("Cn", "Co"))
_REALLY = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
"""What is meant by those who declare the older one. Source: WHATWG, Encoding, section 4.2."""


def decode(content: bytes, declared: str = "") -> str:
    """Return a text's characters, without byte order mark.

    A mark at the beginning is believed first, then UTF-8 wherever it fits, because no other text
    looks like it by chance, then what the document declares, and last the most likely guess.

    Args:
        content: the text.
        declared: the encoding that the text itself names, as HTML does; may be anything.

    Raises:
        ReaderFailure: it is no text.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _checked(content[len(mark) :].decode(encoding, "replace"))
    for encoding in _likely(content, declared):
        try:
            text = content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if not encoding.startswith("utf-16") or _strange_share(text, unassigned=True) < 0.01:
            return _checked(text)
    return _checked(content.decode(_guess(content), "replace"))


def _likely(content: bytes, declared: str) -> Iterator[str]:
    if b"\0" in content[:_SAMPLE]:
        # No other encoding has zero bytes. Four bytes a character hardly ever fit by chance; of
        # two, the half of a space or a line break that is zero tells which one comes first.
        yield from ("utf-32-le", "utf-32-be")
        little = content[1:_SAMPLE:2].count(0) >= content[:_SAMPLE:2].count(0)
        yield "utf-16-le" if little else "utf-16-be"
    if b"\x1b$" in content[:_SAMPLE]:
        yield "iso2022_jp_2"  # of seven bits, so it would pass for UTF-8
    yield "utf-8"
    try:
        known = codecs.lookup(declared)
    except (LookupError, ValueError):
        return
    # Python also knows codecs such as `zlib`, which make a bomb of a text.
    if known._is_text_encoding:  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        yield _REALLY.get(known.name, known.name)


def _guess(content: bytes) -> str:
    sample = content[:_SAMPLE]
    if _strange_share(sample.decode("latin-1")) > _MAX_STRANGE_SHARE:
        raise ReaderFailure(Failure.UNKNOWN_FORMAT)
    if _is_damaged_utf_8(sample):
        return "utf-8"
    # The detector of Firefox: it knows which letters stand beside which in each language.
    guessed = codecs.lookup(detect(sample)).name
    return _REALLY.get(guessed, guessed)


def _is_damaged_utf_8(sample: bytes) -> bool:
    # One byte lost on the way should not turn all other letters into something else.
    text = sample.decode("utf-8", "replace")
    lost = text.count("\ufffd")
    return sum(letter > "\x7f" for letter in text) > 20 * lost


def _checked(text: str) -> str:
    if _strange_share(text) > _MAX_STRANGE_SHARE:
        raise ReaderFailure(Failure.UNKNOWN_FORMAT)
    return text.removeprefix("\ufeff")


def _strange_share(text: str, *, unassigned: bool = False) -> float:
    sample = text[:_SAMPLE]
    strange = len(_CONTROL.findall(sample))
    if unassigned:
        strange += sum(unicodedata.category(letter) in _UNASSIGNED for letter in sample)
    return strange / max(1, len(sample))
