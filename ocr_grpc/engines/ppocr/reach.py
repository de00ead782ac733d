"""Stretches the regions of lines over what the detector leaves out at their ends.

The detector does not see a single hyphen, dash or bullet before a line, nor some punctuation set
apart after it. A small spot of ink beside a line, at its height and with nothing above or below,
belongs to it.
"""

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.ppocr.pixels import Pixels, grey, spots
from ocr_grpc.engines.ppocr.regions import Region

REACH = 2.5
"""How far from the end of a line is looked, in heights of its region."""
INK = 50
"""Grey levels that a spot differs from the paper around it."""
SPOT = (0.1, 0.008, 0.7)
"""Least width, least area and greatest height of a spot, in heights of the region (squared)."""
LEVEL_DEGREES = 0.5
"""Lines turned by more keep their ends: spots beside them are not at their height any more."""


def reached(page: Pixels, regions: list[Region]) -> list[Region]:
    """Return the regions with the spots beside them, in the same order."""
    if not regions:
        return []
    sides = np.array([_sides(region) for region in regions])
    return [_stretched(page, region, sides, place) for place, region in enumerate(regions)]


def _sides(region: Region) -> tuple[float, float, float, float]:
    half_width, half_height = region.width / 2, region.height / 2
    return (
        region.x - half_width,
        region.y - half_height,
        region.x + half_width,
        region.y + half_height,
    )


def _stretched(page: Pixels, region: Region, sides: NDArray[np.float64], place: int) -> Region:
    if abs(region.angle) > LEVEL_DEGREES or region.width < region.height:
        return region
    left, top, right, bottom = sides[place].tolist()
    beside = (sides[:, 1] < bottom) & (sides[:, 3] > top)
    beside[place] = False
    # Up to the next region on either side, the page's edge, or as far as a spot may stand.
    low = max(0.0, left - REACH * region.height, *sides[beside & (sides[:, 0] < left), 2].tolist())
    high = min(
        float(page.shape[1]),
        right + REACH * region.height,
        *sides[beside & (sides[:, 2] > right), 0].tolist(),
    )
    rows = page[max(0, round(top)) : max(1, round(bottom))]
    new_left = left - _spot_width(rows[:, round(low) : round(left)][:, ::-1])
    new_right = right + _spot_width(rows[:, round(right) : round(high)])
    return Region(
        (new_left + new_right) / 2, region.y, new_right - new_left, region.height, region.angle
    )


def _spot_width(space: Pixels) -> float:
    """Return how far into the space, seen from the line on its left, its spots of ink reach.

    0.0 without one, or where anything but spots stands in the space: a rule, a picture.
    """
    height, width = space.shape[:2]
    if height < 6 or width < 3:
        return 0.0
    light = grey(np.ascontiguousarray(space))
    paper = int(np.median(light))
    mask = np.abs(light.astype(np.int16) - paper) > INK
    if not mask.any():
        return 0.0
    reach = 0
    reach = 0
    for left, top, wide, high, area in spots(mask)[0].tolist():
        inside = top > 0 and top + high < height and left + wide < width
        small = high <= SPOT[2] * height
        # A spot that begins where the region ends is cut by it: a quote, a full stop.
        least = SPOT[0] * height if left > 0 else 1
        if not (inside and small):
            return 0.0
        if wide >= least and area >= SPOT[1] * height**2:
            reach = max(reach, left + wide)
    return reach + 0.1 * height if reach else 0.0
