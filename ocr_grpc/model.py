"""The words every area shares: pages as pixels, lines on them, and where they stand."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Point:
    """A place on a page image, in pixels, origin top left, y downward."""

    x: float
    y: float


Polygon = tuple[Point, ...]
"""The corners of an area, clockwise from the top left as the text is read; four for a line."""


class TextFormat(Enum):
    """The form the text of a page is in."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    """GFM: headings, lists and tables."""


class Separator(Enum):
    """What stands between a line and the one before it in the text of a page."""

    NONE = ""
    SPACE = " "
    """The same visual row: the next cell of a table, the page number beside a header."""
    LINE = "\n"
    BLOCK = "\n\n"
    """Another paragraph, column, table or caption."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line.

    Attributes:
        text: in NFC, without white space.
        polygon: its outline in pixels of the rendered page.
        confidence: how sure the reader is, in [0, 1].
    """

    text: str
    polygon: Polygon
    confidence: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text as it stands on a page.

    Attributes:
        text: in NFC, without line breaks.
        polygon: its outline in pixels of the rendered page.
        confidence: how sure the reader is, in [0, 1]; 1.0 for a text layer.
        separator: what precedes it in the page's text; `NONE` for the first line of a page.
        words: its words, if they were asked for.
    """

    text: str
    polygon: Polygon
    confidence: float
    separator: Separator = Separator.LINE
    words: tuple[Word, ...] = ()

    def first(self) -> "Line":
        """Return the same line as the first of its page."""
        return replace(self, separator=Separator.NONE)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page, from engines that see blocks and not lines.

    Attributes:
        label: what it is, in the word of the model, such as `title` or `table`; may be empty.
        polygon: its outline in pixels of the rendered page; empty if it is not known.
        offset: where its text begins in that of the page, in code points.
    """

    label: str
    polygon: Polygon
    offset: int


def joined(lines: "list[Line] | tuple[Line, ...]") -> str:
    """Return the text of consecutive lines with their separators."""
    return "".join(line.separator.value + line.text for line in lines)


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Return an upright rectangle as a polygon."""
    return (Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom))


@dataclass(frozen=True, slots=True)
class PageGeometry:
    """The size of a page as it is, or would be, rendered.

    Attributes:
        width_px, height_px: pixels.
        dpi: pixels per inch; 0 for an image file that does not say.
    """

    width_px: int
    height_px: int
    dpi: float


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page as raw pixels in a spool file, rows top to bottom without padding.

    Attributes:
        path: the spool file, width × height × channels bytes; the receiver deletes it.
        channels: 1 (grey) or 3 (RGB).
        blank: there is nothing on it that an engine could read.
    """

    path: Path
    geometry: PageGeometry
    channels: int
    blank: bool = False
