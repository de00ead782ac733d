"""Puts the runs of a page into reading order and says what separates them. Child only.

The order of the file is believed unless geometry contradicts it, because well-made files have it
right, columns and tables included. Runs form rows, rows form blocks, and a block is moved only
before one that it stands above in the same column, or beside on the left at the same height.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from unicodedata import bidirectional

from ocr_grpc.documents.text_lines import Box, Frame, Run, union

_ROW_OVERLAP = 0.5
"""Runs share a row if they overlap by so much of the lower one's height."""
_EXTRA_GAP = 0.4
"""A gap larger than the usual one by this, in heights of a line, ends a paragraph."""
_WIDEST_GAP = 1.6
"""A larger gap, in heights of a line, always ends it."""
_SIZE_RATIO = 1.3
"""Lines whose heights differ by more are a heading and its text, not one paragraph."""
_MAX_SORTED_BLOCKS = 400
"""Comparing all pairs of more blocks would take longer than reading the page."""


@dataclass(slots=True)
class _Row:
    runs: list[Run]
    box: Box

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]


@dataclass(slots=True)
class _Block:
    rows: list[_Row]
    box: Box
    after: set[int] = field(default_factory=set[int])


def ordered(runs: list[Run]) -> list[tuple[Run, str]]:
    """Return the runs in reading order, each with what stands before it.

    That is a space, one line end or two; nothing before the first.
    """
    if not runs:
        return []
    quarters = Counter[int]()
    for run in runs:
        quarters[run.frame.quarter or 0] += len(run.text)
    main = Frame(quarters.most_common(1)[0][0] * 1.5707963267948966)
    result: list[tuple[Run, str]] = []
    for block in _sorted(_blocks(_rows(runs, main))):
        separator = "\n\n"
        for row in block.rows:
            for run in row.runs:
                result.append((run, separator))
                separator = " "
            separator = "\n"
    result[0] = (result[0][0], "")
    return result


def _box_in(frame: Frame, run: Run) -> Box:
    if run.frame.quarter == frame.quarter:
        return run.box
    corners = run.frame.corners(run.box)
    xs, ys = corners[0::2], corners[1::2]
    return frame.into((min(xs), min(ys), max(xs), max(ys)))


def _rows(runs: list[Run], frame: Frame) -> list[_Row]:
    rows: list[_Row] = []
    for run in runs:
        box = _box_in(frame, run)
        if rows and run.frame.quarter == frame.quarter and _continues(rows[-1], run, box):
            rows[-1].runs.append(run)
            rows[-1].box = union(rows[-1].box, box)
        else:
            rows.append(_Row([run], box))
    return rows


def _continues(row: _Row, run: Run, box: Box) -> bool:
    if run.continues:
        return True
    shared = min(row.box[3], box[3]) - max(row.box[1], box[1])
    if shared < _ROW_OVERLAP * min(row.height, box[3] - box[1]):
        return False
    slack = 0.2 * row.height
    if box[0] >= row.box[2] - slack:
        return True
    return box[2] <= row.box[0] + slack and bidirectional(run.text[0]) in ("R", "AL")


def _blocks(rows: list[_Row]) -> list[_Block]:
    usual = _usual_gap(rows)
    blocks: list[_Block] = []
    for row in rows:
        block = blocks[-1] if blocks else _Block([], row.box)
        if block.rows and _follows(block.rows[-1], row, usual):
            block.rows.append(row)
        elif block.rows and _follows(row, block.rows[0], usual):
            block.rows.insert(0, row)  # some programs write from the bottom up
        else:
            blocks.append(_Block([row], row.box))
            continue
        block.box = union(block.box, row.box)
    return blocks


def _usual_gap(rows: list[_Row]) -> float:
    gaps = [
        (row.box[1] - above.box[3]) / above.height
        for above, row in pairwise(rows)
        if above.height > 0 and _share_column(above.box, row.box)
    ]
    single = [gap for gap in gaps if -0.5 <= gap <= _WIDEST_GAP]
    return median(single) if single else 0.4


def _follows(above: _Row, row: _Row, usual: float) -> bool:
    """Whether `row` is the next line of the paragraph that `above` is in."""
    lower, higher = sorted((above.height, row.height))
    if lower <= 0 or higher > _SIZE_RATIO * lower or not _share_column(above.box, row.box):
        return False
    gap = (row.box[1] - above.box[3]) / higher
    return -0.7 <= gap <= min(usual + _EXTRA_GAP, _WIDEST_GAP)


def _share_column(one: Box, other: Box) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0])


def _sorted(blocks: list[_Block]) -> list[_Block]:
    count = len(blocks)
    if count > _MAX_SORTED_BLOCKS:
        return blocks
    for one in range(count):
        for other in range(one):
            if _precedes(blocks[one].box, blocks[other].box):
                blocks[other].after.add(one)
            elif _precedes(blocks[other].box, blocks[one].box):
                blocks[one].after.add(other)
    order: dict[int, None] = {}
    for index in range(count):
        _place(index, blocks, order, set())
    return [blocks[index] for index in order]


def _place(index: int, blocks: list[_Block], order: dict[int, None], under_way: set[int]) -> None:
    """Put a block at the end of `order`, and before it what must precede it and does not yet."""
    # Boxes can contradict each other in a circle: then the order of the file decides.
    if index in order or index in under_way:
        return
    under_way.add(index)
    for earlier in sorted(blocks[index].after):
        _place(earlier, blocks, order, under_way)
    order[index] = None


def _precedes(one: Box, other: Box) -> bool:
    slack = 0.25 * min(one[3] - one[1], other[3] - other[1])
    if _share_column(one, other):
        return one[3] <= other[1] + slack
    side_by_side = min(one[3], other[3]) - max(one[1], other[1]) > slack
    return side_by_side and one[2] <= other[0]
