"""Cuts lines out of a page and brings them to the shapes the recognizer takes."""

from dataclasses import dataclass, replace
from math import ceil

import cv2
import numpy as np

from ocr_grpc.engines.ppocr.models import LINE_HEIGHT, PAD_LEVEL
from ocr_grpc.engines.ppocr.pixels import Pixels, contrasted, grey, resized, rgb
from ocr_grpc.engines.ppocr.regions import Region

STRETCH = 0.07
"""A strip is squeezed by at most this share to fit a narrower width; measured to cost no letter."""
UPRIGHT_DEGREES = 0.25
"""Lines turned by less are cut out as they are."""


def cut_out(page: Pixels, region: Region) -> Pixels:
    """Return the pixels of a region, turned upright, in the page's resolution."""
    if _is_level(region):
        left, top, right, bottom = _slice(page, region)
        return page[top:bottom, left:right]
    width, height = max(1, round(region.width)), max(1, round(region.height))
    corners = region.corners()[[0, 1, 3]]
    target = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    # Only the surroundings of the line are handed over: OpenCV's warp takes no image of more
    # than 32,767 pixels a side.
    left, top = np.floor(region.corners().min(axis=0)).astype(int) - 2
    right, bottom = np.ceil(region.corners().max(axis=0)).astype(int) + 2
    left, top = max(0, left), max(0, top)
    part = np.ascontiguousarray(page[top : max(top + 1, bottom), left : max(left + 1, right)])
    matrix = cv2.getAffineTransform(corners - np.array([left, top], np.float32), target)
    turned = cv2.warpAffine(
        part, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, np.uint8)


def place_of_cut(page: Pixels, region: Region) -> tuple[float, float]:
    """Return where what `cut_out` gives begins along the region, and how wide a column is there.

    Both in pixels of the page.
    """
    if _is_level(region):
        return _slice(page, region)[0] - float(region.corners()[:, 0].min()), 1.0
    return 0.0, region.width / max(1, round(region.width))


def _is_level(region: Region) -> bool:
    drop = abs(np.sin(np.deg2rad(region.angle))) * region.width
    return abs(region.angle) < UPRIGHT_DEGREES or bool(drop < 0.06 * region.height)


def _slice(page: Pixels, region: Region) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a level region on the page, in whole pixels."""
    left, top = region.corners().min(axis=0)
    right, bottom = region.corners().max(axis=0)
    height, width = page.shape[:2]
    left, top = int(np.clip(round(left), 0, width - 1)), int(np.clip(round(top), 0, height - 1))
    right = int(np.clip(round(right), left + 1, width))
    bottom = int(np.clip(round(bottom), top + 1, height))
    return left, top, right, bottom


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """What the recognizer is given of a line.

    Attributes:
        pixels: (48, width, 3) RGB.
        inner: the columns of it that the line takes; the rest is padding.
        left: where it begins, in columns of what was cut out.
        right: where it ends, exclusive.
    """

    pixels: Pixels
    inner: int
    left: int
    right: int

    def moved(self, columns: int) -> "Strip":
        """Return the same strip, further to the right."""
        return replace(self, left=self.left + columns, right=self.right + columns)


def strips_of(cut: Pixels, widths: tuple[int, ...]) -> list[Strip]:
    """Return the line as strips from left to right, one unless it is very long.

    Args:
        cut: what `cut_out` returned.
        widths: the widths the recognizer takes, smallest first.
    """
    natural = cut.shape[1] * LINE_HEIGHT / cut.shape[0]
    if natural <= widths[-1] * (1 + STRETCH):
        return [_strip(cut, natural, widths)]
    parts = ceil(natural / widths[-1])
    place = widest_gap(cut, cut.shape[1] / parts)
    rest = [strip.moved(place) for strip in strips_of(cut[:, place:], widths)]
    return strips_of(cut[:, :place], widths) + rest


def widest_gap(cut: Pixels, near: float) -> int:
    """Return the column in the middle of the widest gap between words at or before `near`.

    Gaps are looked for in the last third before `near`; without one the emptiest column is taken.
    """
    start, end = int(near * 0.67), max(int(near * 0.67) + 1, int(near))
    part = grey(cut[:, start:end]).astype(np.int16)
    spread = part.max(axis=0) - part.min(axis=0)
    blank = spread <= spread.min() + 24
    edges = np.flatnonzero(np.diff(np.concatenate([[False], blank, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    first, last = runs[np.argmax(runs[:, 1] - runs[:, 0])]
    return int(np.clip(start + (first + last) // 2, 1, cut.shape[1] - 1))


def _strip(cut: Pixels, natural: float, widths: tuple[int, ...]) -> Strip:
    width = next((w for w in widths if w * (1 + STRETCH) >= natural), widths[-1])
    inner = min(width, max(1, round(natural)))
    strip = np.full((LINE_HEIGHT, width, 3), PAD_LEVEL, np.uint8)
    strip[:, :inner] = rgb(contrasted(resized(cut, inner, LINE_HEIGHT)))
    return Strip(strip, inner, 0, cut.shape[1])
