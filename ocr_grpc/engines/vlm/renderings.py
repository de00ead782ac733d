"""A page once more, as the model may read it better: turned upright, or with a margin of white."""

from dataclasses import dataclass, replace

from ocr_grpc.engines.vlm.errors import VisionFailed
from ocr_grpc.engines.vlm.images import Look, SentImage, image_of
from ocr_grpc.engines.vlm.profile import ImageRule
from ocr_grpc.model import PageGeometry, RenderedPage

MARGIN_PX = 64
"""Sides become multiples of it, and longer: servers that cut an image into tiles of their own
fail on some sizes (`images_crop … expected 1024, got 640` of vLLM), and pass the next one."""


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

    def without_pixels(self) -> "ShownPage":
        """Return its sizes alone, for while the answer comes: the image may have megabytes."""
        return replace(self, image=replace(self.image, data_uri=""))


def shown(page: RenderedPage, rule: ImageRule, rendering: Rendering) -> ShownPage:
    """Return a page encoded as the model wants it. Blocking: call it in a thread.

    Raises:
        VisionFailed: see `image_of`; or its pixels are gone.
    """
    sides = page.geometry.width_px, page.geometry.height_px
    width, height = sides[::-1] if rendering.turn_degrees in (90, 270) else sides
    if rendering.margin:
        width, height = _with_margin(width), _with_margin(height)
    try:
        image = image_of(page, rule, Look(width, height, rendering.turn_degrees))
    except (OSError, ValueError):
        # What is wrong with the file is for the log of the disk: its name is nobody's business.
        raise VisionFailed("The pixels of the page could not be read and encoded.") from None
    return ShownPage(image, replace(page.geometry, width_px=width, height_px=height))


def _with_margin(side_px: int) -> int:
    return (side_px // MARGIN_PX + 2) * MARGIN_PX
