"""What Tesseract writes about a page, as lines."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from ocr_grpc.model import Line, Separator, Word, box

_COLUMNS = 12
_WORD_LEVEL = "5"

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00\uf900-\ufaff"
    "\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
"""Characters of scripts that put no space between words: Thai, Lao, Tibetan, Burmese, Khmer, and
the East Asian ones but for Hangul."""

_MARKS = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F)])
"""What Tesseract puts into lines of both directions for those who show them; not on the page."""

GAP_OF_SPACE = 0.5
"""In such a script, what part of the line's height must be empty for a space to be meant."""


class _Found(NamedTuple):
    """A word with its place: block, paragraph and line, which count from 1 in the outer one."""

    block: str
    paragraph: str
    line: str
    left: int
    top: int
    width: int
    height: int
    confidence: float
    text: str

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


def lines(
    tsv: str, first: Separator = Separator.NONE, left: int = 0, top: int = 0, *, words: bool = False
) -> Iterator[Line]:
    """Yield the lines of an image, in Tesseract's reading order.

    Words come in logical order, also in lines that run from right to left: so does Tesseract.

    Args:
        tsv: what `tesseract … tsv` writes.
        first: what stands before the first line.
        left: where the image stands on the page, in pixels from its left edge,
        top: and from the upper one.
        words: whether lines are to have their words.
    """
    paragraph = None
    for place, group in groupby(_words(tsv), key=lambda word: word[:3]):
        separator = Separator.LINE if place[:2] == paragraph else Separator.BLOCK
        yield _line(list(group), separator if paragraph else first, left, top, words=words)
        paragraph = place[:2]


def _words(tsv: str) -> Iterator[_Found]:
    for row in tsv.splitlines():
        fields = row.split("\t", _COLUMNS - 1)
        if len(fields) < _COLUMNS or fields[0] != _WORD_LEVEL:
            continue
        # A word may be blank, and be several where the model saw a space inside it.
        text = " ".join(unicodedata.normalize("NFC", fields[11]).translate(_MARKS).split())
        if text:
            left, top, width, height = (int(number) for number in fields[6:10])
            confidence = min(1.0, max(0.0, float(fields[10]) / 100))
            block, paragraph, line = fields[2:5]
            yield _Found(block, paragraph, line, left, top, width, height, confidence, text)


def _line(found: list[_Found], separator: Separator, left: int, top: int, *, words: bool) -> Line:
    weights = [len(word.text) for word in found]
    certain = sum(word.confidence * weight for word, weight in zip(found, weights, strict=True))
    return Line(
        text="".join(_spaced(found)),
        polygon=box(
            left + min(word.left for word in found),
            top + min(word.top for word in found),
            left + max(word.right for word in found),
            top + max(word.bottom for word in found),
        ),
        confidence=certain / sum(weights),
        separator=separator,
        words=tuple(_word(word, left, top) for word in found) if words else (),
    )


def _word(word: _Found, left: int, top: int) -> Word:
    outline = box(left + word.left, top + word.top, left + word.right, top + word.bottom)
    return Word(word.text.replace(" ", ""), outline, word.confidence)


def _spaced(found: list[_Found]) -> Iterator[str]:
    """Yield the words of a line, and the spaces between them."""
    height = max(word.height for word in found)
    for number, word in enumerate(found):
        if number and not _close(found[number - 1], word, GAP_OF_SPACE * height):
            yield " "
        yield word.text


def _close(one: _Found, other: _Found, gap: float) -> bool:
    """Return whether two neighbours belong together without a space."""
    unspaced = _UNSPACED.match(one.text[-1]) and _UNSPACED.match(other.text[0])
    return bool(unspaced) and max(one.left, other.left) - min(one.right, other.right) < gap
