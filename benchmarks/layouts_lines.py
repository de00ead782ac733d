"""The lines of a PDF page as a perfect detector would find them, with text, in the file's order.

Well-made files carry their text in the order it is read in, so such pages measure reading order
alone: no line is missed, no letter misread. Files that were put together otherwise, as many forms
are, have an order of their own; look at a page before you believe its figure.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ocr_grpc.engines.ppocr.regions import Region

SCALE = 200 / 72
"""Pixels for a point; the regions are those of a page seen at 200 dpi."""
WORD_GAP = 0.8
"""The widest space within a line, in its heights; a detector parts lines at wider ones."""
SHARED = 0.5
"""Parts of a line share so much of the lower one's height."""
PADDING = 0.15
"""The detector's regions stand out from the letters on all sides, in heights of a line."""

Glyph = tuple[str, float, float, float, float]
"""A character and its left, top, right and bottom in points, y downward."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a page.

    Attributes:
        text: what it says.
        region: where it stands, in pixels at 200 dpi.
    """

    text: str
    region: Region


@dataclass(slots=True)
class _Part:
    text: str
    left: float
    top: float
    right: float
    bottom: float

    def take(self, glyph: Glyph, space: str) -> None:
        self.text += space + glyph[0]
        self.left, self.top = min(self.left, glyph[1]), min(self.top, glyph[2])
        self.right, self.bottom = max(self.right, glyph[3]), max(self.bottom, glyph[4])


def text_lines(page: pdfium.PdfPage) -> list[TextLine]:
    """Return the upright lines of a page in the order of the file."""
    parts: list[_Part] = []
    space = ""
    for glyph in _glyphs(page):
        if glyph[0].isspace():
            space = " "
            continue
        if parts and _continues(parts[-1], glyph):
            parts[-1].take(glyph, space)
        else:
            parts.append(_Part(*glyph))
        space = ""
    return [_line(part) for part in parts if part.right > part.left and part.bottom > part.top]


def _glyphs(page: pdfium.PdfPage) -> Iterator[Glyph]:
    """Yield the characters of a page that stand upright and on it."""
    width, height = page.get_width(), page.get_height()
    text = page.get_textpage()
    sides = [ctypes.c_double() for _ in range(4)]
    loose = raw.FS_RECTF()
    for place in range(text.count_chars()):
        character = chr(raw.FPDFText_GetUnicode(text, place))
        if character.isspace() or character == "\x00":
            yield (" ", 0, 0, 0, 0)
            continue
        if abs(raw.FPDFText_GetCharAngle(text, place)) > 0.05:
            continue
        raw.FPDFText_GetCharBox(text, place, *sides)
        left, right, bottom, top = (side.value for side in sides)
        raw.FPDFText_GetLooseCharBox(text, place, loose)
        size = raw.FPDFText_GetFontSize(text, place)
        if 0 < loose.top - loose.bottom < 1.6 * max(size, top - bottom):
            top, bottom = loose.top, loose.bottom
        if min(left, bottom) >= 0 and right <= width and top <= height:
            yield (character, left, height - top, right, height - bottom)


def _continues(part: _Part, glyph: Glyph) -> bool:
    high = max(part.bottom - part.top, glyph[4] - glyph[2])
    low = min(part.bottom - part.top, glyph[4] - glyph[2])
    shared = min(part.bottom, glyph[4]) - max(part.top, glyph[2])
    gap = glyph[1] - part.right
    return shared >= SHARED * low and -0.5 * high <= gap <= WORD_GAP * high


def _line(part: _Part) -> TextLine:
    height = (part.bottom - part.top) * SCALE
    region = Region(
        (part.left + part.right) / 2 * SCALE,
        (part.top + part.bottom) / 2 * SCALE,
        (part.right - part.left) * SCALE + 2 * PADDING * height,
        height,
        0.0,
    )
    return TextLine(part.text, region)
