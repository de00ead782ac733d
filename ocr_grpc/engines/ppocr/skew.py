"""How far a page is skewed whose lines are too short to tell it, such as the cells of a table.

The cells of a row stand in one row only when the page is turned level, so the angle at which most
boxes share their rows is the page's.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

FEWEST = 6
"""Boxes that can be told to stand in rows; fewer do so at any angle by chance."""
AROUND = 3.0
"""Degrees around what the boxes say themselves; a grid stands in rows along its diagonals too."""
STEP = 0.1
ROW = 0.25
"""Boxes of one row differ in height by less than this share of the height of a line."""
CLEARLY = 1.2
"""Rows must be fuller by this factor than those of a level page, which most pages are."""


def angle_of_rows(x: Numbers, y: Numbers, height: Numbers, own: float) -> float:
    """Return the angle of the page in degrees clockwise, 0.0 if it does not clearly have one.

    Args:
        x: (n,) centres of the boxes in pixels.
        y: (n,) likewise.
        height: (n,) of the boxes in pixels.
        own: about what the angle is, in degrees; within `AROUND` of it is looked.

    Source: Baird, The skew angle of printed documents, SPSE 40th Conference, 1987: the angle at
    which the projection of the text has the most energy.
    """
    if len(x) < FEWEST:
        return 0.0
    bin_height = max(1.0, float(np.median(height)) * ROW)
    angles = own + np.arange(-AROUND, AROUND + STEP / 2, STEP)
    energies = np.array([_energy(x, y, float(angle), bin_height) for angle in angles])
    # The best ones lie side by side, and the truth in their middle.
    best = float(np.mean(angles[energies >= 0.98 * energies.max()]))
    level = _energy(x, y, 0.0, bin_height)
    return best if _energy(x, y, best, bin_height) > CLEARLY * level else 0.0


def _energy(x: Numbers, y: Numbers, degrees: float, bin_height: float) -> float:
    turn = np.deg2rad(degrees)
    rows = (y * np.cos(turn) - x * np.sin(turn)) / bin_height
    # Counted in two grids, half a row apart, so that no row is cut by the border of two in both.
    both = [
        np.bincount(np.floor(rows - rows.min() + shift).astype(np.int64)) for shift in (0.0, 0.5)
    ]
    return float(sum(np.sum(counts.astype(np.float64) ** 2) for counts in both))
