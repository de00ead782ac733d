"""From the characters of a page to runs of words that stand together. Child only.

pdfium delivers characters in the order of the file and adds spaces and line ends where it sees
gaps. A *run* is a stretch of one such line without a gap as wide as that of a table.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ocr_grpc.documents.pdfium_text import PageText

Box = tuple[float, float, float, float]
"""Left, top, right, bottom; y downward."""

_LINES = re.compile(r"[^\r\n\x02\ufffe]+(?:[\x02\ufffe])?")
"""pdfium puts U+0002, in older versions U+FFFE, for a hyphen at which a line breaks."""
_WORDS = re.compile(r"\S+")
_CELL_GAP = 1.6
"""A wider gap, in line heights, is one between cells or columns; justified text has less."""
_SAME_ROW = 0.3
"""Words of a line overlap at least so much vertically: superscripts do, the next line not."""
_UPRIGHT_WITHIN = math.radians(2)


class Frame:
    """Coordinates in which a text runs from left to right, whatever its direction on the page."""

    def __init__(self, angle: float) -> None:
        """Turn by `angle`, the reading direction in radians clockwise as seen on the page."""
        quarter = round(angle / (math.pi / 2))
        if abs(angle - quarter * math.pi / 2) <= _UPRIGHT_WITHIN:
            self.quarter: int | None = quarter % 4
            self._cos, self._sin = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[quarter % 4]
        else:
            self.quarter = None
            self._cos, self._sin = math.cos(angle), math.sin(angle)

    def into(self, box: Box) -> Box:
        """Return the box that encloses an upright one of the page in this frame."""
        left, top, right, bottom = box
        if self.quarter == 0:
            return box
        cos, sin = self._cos, self._sin
        us = [x * cos + y * sin for x in (left, right) for y in (top, bottom)]
        vs = [y * cos - x * sin for x in (left, right) for y in (top, bottom)]
        return (min(us), min(vs), max(us), max(vs))

    def corners(self, box: Box) -> list[float]:
        """Return x and y on the page of a box's corners, clockwise from the text's top left."""
        left, top, right, bottom = box
        cos, sin = self._cos, self._sin
        found: list[float] = []
        for u, v in ((left, top), (right, top), (right, bottom), (left, bottom)):
            found += (u * cos - v * sin, u * sin + v * cos)
        return found


@dataclass(slots=True)
class Run:
    """Words that stand together, in the frame of their own direction."""

    text: str
    box: Box
    frame: Frame
    continues: bool
    """Whether pdfium took it for the same line as the run before."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How points of a page become pixels of its image."""

    left: float
    bottom: float
    right: float
    top: float
    quarter_turns: int
    scale: float

    def box(self, box: tuple[float, float, float, float]) -> Box:
        """Return a box given as left, bottom, right, top in points in pixels."""
        left, bottom, right, top = box
        s = self.scale
        if self.quarter_turns == 0:
            shown = (left - self.left, self.top - top, right - self.left, self.top - bottom)
        elif self.quarter_turns == 1:
            shown = (
                bottom - self.bottom,
                left - self.left,
                top - self.bottom,
                right - self.left,
            )
        elif self.quarter_turns == 2:
            shown = (self.right - right, bottom - self.bottom, self.right - left, top - self.bottom)
        else:
            shown = (self.top - top, self.right - right, self.top - bottom, self.right - left)
        return (shown[0] * s, shown[1] * s, shown[2] * s, shown[3] * s)

    def angle(self, clockwise: float) -> float:
        """Return an angle of the page as one of its image, in radians clockwise."""
        return self.quarter_turns * math.pi / 2 + clockwise


def runs(text: PageText, characters: str, place: Placement) -> Iterator[Run]:
    """Yield the runs of a page in the order of the file."""
    frames: dict[float, Frame] = {}
    for line in _LINES.finditer(characters):
        words = _WORDS.finditer(characters, line.start(), line.end())
        # pdfium now and then takes texts of different directions for one line.
        for angle, same in groupby(words, lambda word: round(text.angle(word.start()), 2)):
            frame = frames.setdefault(angle, Frame(place.angle(angle)))
            yield from _split(text, same, frame, place)


def _split(
    text: PageText, words: Iterable[re.Match[str]], frame: Frame, place: Placement
) -> Iterator[Run]:
    current: Run | None = None
    for word in words:
        box = _word_box(text, word.start(), word.end(), frame, place)
        if current is not None and _together(current.box, box):
            current.text += " " + word.group()
            current.box = union(current.box, box)
            continue
        if current is not None:
            yield current
        continues = current is not None and _overlap(current.box, box) > _SAME_ROW
        current = Run(word.group(), box, frame, continues)
    if current is not None:
        yield current


def _word_box(text: PageText, start: int, end: int, frame: Frame, place: Placement) -> Box:
    # The first and the last character span the word: asking for each would be most of the time.
    if frame.quarter is None:
        first = _slanted_box(text, start, frame, place)
        return union(first, _slanted_box(text, end - 1, frame, place))
    box = text.box(start)
    if end - start > 1:
        box = union(box, text.box(end - 1))
    return frame.into(place.box(box))


def _slanted_box(text: PageText, index: int, frame: Frame, place: Placement) -> Box:
    # Upright boxes around slanted letters are too large: rebuild them from the font.
    left, top, right, bottom = place.box(text.box(index))
    half = text.font_size(index) * place.scale * 0.5
    x, y = (left + right) / 2, (top + bottom) / 2
    u, v, _, _ = frame.into((x, y, x, y))
    return (u - half * 0.6, v - half, u + half * 0.6, v + half)


def _together(run: Box, word: Box) -> bool:
    height = max(run[3] - run[1], word[3] - word[1])
    gap = max(word[0] - run[2], run[0] - word[2])  # text from right to left grows leftward
    return gap <= _CELL_GAP * height and _overlap(run, word) > _SAME_ROW


def _overlap(one: Box, other: Box) -> float:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min(one[3] - one[1], other[3] - other[1])
    return shared / smaller if smaller > 0 else float(shared >= 0)


def union(one: Box, other: Box) -> Box:
    """Return the smallest box around two; y may point either way."""
    a, b, c, d = one
    e, f, g, h = other
    # Called for every word: comparisons are several times faster than min and max.
    return (a if a < e else e, b if b < f else f, c if c > g else g, d if d > h else h)
