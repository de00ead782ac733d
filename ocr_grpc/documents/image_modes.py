"""Turns every pixel format Pillow knows into 8-bit grey or RGB on white. Child only."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WHITE = (255, 255, 255)


def eight_bit(image: Image.Image) -> Image.Image:
    """Return the picture in mode L or RGB, with what is transparent shown on white."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "F" or image.mode.startswith("I"):
        return _scaled(np.asarray(image))
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode == "P":
        palette = image.palette
        grey = palette is not None and palette.mode == "L"
        return image.convert("L" if grey else "RGB")
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in ("1", "L", "LA", "La")
    if image.mode in ("La", "RGBa"):
        image = image.convert("LA" if grey else "RGBA")
    with_alpha = image.convert("LA" if grey else "RGBA")
    flat = Image.new("L" if grey else "RGB", image.size, 255 if grey else _WHITE)
    flat.paste(with_alpha.convert(flat.mode), mask=with_alpha.getchannel("A"))
    return flat


def _scaled(values: NDArray[np.generic]) -> Image.Image:
    """Return 12-, 16- and 32-bit or floating grey in 8 bits.

    A file does not say how many of its bits are used: scanners put 12 into 16.
    """
    numbers = values.astype(np.float32)
    finite = numbers[np.isfinite(numbers)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low < 0 or high > 65535 or (values.dtype.kind == "f" and high <= 1):
        span = (high - low) or 1.0
    else:
        low, span = 0.0, next(top for top in (255.0, 4095.0, 65535.0) if high <= top)
    scaled = np.nan_to_num((numbers - low) * (255.0 / span), nan=255.0, posinf=255.0, neginf=0.0)
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
