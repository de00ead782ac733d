"""Puts the lines of a page into the order people read them in.

A recursive XY-cut (Nagy and Seth, Hierarchical representation of optically scanned documents, ICPR
1984; Ha, Haralick and Phillips, Recursive X-Y cut using bounding boxes of connected components,
ICDAR 1995) on the boxes of lines, with two changes:

- A gutter need not run through the whole page: what is cut first is the tallest blank rectangle
  between columns (Breuel, Two geometric algorithms for layout analysis, DAS 2002), with what stands
  above and below it. Headings above columns and notes below them are thus parted from the columns,
  and a blank line across both columns does not cut them.
- A blank parts columns only if there is text on both sides that runs on by itself. What stands in
  short cells, row beside row, is a table and is read by rows.
"""

from dataclasses import dataclass

from ocr_grpc.engines.ppocr.boxes import Box, level_boxes
from ocr_grpc.engines.ppocr.columns import find_gutter
from ocr_grpc.engines.ppocr.regions import Region
from ocr_grpc.engines.ppocr.tables import in_rows
from ocr_grpc.model import Separator

PARAGRAPH_GAP = 0.9
"""A blank of more than this between lines begins a block, in heights of a line."""
LARGER = 1.4
"""A line this many times as high as its neighbour is a heading, or follows one."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A region with its place in the text.

    Attributes:
        region: where it stands.
        separator: what precedes it.
    """

    region: Region
    separator: Separator


def in_reading_order(regions: list[Region]) -> list[Placed]:
    """Return the regions in reading order, each with what separates it from the one before."""
    placed: list[Placed] = []
    previous: Box | None = None
    for block in _blocks(level_boxes(regions)):
        rows = in_rows(block)
        for row in rows:
            for box in row:
                if previous is None:
                    separator = Separator.NONE
                elif box is not row[0]:
                    separator = Separator.SPACE
                elif row is rows[0]:
                    separator = Separator.BLOCK
                else:
                    separator = _between(previous, box)
                placed.append(Placed(box.region, separator))
                previous = box
    return placed


def _blocks(boxes: list[Box]) -> list[list[Box]]:
    """Return the boxes in blocks without columns in them, in reading order."""
    if not boxes:
        return []
    gutter = find_gutter(boxes)
    if gutter is None:
        return [boxes]
    parts = (gutter.above, gutter.left, gutter.right, gutter.below)
    return [block for part in parts for block in _blocks(part)]


def _between(previous: Box, box: Box) -> Separator:
    """Return what separates the first box of a row from the last one of the row before."""
    heights = sorted((previous.line_height, box.line_height))
    # The boxes are cores; between lines that touch, 0.4 of a height lies between them.
    blank = box.top - previous.bottom - 0.4 * heights[0]
    if (
        blank > PARAGRAPH_GAP * heights[0]
        or heights[1] > LARGER * heights[0]
        or blank < -heights[1]
    ):
        return Separator.BLOCK
    return Separator.LINE
