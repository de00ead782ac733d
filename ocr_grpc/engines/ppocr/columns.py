"""Finds the gutter between columns: the tallest blank rectangle with columns on both sides.

Source of the blank rectangles: Breuel, Two geometric algorithms for layout analysis, DAS 2002; here
only those wide enough for a gutter are sought, which takes no tree of cases.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.ppocr.boxes import Box, bands_of, columns_of, line_height, row_groups, rows_of

GUTTER = 0.6
"""The least width of a gutter, in heights of a line."""
FULL = 0.7
"""A line that takes this share of its column is full; running text has mostly full lines."""
RUNNING = 7.0
"""The least median width of running text, in heights of a line; cells of a table are shorter."""
CANDIDATES = 30
"""Blanks looked at, the tallest first; tables of many columns have hundreds that are no gutter."""
LEAST_ROWS = 3
"""Fewer rows on one side are no column."""
ALIGNED = 0.6
"""In a table so many rows of one side have one beside them on the other side."""
LEVEL = 0.2
"""Rows are beside each other if their middles differ by less, in heights of a line."""
APART = 1.0
"""A blank this high, in heights of a line, parts what is no column from one."""


@dataclass(frozen=True, slots=True)
class Gutter:
    """A blank rectangle between columns, and what stands around it."""

    above: list[Box]
    left: list[Box]
    right: list[Box]
    below: list[Box]


@dataclass(frozen=True, slots=True)
class _Blank:
    left: float
    right: float
    top: float
    bottom: float
    height: float


def find_gutter(boxes: list[Box]) -> Gutter | None:
    """Return the tallest gutter between columns, or None."""
    if len(boxes) < 2 * LEAST_ROWS:
        return None
    seen: set[frozenset[int]] = set()
    tables: list[frozenset[int]] = []
    for blank in sorted(_blanks(boxes), key=lambda blank: -blank.height):
        left, right = _beside(boxes, blank)
        members = frozenset(id(box) for box in (*left, *right))
        if members in seen or any(members < table for table in tables):
            continue
        if len(seen) == CANDIDATES:
            break
        seen.add(members)
        left, right = _trimmed(left, right)
        if not left or not right:
            continue
        if _has_rows([*left, *right]):
            # Some of its cells alone are too few rows to tell that they are a table.
            tables.append(members)
        elif are_columns(left, right):
            return _parted(boxes, left, right)
    return None


def _blanks(boxes: list[Box]) -> Iterator[_Blank]:
    """Yield blank rectangles of the least width that have rows on both sides."""
    boxes = sorted(boxes, key=lambda box: box.middle)
    left, top, right, bottom, middle = np.array(
        [(box.left, box.top, box.right, box.bottom, box.middle) for box in boxes]
    ).T
    height = line_height(boxes)
    least, shortest = GUTTER * height, (LEAST_ROWS - 0.6) * height
    for x in _ends(right, least / 4):
        blocks = (left < x + least) & (right > x)
        for start, end in _free(top[blocks], bottom[blocks]):
            first, last = np.searchsorted(middle, (start, end))
            if last - first < 2 * LEAST_ROWS or middle[last - 1] - middle[first] < shortest:
                continue
            on_left, on_right = right[first:last] <= x, left[first:last] >= x + least
            if min(np.count_nonzero(on_left), np.count_nonzero(on_right)) < LEAST_ROWS:
                continue
            # In the order of their middles, so the first and the last are the ends.
            upper, lower = middle[first:last][on_left], middle[first:last][on_right]
            shared = min(upper[-1], lower[-1]) - max(upper[0], lower[0])
            if shared > shortest:
                yield _Blank(x, x + least, start, end, shared)


def _ends(right: NDArray[np.float64], step: float) -> list[float]:
    """Return the right ends, of those within one step only the last."""
    ends = np.sort(right)
    steps = np.floor(ends / step)
    return ends[np.append(steps[1:] > steps[:-1], False)].tolist()


def _free(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return where, along the height of the page, none of these stand."""
    order = np.argsort(top)
    tops = np.append(top[order], np.inf)
    reached = np.append(-np.inf, np.maximum.accumulate(bottom[order]))
    free = tops > reached
    return list(zip(reached[free].tolist(), tops[free].tolist(), strict=True))


def _beside(boxes: list[Box], blank: _Blank) -> tuple[list[Box], list[Box]]:
    inside = [box for box in boxes if blank.top < box.middle < blank.bottom]
    left = [box for box in inside if box.right <= blank.left]
    return left, [box for box in inside if box.left >= blank.right]


def _trimmed(left: list[Box], right: list[Box]) -> tuple[list[Box], list[Box]]:
    """Return both sides without what stands alone above and below them: running heads and the like.

    What stands above the left column is read first anyway, and last what is below the right one.
    """
    height = line_height([*left, *right])
    groups = _apart([*left, *right], APART * height)
    sides = {id(box): 0 for box in left} | {id(box): 1 for box in right}
    first, last = 0, len(groups)
    while last - first > 1 and _stands_alone(groups[first], sides, 1):
        first += 1
    while last - first > 1 and _stands_alone(groups[last - 1], sides, 0):
        last -= 1
    kept = [box for group in groups[first:last] for box in group]
    return [box for box in kept if not sides[id(box)]], [box for box in kept if sides[id(box)]]


