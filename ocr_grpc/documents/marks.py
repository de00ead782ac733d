"""Finds the marks in a picture of a few dark spots: spots that stand together. Child only."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CELL = 4
"""Spots less than about so many pixels apart are of one mark: the dots of a printer form a line."""
_MOST_CELLS = 3_000
"""Cells with spots are followed one by one: with more this would take too long."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a mark stands, in pixels, right and bottom exclusive, and how many are dark."""

    left: int
    top: int
    right: int
    bottom: int
    area: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top


def marks_of(dark: NDArray[np.bool_]) -> list[Mark] | None:
    """Return the marks of a (height, width) picture; None if there are too many to tell apart."""
    y, x = np.nonzero(dark)
    columns = dark.shape[1] // _CELL + 3  # one more on either side: no cell has a neighbour there
    cells, cell_of = np.unique((y // _CELL) * columns + x // _CELL + 1, return_inverse=True)
    if len(cells) > _MOST_CELLS:
        return None
    mark_of = _joined(cells.tolist(), columns)[cell_of]
    # In the order of their marks, the spots of each stand side by side.
    order = np.argsort(mark_of, kind="stable")
    begins = np.flatnonzero(np.diff(mark_of[order])) + 1
    return [_mark(x[spots], y[spots]) for spots in np.split(order, begins) if len(spots)]


def _joined(cells: list[int], columns: int) -> NDArray[np.intp]:
    """Return for each cell the number of its mark; cells that touch are of the same."""
    unseen = dict.fromkeys(cells, -1)
    marks = 0
    for cell in cells:
        if unseen[cell] >= 0:
            continue
        unseen[cell] = marks
        pending = [cell]
        while pending:
            for neighbour in _around(pending.pop(), columns):
                if unseen.get(neighbour) == -1:
                    unseen[neighbour] = marks
                    pending.append(neighbour)
        marks += 1
    return np.array([unseen[cell] for cell in cells], np.intp)


def _around(cell: int, columns: int) -> Iterator[int]:
    for row in (cell - columns, cell, cell + columns):
        yield from (row - 1, row, row + 1)


def _mark(x: NDArray[np.intp], y: NDArray[np.intp]) -> Mark:
    return Mark(int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1, len(x))
