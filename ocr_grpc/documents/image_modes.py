"""Turns every pixel format Pillow knows into 8-bit grey or RGB on white. Child only.

A few rows at a time, so that a conversion never needs the memory of a whole page again.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BAND_ROWS = 256
_WHITE = (255, 255, 255)
_DEPTHS = (255.0, 4095.0, 65535.0)
"""A file does not say how many of its bits are used: scanners put 12 into 16."""


def flat_bands(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the picture from top to bottom in modes L or RGB, transparent parts shown on white."""
    if image.mode == "F" or image.mode.startswith("I"):
        low, span = _range(image)
        for band in _bands(image):
            yield _scaled(np.asarray(band), low, span)
    else:
        for band in _bands(image):
            yield _flat(band)


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    for top in range(0, image.height, _BAND_ROWS):
        yield image.crop((0, top, image.width, min(image.height, top + _BAND_ROWS)))


def _flat(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode in ("1", "L"):
        return image.convert("L")
    if image.mode == "LAB":
        return image.getchannel("L")  # its lightness, for which no colours need be computed
    if image.mode == "P" and image.palette is not None and image.palette.mode == "L":
        return image.convert("L")
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in ("1", "L", "LA", "La")
    with_alpha = image.convert("LA" if grey else "RGBA")
    flat = Image.new("L" if grey else "RGB", image.size, 255 if grey else _WHITE)
    flat.paste(with_alpha.convert(flat.mode), mask=with_alpha.getchannel("A"))
    return flat


def _range(image: Image.Image) -> tuple[float, float]:
    """Return the value of 12-, 16-, 32-bit or floating grey that is black, and how far white is."""
    low, high = float("inf"), float("-inf")
    for band in _bands(image):
        values = np.asarray(band)
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if high < low:
        return 0.0, 1.0  # not one number in it
    if low < 0 or high > _DEPTHS[-1] or (image.mode == "F" and high <= 1):
        return low, (high - low) or 1.0
    return 0.0, next(depth for depth in _DEPTHS if high <= depth)


def _scaled(values: NDArray[np.generic], low: float, span: float) -> Image.Image:
    scaled = (values.astype(np.float32) - low) * (255.0 / span)
    scaled = np.nan_to_num(scaled, nan=255.0, posinf=255.0, neginf=0.0)
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
