"""How small the print on a page is, found cheaply, so that the detector sees it large enough.

A detector that sees a shrunken page loses small print without a word, and one that sees large print
unshrunk wastes its time. Connected components tell the height of the letters in some 10 ms a
megapixel, a tenth of what the detector needs.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation, ReadCancelled
from ocr_grpc.engines.ppocr.pixels import Pixels, grey, spots

BAND_HEIGHT = 2048
"""Rows looked at together; bounds memory on huge pages and the wait for a cancellation."""
CONTRASTS = (20, 7)
"""Grey levels ink differs from its surroundings by: the second where the first shows none."""
NOT_BLANK = 6
"""Grey levels that suffice for a place to count as not blank."""
CLASS_RATIO = 1.6
"""Letters of one run differ in height by less than this (`x` and `d`)."""
FEW = 12
"""Letters of a size that are no chance any more."""


@dataclass(frozen=True, slots=True)
class Print:
    """The letters of a page and where anything at all stands.

    Attributes:
        x: (n,) centres of letters that stand in a row with others like them, in pixels.
        y: (n,) likewise.
        height: (n,) their heights in pixels.
        ink: (rows, columns) bool, one entry for a square of `CELL` pixels: whether it is not blank.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    height: NDArray[np.float32]
    ink: NDArray[np.bool_]


CELL = 8


def measure_print(pixels: Pixels, cancellation: Cancellation) -> Print:
    """Return where letters stand on a page and how tall they are.

    Raises:
        ReadCancelled: within a few hundredths of a second of the cancellation.
    """
    inks: list[NDArray[np.bool_]] = []
    letters: list[NDArray[np.float32]] = []
    for top in range(0, pixels.shape[0], BAND_HEIGHT):
        if cancellation.is_set():
            raise ReadCancelled
        band = grey(pixels[top : top + BAND_HEIGHT])
        difference = _difference(band)
        inks.append(_cells(difference > NOT_BLANK))
        found = _letters(difference > CONTRASTS[0])
        if len(found) < 3 and inks[-1].any():
            found = _letters(difference > CONTRASTS[1])
        found[:, 1] += top
        letters.append(found)
    x, y, height = np.concatenate(letters).T
    return Print(x, y, height, np.concatenate(inks))


def common_height(heights: NDArray[np.float32]) -> float:
    """Return the height of the small letters of the text, or 0.0 if there is none.

    A tenth may be smaller: what is not print (dots of a leader, specks) stands in rows too.
    """
    return float(np.percentile(heights, 10)) if len(heights) else 0.0


def smallest_height(heights: NDArray[np.float32]) -> float:
    """Return the height of the smallest letters of which there are some words, or 0.0.

    One short footnote below a full page is enough.
    """
    if not len(heights):
        return 0.0
    return float(np.partition(heights, min(FEW, len(heights)) - 1)[min(FEW, len(heights)) - 1])


def _difference(band: Pixels) -> Pixels:
    """Return how far each pixel is darker than the paper, or lighter on a dark page."""
    if np.median(band[::8, ::8]) < 100:
        band = np.asarray(cv2.bitwise_not(band), np.uint8)
    paper = cv2.blur(band, (31, 31))
    return np.asarray(cv2.subtract(paper, band), np.uint8)


def _cells(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    height, width = mask.shape
    rows, columns = -(-height // CELL), -(-width // CELL)
    padded = np.zeros((rows * CELL, columns * CELL), np.bool_)
    padded[:height, :width] = mask
    cells: NDArray[np.bool_] = np.any(padded.reshape(rows, CELL, columns, CELL), axis=(1, 3))
    return cells


def _letters(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return (n, 3) x, y, height of the components that stand in a row with two of their size."""
    stats, centres = spots(mask)
    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    # Neither rules nor pictures nor specks; `l` is narrow and `m` wide, touching letters wider.
    letterlike = (height >= 3) & (height <= 400) & (width <= 8 * height) & (height <= 12 * width)
    letterlike &= area >= 5
    found = np.column_stack([centres, height])[letterlike].astype(np.float32)
    in_a_row = np.zeros(len(found), np.bool_)
    edge = 3.0
    while edge < 400:
        # Classes overlap, so that no two neighbours of about the same size are kept apart.
        members = np.flatnonzero((found[:, 2] >= edge) & (found[:, 2] < edge * CLASS_RATIO**1.5))
        in_a_row[members[_neighboured(found[members])]] = True
        edge *= CLASS_RATIO
    return found[in_a_row]


def _neighboured(letters: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of the letters (n, 3) stand three or more in a row.

    Sorting by rows as high as the letters puts neighbours side by side, unless the border of two
    rows runs between their centres; rows moved by half their height find those.
    """
    result = np.zeros(len(letters), np.bool_)
    if len(letters) < 3:
        return result
    x, y, height = letters.T
    row_height = float(np.median(height)) * 1.5
    for shift in (0.0, 0.5):
        order = np.lexsort((x, np.floor(y / row_height + shift)))
        gap, drop = np.diff(x[order]), np.abs(np.diff(y[order]))
        near = (gap > 0) & (gap < 2.5 * height[order][1:]) & (drop < 0.7 * height[order][1:])
        # Two spots side by side are a quotation mark; three are letters.
        middle = np.flatnonzero(near[:-1] & near[1:]) + 1
        for neighbour in (-1, 0, 1):
            result[order[middle + neighbour]] = True
    return result
