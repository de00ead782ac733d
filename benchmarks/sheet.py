"""A sheet of paper to set text on, which remembers exactly what was set and in what order.

The expected text of a page is put together from the very strings that are drawn, so the two cannot
differ. Lengths are points (1/72 inch); y runs downward from the top edge to the baseline.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from benchmarks.words import NO_BREAK, Prose

# A hair under A4: 1,240 x 1,754 pixels at 150 dpi also for renderers that round pixels up.
A4 = (595.19, 841.89)
MARGIN = 54.0
Align = Literal["left", "right", "centre"]


@dataclass(frozen=True)
class Style:
    """A font at a size; `leading` is the distance of baselines in multiples of the size."""

    size: float
    font: str = "Helvetica"
    leading: float = 1.25

    @property
    def step(self) -> float:
        """The distance from one baseline to the next, in points."""
        return self.size * self.leading

    def bold(self) -> "Style":
        """Return the bold cut of the same family."""
        family = self.font.split("-")[0]
        return replace(self, font=family + "-Bold")

    def width(self, text: str) -> float:
        """Return how wide a text is when set, in points."""
        return stringWidth(text, self.font, self.size)


@dataclass(frozen=True)
class Page:
    """A page of known text.

    Attributes:
        name: unique, fit for a file name.
        groups: what the page is an example of, such as `10-12pt` or `table`.
        text: everything on it, in human reading order.
        draw: paints it on a canvas of `size_pt`.
        size_pt: width and height in points.
        language: `en`, `de`, `fr` or `mixed`, for engines that must be told.
    """

    name: str
    groups: tuple[str, ...]
    text: str
    draw: Callable[[Canvas], None]
    size_pt: tuple[float, float] = A4
    language: str = "en"


@dataclass(frozen=True)
class Placed:
    """One string on the sheet, its left end and baseline, and what precedes it in the text."""

    text: str
    style: Style
    x: float
    y: float
    separator: str


class Sheet:
    """Collects placed strings and rules, then becomes a `Page`."""

    def __init__(self, size_pt: tuple[float, float] = A4) -> None:
        self.width, self.height = size_pt
        self._placed: list[Placed] = []
        self._rules: list[tuple[float, float, float, float]] = []

    def put(
        self,
        text: str,
        style: Style,
        x: float,
        y: float,
        separator: str = "\n",
        align: Align = "left",
    ) -> None:
        """Set one string; `x` is its left end, right end or centre.

        Raises:
            ValueError: if it does not fit on the sheet; a cut word would make the text a lie.
        """
        text = text.replace(NO_BREAK, " ")
        wide = style.width(text)
        left = x - {"left": 0.0, "right": wide, "centre": wide / 2}[align]
        if left < 0 or left + wide > self.width or y > self.height or y < style.size:
            raise ValueError(f"{text!r} leaves the sheet")
        text.encode("cp1252")  # the standard fonts have no other characters
        self._placed.append(Placed(text, style, left, y, separator))

    def rule(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a thin straight line."""
        self._rules.append((x1, y1, x2, y2))

    def paragraph(
        self, text: str, style: Style, x: float, y: float, width: float, bottom: float = 1e9
    ) -> float:
        """Set wrapped text from baseline `y`; return the baseline that would follow.

        Lines below `bottom` are left out, of the page and of its text alike.
        """
        for number, line in enumerate(wrapped(text, style, width)):
            if y > bottom:
                break
            self.put(line, style, x, y, "\n" if number else "\n\n")
            y += style.step
        return y

    def fill(
        self, prose: Prose, style: Style, x: float, y: float, width: float, bottom: float
    ) -> float:
        """Set paragraphs of prose until `bottom`; return the baseline that would follow."""
        while y <= bottom:
            text = prose.paragraph(prose.random.randint(3, 6))
            y = self.paragraph(text, style, x, y, width, bottom) + style.size * 0.6
        return y

    def page(self, name: str, *groups: str, language: str = "en") -> Page:
        """Return what was set as a page."""
        size = (self.width, self.height)
        text = "".join(p.separator + p.text for p in self._placed).strip()
        return Page(name, groups, text, self._paint, size, language)

    def _paint(self, canvas: Canvas) -> None:
        for placed in self._placed:
            canvas.setFont(placed.style.font, placed.style.size)
            canvas.drawString(placed.x, self.height - placed.y, placed.text)
        canvas.setLineWidth(0.5)
        for x1, y1, x2, y2 in self._rules:
            canvas.line(x1, self.height - y1, x2, self.height - y2)


def wrapped(text: str, style: Style, width: float) -> list[str]:
    """Return the lines of a text broken at spaces so that each fits into `width` points."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and style.width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@dataclass(frozen=True)
class Column:
    """A column of a table: its width in points and how its cells are aligned."""

    width: float
    align: Align = "left"


def set_table(
    sheet: Sheet,
    rows: Sequence[Sequence[str]],
    columns: Sequence[Column],
    style: Style,
    x: float,
    y: float,
    ruled: bool,
) -> float:
    """Set a table whose first row is a bold header; return the y below it.

    Cells are read row by row and, within a row, cell by cell; a long cell wraps inside its column.
    """
    pad, top = style.size * 0.5, y
    edges = [x + sum(column.width for column in columns[:n]) for n in range(len(columns) + 1)]
    for number, row in enumerate(rows):
        face = style.bold() if number == 0 else style
        baseline, bottom = y + pad * 0.8 + style.size, y
        for cell, (text, column) in enumerate(zip(row, columns, strict=True)):
            left, right = edges[cell] + pad, edges[cell + 1] - pad
            for line, part in enumerate(wrapped(text, face, right - left)):
                separator = "\n" if cell == 0 or line else " "
                anchor = right if column.align == "right" else left
                at = baseline + line * style.step
                sheet.put(part, face, anchor, at, separator, column.align)
                bottom = max(bottom, at + pad)
        if ruled:
            sheet.rule(x, y, edges[-1], y)
        y = bottom
    if ruled:
        sheet.rule(x, y, edges[-1], y)
        for edge in edges:
            sheet.rule(edge, top, edge, y)
    return y
