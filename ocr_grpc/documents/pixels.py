"""From pixels in memory to a spool file, in grey where colour would say nothing. Child only."""

import os
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SAMPLE_STEP = 3
"""Every third pixel of every third row is looked at for colour: thinner strokes are rare."""
_COLOUR_SPREAD = 32
"""Channels of a grey pixel differ by less, even after a JPEG scanner had its way."""
_COLOUR_SHARE = 0.0005
"""So few coloured pixels are dirt: two thousand on an A4 page at 200 dpi."""

_BAND_ROWS = 256
"""Pictures are converted in bands, so that a copy never needs the memory of a page."""


def has_colour(rgb: NDArray[np.uint8]) -> bool:
    """Return whether a (height, width, 3 or more) picture would lose something in grey."""
    sample = np.ascontiguousarray(rgb[::_SAMPLE_STEP, ::_SAMPLE_STEP, :3].transpose(2, 0, 1))
    red, green, blue = sample
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return int(np.count_nonzero(spread >= _COLOUR_SPREAD)) > _COLOUR_SHARE * spread.size


def grey_bands(rgb: NDArray[np.uint8]) -> Iterator[bytes]:
    """Yield the luminance of a (height, width, 3) picture a few rows at a time."""
    height, width = rgb.shape[:2]
    for top in range(0, height, _BAND_ROWS):
        band = rgb[top : top + _BAND_ROWS]
        picture = Image.frombuffer("RGB", (width, len(band)), band, "raw", "RGB", 0, 1)
        yield picture.convert("L").tobytes()


def write_spool(sink: int, pieces: Iterable[bytes | memoryview]) -> None:
    """Write the pieces of a picture to an open file.

    Raises:
        OSError: the disk is full, or the file would grow over its limit.
    """
    for piece in pieces:
        unwritten = memoryview(piece).cast("B")
        while unwritten:
            unwritten = unwritten[os.write(sink, unwritten) :]
