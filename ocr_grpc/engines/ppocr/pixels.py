"""The array types every part of the engine passes around, and OpenCV where its types are loose."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(height, width) grey or (height, width, 3) RGB, uint8."""
Probabilities = NDArray[np.uint8]
"""(height, width): how probable it is that a pixel lies inside a line of text, 0..255 for 0..1."""
Corners = NDArray[np.float32]
"""(4, 2): x and y of a rectangle's corners, clockwise from the top left as the text is read."""

FAINT = 96
"""Grey levels between ink and paper under which print is read badly (measured)."""
FAINTEST = 10
"""Grey levels that noise of a blank page may have."""


def grey(pixels: Pixels) -> Pixels:
    """Return (height, width) grey; the same array if it already is."""
    return (
        pixels
        if pixels.ndim == 2
        else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    )


def rgb(pixels: Pixels) -> Pixels:
    """Return (height, width, 3); the same array if it already is."""
    return (
        pixels
        if pixels.ndim == 3
        else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    )


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return the image in another size, averaging where it shrinks so that thin strokes survive."""
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def spots(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the connected components of a mask.

    Returns:
        (n, 5): left, top, width, height, area of each in pixels; and (n, 2): x, y of its centre.
    """
    found: Any = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(found[2][1:], np.int32), np.asarray(found[3][1:], np.float64)


def contrasted(pixels: Pixels) -> Pixels:
    """Return faint print stretched over the whole range; the same array if it is not faint.

    Almost blank pixels stay as they are: stretching would turn their noise into something.
    """
    if not pixels.size:
        return pixels
    low, high = int(pixels.min()), int(pixels.max())
    if not FAINTEST <= high - low < FAINT:
        return pixels
    scale = 255 / (high - low)
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=scale, beta=-low * scale), np.uint8)
