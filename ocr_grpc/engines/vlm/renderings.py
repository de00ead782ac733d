"""A page once more, as the model may read it better: turned upright, or with a margin of white."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.vlm.profile import ImageRule
from ocr_grpc.engines.vlm.requests import SentImage, image_of
from ocr_grpc.model import PageGeometry, RenderedPage

MARGIN_PX = 64
"""Sides become multiples of it, and longer: servers that cut an image into tiles of their own
fail on some sizes (`images_crop … expected 1024, got 640` of vLLM), and pass the next one."""
WHITE = 255


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a page is shown to the model.

    Attributes:
        turn_degrees: clockwise; 0, 90, 180 or 270.
        margin: whether there is white at its right and its end, so that it has another size.
    """

    turn_degrees: int = 0
    margin: bool = False


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page as it was sent, and the size that places on it refer to."""

    image: SentImage
    geometry: PageGeometry


def shown(page: RenderedPage, rule: ImageRule, rendering: Rendering) -> ShownPage:
    """Return a page encoded as the model wants it. Blocking: call it in a thread.

    Raises:
        OSError, VisionFailed: see `image_of`.
    """
    if rendering == Rendering():
        return ShownPage(image_of(page, rule), page.geometry)
    with tempfile.NamedTemporaryFile(dir=page.path.parent, prefix="rendering-") as file:
        other = _changed(page, rendering, Path(file.name))
        return ShownPage(image_of(other, rule), other.geometry)


def _changed(page: RenderedPage, rendering: Rendering, path: Path) -> RenderedPage:
    """Write the changed pixels to `path`, which exists, and return what they make."""
    shape = (page.geometry.height_px, page.geometry.width_px, page.channels)
    pixels: NDArray[np.uint8] = np.memmap(page.path, dtype=np.uint8, mode="r", shape=shape)
    pixels = np.rot90(pixels, -rendering.turn_degrees // 90)
    height, width = pixels.shape[:2]
    longer = _with_margin if rendering.margin else int
    full = (longer(height), longer(width), page.channels)
    canvas = np.memmap(path, dtype=np.uint8, mode="w+", shape=full)
    canvas[:] = WHITE
    canvas[:height, :width] = pixels
    canvas.flush()
    geometry = replace(page.geometry, height_px=full[0], width_px=full[1])
    return replace(page, path=path, geometry=geometry)


def _with_margin(side_px: int) -> int:
    return (side_px // MARGIN_PX + 2) * MARGIN_PX