def _apart(boxes: list[Box], least: float) -> list[list[Box]]:
    """Return the boxes in groups that a blank of `least` pixels parts, from the top."""
    groups: list[list[Box]] = []
    bottom = -np.inf
    for box in sorted(boxes, key=lambda box: box.top):
        if box.top >= bottom + least:
            groups.append([])
        groups[-1].append(box)
        bottom = max(bottom, box.bottom)
    return groups


def _stands_alone(group: list[Box], sides: dict[int, int], side: int) -> bool:
    """Return whether this is one row, or a few rows of one side."""
    count = len(rows_of(group))
    return count == 1 or (count < LEAST_ROWS and all(sides[id(box)] == side for box in group))


def _parted(boxes: list[Box], left: list[Box], right: list[Box]) -> Gutter:
    inside = {id(box) for box in (*left, *right)}
    middle = (
        max(min(box.top for box in left), min(box.top for box in right))
        + min(max(box.bottom for box in left), max(box.bottom for box in right))
    ) / 2
    others = [box for box in boxes if id(box) not in inside]
    above = [box for box in others if box.middle < middle]
    return Gutter(above, left, right, [box for box in others if box.middle >= middle])


def are_columns(left: list[Box], right: list[Box]) -> bool:
    """Return whether both sides are columns of text, to be read one after the other.

    They are if both hold running text, and also if their rows are at heights of their own; what
    stands row beside row in short cells is a table.
    """
    boxes = [*left, *right]
    height = line_height(boxes)
    least = GUTTER * height
    near_left = rows_of(columns_of(left, least)[-1])
    near_right = rows_of(columns_of(right, least)[0])
    if min(len(near_left), len(near_right)) < LEAST_ROWS:
        return False
    if is_running_text(near_left) and is_running_text(near_right):
        return True
    if _aligned(near_left, near_right) >= ALIGNED:
        return False
    return _is_dense(near_left, near_right) or (
        min(_median_width(near_left), _median_width(near_right)) >= RUNNING * height
    )


def _aligned(left: list[list[Box]], right: list[list[Box]]) -> float:
    """Return the share of rows, of the side with fewer, that stand beside one of the other."""
    fewer, more = sorted((_middles(left), _middles(right)), key=len)
    height = line_height([box for row in (*left, *right) for box in row])
    low, high = max(fewer.min(), more.min()) - height, min(fewer.max(), more.max()) + height
    fewer = fewer[(fewer >= low) & (fewer <= high)]
    if not len(fewer):
        return 0.0
    distance = np.abs(fewer[:, None] - more[None, :]).min(axis=1)
    return np.count_nonzero(distance < LEVEL * height) / len(fewer)


def _is_dense(left: list[list[Box]], right: list[list[Box]]) -> bool:
    """Return whether, where both sides are, they have about as many rows."""
    first, second = _middles(left), _middles(right)
    low, high = max(first.min(), second.min()), min(first.max(), second.max())
    counts = sorted(int(((m >= low) & (m <= high)).sum()) for m in (first, second))
    return counts[0] >= 0.75 * counts[1] and counts[0] >= LEAST_ROWS


def _middles(rows: list[list[Box]]) -> NDArray[np.float64]:
    return np.array([sum(box.middle for box in row) / len(row) for row in rows], np.float64)


def _median_width(rows: list[list[Box]]) -> float:
    return float(np.median(np.array([_width(row) for row in rows], np.float64)))


def _width(row: list[Box]) -> float:
    return max(box.right for box in row) - min(box.left for box in row)


def _has_rows(boxes: list[Box]) -> bool:
    """Return whether these are rows of a table whose cells hold several lines each.

    Then blank stripes run through all columns again and again, and the cells below each begin
    side by side. In columns of running text paragraphs hardly ever end together.
    """
    least = GUTTER * line_height(boxes)
    groups = row_groups(bands_of(boxes))
    if len(groups) < 3:
        return False
    side_by_side = 0
    for group in groups:
        members = [box for band in group for box in band]
        cells = columns_of(members, least)
        tops = [min(box.middle for box in cell) for cell in cells]
        close = max(tops) - min(tops) < 0.3 * line_height(group[0])
        rows = [rows_of(cell) for cell in cells]
        # A blank inside one of them is the end of a paragraph while the column beside runs on, and
        # cells of one row hardly ever have equally many lines, as columns on a grid do.
        whole = all(len(row_groups(cell)) == 1 for cell in rows)
        uneven = len(group) <= 2 or len({len(cell) for cell in rows}) > 1
        if len(cells) > 1 and close and whole and uneven:
            side_by_side += len(members)
    return side_by_side >= 0.6 * len(boxes)


def is_running_text(rows: list[list[Box]]) -> bool:
    """Return whether the lines mostly fill the width they share, and are longer than cells are."""
    if len(rows) < LEAST_ROWS:
        return False
    boxes = [box for row in rows for box in row]
    widths = np.array([_width(row) for row in rows], np.float64)
    span = max(box.right for box in boxes) - min(box.left for box in boxes)
    full = np.count_nonzero(widths >= FULL * span) / len(widths)
    return bool(full >= 0.5 and np.median(widths) >= RUNNING * line_height(boxes))
