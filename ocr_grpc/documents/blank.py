"""Tells pages that nothing can be read on from all others; when in doubt, it can. Child only.

A page has ink where it differs from the paper around it by more than its own noise, over more room
than a speck of dust takes. Noise is measured on the page itself, so grey and grainy paper is paper;
shadows at the edges of a scan and punch holes are told by their place and shape.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ocr_grpc.documents.marks import Mark, marks_of

Mask = NDArray[np.bool_]

_DPI = 100
"""The resolution a page is looked at: a 6-point digit is 6 pixels high, and noise averages out."""
_UNKNOWN_SIDE_INCHES = 11.7
"""A picture that does not say its resolution is taken for a sheet of A4."""
_PAPER = 16
"""The paper's own shade is the mean of a square of so many pixels, 4 mm, and of its neighbours."""
_RIM = 3
"""Squares at the edges of a page that do not say what shade the paper has."""
_FAINTEST = 6.0
"""Grey levels between paper and the faintest ink, after averaging four pixels."""
_NOISE = 4.7
"""Ink differs by so many standard deviations of the paper; single pixels may by chance."""
_TOO_NOISY = 18.0
"""Where that needs more grey levels than this, faint ink could hide: the page is not blank."""
_CLEAR = 60
"""So many grey levels make ink whatever the paper is."""
_FULL = 0.01
"""With this share of ink within the margins there is no need to look at shapes."""
_MARGIN = 0.06
_SPECK_POINTS = 2.2
_SPECK_PIXELS = 4
"""Dust is smaller; the digits of 6-point print are 4 points high."""
_SHADOW_POINTS = 40.0
"""A shadow reaches less far from the edge into the page."""
_FRINGE = 6
"""Pixels beside a shadow in which it fades away."""
_HOLE_POINTS = (10.0, 26.0)
"""The width of a punch hole: 4 to 9 mm."""
_HOLE_PLACE_POINTS = 75.0
"""Its centre is nearer to an edge."""


def reduction(width: int, height: int, dpi: float) -> int:
    """Return by which whole factor to shrink a page for `is_blank`; `dpi` is 0 if not known."""
    return max(1, int(_own_dpi(width, height, dpi) / _DPI + 0.3))


def shrunk(picture: Image.Image, factor: int) -> NDArray[np.uint8]:
    """Return a page in mode L or RGB, or a part of it, as (rows, columns, channels)."""
    small = np.asarray(picture.reduce(factor) if factor > 1 else picture)
    return small.reshape(*small.shape[:2], -1)


def is_blank(page: NDArray[np.uint8], dpi: float) -> bool:
    """Return whether there is nothing on the page that an engine could read.

    Args:
        page: (height, width, channels), shrunk by `reduction`.
        dpi: of the shrunk page; 0 if not known.

    Source: paper as the local mean, ink by its distance in deviations, as Niblack, An introduction
    to digital image processing, 1986, pages 115-116; with one robust deviation for the whole page,
    because paper has one kind of noise. The numbers were found by trial, see tests/documents.
    """
    points = _own_dpi(page.shape[1], page.shape[0], dpi) / 72
    # Yellow on white is nearly as light as white, but black in the blue of it.
    channels = range(page.shape[2])
    return not any(_has_ink(np.ascontiguousarray(page[:, :, n]), points) for n in channels)


def _own_dpi(width: int, height: int, dpi: float) -> float:
    return dpi or max(72.0, min(max(width, height) / _UNKNOWN_SIDE_INCHES, 2.0 * _DPI))


def _has_ink(plane: NDArray[np.uint8], points: float) -> bool:
    height, width = plane.shape
    if height < 2 * _PAPER or width < 2 * _PAPER:
        return int(plane.max()) - int(plane.min()) > _FAINTEST
    sample = plane[::4, ::4].astype(np.int16)
    if _is_full(np.abs(sample - int(np.median(sample[::2, ::2]))) > _CLEAR):
        return True
    difference = _difference(plane)
    deviation = _deviation(difference)
    if _NOISE * deviation > _TOO_NOISY:
        return True
    threshold = round(4 * max(_FAINTEST, _NOISE * deviation))
    ink = difference > threshold
    ink |= difference < -threshold
    if _is_full(ink):
        return True
    for turn in range(4):
        _clear_shadow(np.rot90(ink, turn), round(_SHADOW_POINTS * points))
    marks = marks_of(ink)
    return marks is None or any(_is_ink(mark, height, width, points) for mark in marks)


def _is_full(ink: Mask) -> bool:
    height, width = ink.shape
    rows, columns = int(height * _MARGIN), int(width * _MARGIN)
    inner = ink[rows : height - rows, columns : width - columns]
    return int(np.count_nonzero(inner)) > _FULL * inner.size


def _difference(plane: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return by how much each four pixels together, summed up, are darker than the paper."""
    picture = Image.fromarray(plane)
    coarse = picture.reduce(_PAPER)
    if min(coarse.size) > 2 * _RIM:
        # A hole is larger than a square, but of a square and its neighbours most are paper. At the
        # rim, where shadows lie, the paper is as further in.
        inner = np.asarray(coarse.filter(ImageFilter.MedianFilter(5)))[_RIM:-_RIM, _RIM:-_RIM]
        coarse = Image.fromarray(np.pad(inner, _RIM, "edge"))
    paper = np.asarray(coarse.resize(picture.size, Image.Resampling.BILINEAR))
    darker = np.subtract(paper, plane, dtype=np.int16)
    rows = darker[1:] + darker[:-1]
    return rows[:, 1:] + rows[:, :-1]


def _deviation(difference: NDArray[np.int16]) -> float:
    """Return the standard deviation of the paper, whatever else is on it, in grey levels."""
    sample = np.abs(difference[::5, ::5])
    # The scale at which two thirds of a normal distribution are: finer than a median of integers.
    inner = sample[sample <= 3 * max(1.0, 1.4826 * float(np.median(sample)))]
    return float(np.sqrt(np.mean(inner.astype(np.float32) ** 2))) / 4


def _clear_shadow(ink: Mask, depth: int) -> None:
    """Remove what reaches into the page from its left edge without a gap, if not too far."""
    border = ink[:, : depth + 1]
    border = np.logical_and.accumulate(border, axis=1)
    reach = border.sum(axis=1)
    for row in np.flatnonzero(reach).tolist():
        if reach[row] <= depth:
            near = slice(max(0, row - _FRINGE), row + _FRINGE + 1)
            ink[near, : int(reach[row]) + _FRINGE] = False


def _is_ink(mark: Mark, height: int, width: int, points: float) -> bool:
    """Return whether a mark is neither dust nor a hole."""
    # Averaging has made everything a pixel wider.
    if max(mark.width, mark.height) - 1 < _SPECK_POINTS * points or mark.area < _SPECK_PIXELS:
        return False
    sides = (mark.left, mark.top, width - mark.right, height - mark.bottom)
    nearest = min(sides) + min(mark.width, mark.height) / 2
    filled = mark.area / (mark.width * mark.height)
    round_ = 0.85 < mark.width / mark.height < 1.18 and 0.7 < filled < 0.88
    low, high = (side * points for side in _HOLE_POINTS)
    hole = round_ and low <= mark.width <= high and nearest < _HOLE_PLACE_POINTS * points
    return not hole
