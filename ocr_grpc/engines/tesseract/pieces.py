"""The pixels of a page as files that Tesseract takes, in as few pieces as it can."""

import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

MAX_SIDE = 32_000
"""Tesseract refuses an image with a side of more than 32,767 pixels."""

SEARCHED_ROWS = 2_000
"""How far before that a gap between lines is looked for."""

MAX_COLOUR_PIXELS = 25_000_000
"""Tesseract takes 15 bytes of memory for a pixel in colour and 6 for a grey one."""

_ROWS_AT_ONCE = 256


class Piece(NamedTuple):
    """A part of a page and where it stands there, in pixels."""

    pixels: Pixels
    left: int
    top: int


def pieces(pixels: Pixels) -> Iterator[Piece]:
    """Yield the parts that Tesseract can read one by one: nearly always the whole."""
    for top, bottom in _parts(pixels):
        rows = pixels[top:bottom]
        for left, right in _parts(rows.swapaxes(0, 1)):
            yield Piece(rows[:, left:right], left, top)


def _parts(pixels: Pixels) -> Iterator[tuple[int, int]]:
    """Yield first and last row, the latter not included, of parts that are not too long."""
    first, length = 0, pixels.shape[0]
    while length - first > MAX_SIDE:
        searched = first + MAX_SIDE - SEARCHED_ROWS
        rows = pixels[searched : first + MAX_SIDE].reshape(SEARCHED_ROWS, -1)
        contrast = np.ptp(rows, axis=1)
        # The last of the rows that have the least on them.
        last = searched + SEARCHED_ROWS - 1 - int(np.argmin(contrast[::-1]))
        yield first, last
        first = last
    yield first, length


@contextmanager
def as_file(pixels: Pixels) -> Generator[BinaryIO]:
    """Yield an open file with an image as raw PNM, which costs nothing to decode."""
    with _unnamed() as file:
        height, width = pixels.shape[:2]
        grey = pixels.ndim == 2 or width * height > MAX_COLOUR_PIXELS
        file.write(f"P{5 if grey else 6}\n{width} {height}\n255\n".encode())
        for top in range(0, height, _ROWS_AT_ONCE):
            rows = np.ascontiguousarray(pixels[top : top + _ROWS_AT_ONCE])
            if grey and rows.ndim == 3:
                rows = np.asarray(Image.fromarray(rows).convert("L"))
            file.write(rows.tobytes())
        file.seek(0)  # and all of it is there: seeking empties the buffer
        yield file


def _unnamed() -> BinaryIO:
    """Return a new file without a name; in memory where the system has such files."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("page", os.MFD_CLOEXEC), "w+b")
    return cast("BinaryIO", tempfile.TemporaryFile())
