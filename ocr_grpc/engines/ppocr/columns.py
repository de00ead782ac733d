"""Finds the gutter between columns of running text, and the rows it passes through."""

from dataclasses import dataclass

import numpy as np

from ocr_grpc.engines.ppocr.boxes import (
    Box,
    Interval,
    columns_of,
    free_intervals,
    line_height,
    narrowed,
    row_groups,
)

GUTTER = 0.7
"""The least width of a gutter, in heights of a line."""
FULL = 0.7
"""A line that takes this share of its column is full; running text has mostly full lines."""
RUNNING = 7.0
"""The least median width of running text, in heights of a line; cells of a table are shorter."""
NEAR = 1.2
"""A line this many heights below the columns still belongs to them, whatever its width."""


@dataclass(frozen=True, slots=True)
class Gutter:
    """A blank stripe between columns.

    Attributes:
        middle: its x in pixels.
        first: the first band it parts.
        last: the last band it parts, inclusive.
    """

    middle: float
    first: int
    last: int


def find_gutter(bands: list[list[Box]]) -> Gutter | None:
    """Return the gutter that parts the most rows of running text, or None."""
    best: Gutter | None = None
    best_count = 1
    seen: list[tuple[int, int, Interval]] = []
    for start, band in enumerate(bands):
        for gap in free_intervals(band)[1:-1]:
            if any(a <= start <= b and narrowed(gap, [known]) != (0, 0) for a, b, known in seen):
                continue
            first, last, gap = _extended(bands, start, gap)
            seen.append((first, last, gap))
            middle = (gap[0] + gap[1]) / 2
            first, last, count = _trimmed(bands, first, last, middle)
            if count > best_count and _parts_running_text(bands[first : last + 1], middle):
                best, best_count = Gutter(middle, first, last), count
    return best


def _extended(bands: list[list[Box]], start: int, gap: Interval) -> tuple[int, int, Interval]:
    """Return the bands around `start` that leave the gap free, inclusive, and what stays of it."""
    least = GUTTER * line_height(bands[start])
    last, first = start, start
    for step, end in ((1, len(bands)), (-1, -1)):
        for place in range(start + step, end, step):
            smaller = narrowed(gap, free_intervals(bands[place]))
            if smaller[1] - smaller[0] < least:
                break
            gap = smaller
            first, last = min(first, place), max(last, place)
    return first, last, gap


def _trimmed(bands: list[list[Box]], first: int, last: int, middle: float) -> tuple[int, int, int]:
    """Return the run without bands at its ends that are no part of a column, and its rows.

    Rows are the bands with boxes on both sides of the middle.
    """
    both = [place for place in range(first, last + 1) if _on_both_sides(bands[place], middle)]
    if not both:
        return first, first, 0
    start, end = both[0], both[-1]
    inner = [box for band in bands[start : end + 1] for box in band]
    while start > first and _continues(bands[start - 1], bands[start], inner, middle):
        start -= 1
    while end < last and _continues(bands[end + 1], bands[end], inner, middle):
        end += 1
    return start, end, len(both)


def _on_both_sides(band: list[Box], middle: float) -> bool:
    return len({box.right > middle for box in band}) == 2


def _continues(band: list[Box], neighbour: list[Box], inner: list[Box], middle: float) -> bool:
    """Return whether a band on one side of the gutter belongs to that column."""
    gap = max(
        min(box.top for box in band) - max(box.bottom for box in neighbour),
        min(box.top for box in neighbour) - max(box.bottom for box in band),
    )
    if gap < NEAR * line_height(band):
        return True
    side = band[0].right > middle
    column = [box.width for box in inner if (box.right > middle) == side]
    return max(box.width for box in band) >= FULL * max(column)


def _parts_running_text(bands: list[list[Box]], middle: float) -> bool:
    boxes = [box for band in bands for box in band]
    least = GUTTER * line_height(boxes)
    if _has_rows(bands, least):
        return False
    left = columns_of([box for box in boxes if box.right <= middle], least)
    right = columns_of([box for box in boxes if box.right > middle], least)
    return bool(left and right) and is_running_text(left[-1]) and is_running_text(right[0])


def _has_rows(bands: list[list[Box]], least: float) -> bool:
    """Return whether these are rows of a table whose cells hold several lines each.

    Then blank stripes run through all columns again and again, and the cells below each begin
    side by side. In columns of running text paragraphs hardly ever end together.
    """
    groups = row_groups(bands)
    if len(groups) < 3:
        return False
    side_by_side = 0
    for group in groups:
        cells = columns_of([box for band in group for box in band], least)
        tops = [min(box.middle for box in cell) for cell in cells]
        close = max(tops) - min(tops) < 0.3 * line_height(group[0])
        side_by_side += len(cells) > 1 and close
    return side_by_side >= 0.7 * len(groups)


def is_running_text(boxes: list[Box]) -> bool:
    """Return whether the lines mostly fill the width they share, and are longer than cells are."""
    if len(boxes) < 3:
        return False
    widths = np.array([box.width for box in boxes])
    span = max(box.right for box in boxes) - min(box.left for box in boxes)
    full = float(np.mean(widths >= FULL * span))
    return full >= 0.5 and float(np.median(widths)) >= RUNNING * line_height(boxes)
