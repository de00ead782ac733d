"""Cuts a page into tiles for the detector, each at the scale its print needs.

Starts from the whole page; whatever does not fit into a tile at the scale its own smallest print
needs is cut again, at a blank row or column where there is one nearby. Large print thus ends in few
coarse tiles and small print in fine ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.ppocr.print_size import CELL, Print, common_height, smallest_height

LETTER_HEIGHT = 6.5
"""Pixels a small letter should have in a tile, measured as the height of `x`."""
SCALES = (0.1, 2.0)
"""How far a page is shrunk or enlarged at most; enlarging helps print of under 9 pixels."""
MARGIN = 24
"""Pixels of a tile around the part it answers for, so that no letter is seen by its half."""
SNAP = 0.25
"""A cut moves by up to this share of a part to where the page is blank."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of the page the detector looks at in one go.

    Attributes:
        left, top, right, bottom: the part it answers for, in pixels of the page, right and bottom
            exclusive.
        scale: pixels of the tile for one pixel of the page.
    """

    left: int
    top: int
    right: int
    bottom: int
    scale: float


def plan_tiles(width: int, height: int, print_: Print, largest: tuple[int, int]) -> list[Tile]:
    """Return tiles that cover everything on the page that is not blank, without overlap.

    Args:
        width: of the page in pixels.
        height: likewise.
        print_: what `measure_print` found on it.
        largest: height and width of the largest tile the detector takes.
    """
    return list(_split(print_, 0, 0, width, height, largest))


def scale_for(heights: NDArray[np.float32]) -> float:
    """Return the scale at which letters of these heights in pixels are seen well; 0.5 if none.

    A page is enlarged only for what much of it consists of, because specks look like small letters
    and enlarging costs most; but not shrunk if only a few words would get lost.
    """
    if not len(heights):
        return 0.5
    for_all = min(1.0, LETTER_HEIGHT / smallest_height(heights))
    return float(np.clip(max(for_all, LETTER_HEIGHT / common_height(heights)), *SCALES))


def _split(
    print_: Print, left: int, top: int, right: int, bottom: int, largest: tuple[int, int]
) -> Iterator[Tile]:
    if not _ink(print_, left, top, right, bottom).any():
        return
    inside = (print_.x >= left) & (print_.x < right) & (print_.y >= top) & (print_.y < bottom)
    scale = scale_for(print_.height[inside])
    usable_height, usable_width = largest[0] - 2 * MARGIN, largest[1] - 2 * MARGIN
    rows = (bottom - top) * scale / usable_height
    columns = (right - left) * scale / usable_width
    # A scale smaller by a tenth is worth a row of tiles saved.
    fit = max(rows / ceil(rows * 0.9), columns / ceil(columns * 0.9), 1.0)
    scale, rows, columns = scale / fit, ceil(rows / fit - 1e-6), ceil(columns / fit - 1e-6)
    if rows <= 1 and columns <= 1:
        yield Tile(left, top, right, bottom, scale)
    elif rows > 1:
        cut = _cut(_ink(print_, left, top, right, bottom).sum(axis=1), top, bottom, rows)
        yield from _split(print_, left, top, right, cut, largest)
        yield from _split(print_, left, cut, right, bottom, largest)
    else:
        cut = _cut(_ink(print_, left, top, right, bottom).sum(axis=0), left, right, columns)
        yield from _split(print_, left, top, cut, bottom, largest)
        yield from _split(print_, cut, top, right, bottom, largest)


def _ink(print_: Print, left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    return print_.ink[top // CELL : -(-bottom // CELL), left // CELL : -(-right // CELL)]


def _cut(ink: NDArray[np.int_], start: int, end: int, parts: int) -> int:
    """Return where to cut off the first of `parts` parts: the emptiest place near its fair end."""
    fair = len(ink) / parts
    low, high = max(1, int(fair * (1 - SNAP))), min(len(ink) - 1, int(fair) + 1)
    window = ink[low : high + 1]
    blanks = np.flatnonzero(window == window.min())
    cut = start // CELL * CELL + (low + int(blanks[-1])) * CELL + CELL // 2
    return int(np.clip(cut, start + 1, end - 1))
