"""From the box a model names to a place on the rendered page."""

from math import isfinite

from ocr_grpc.engines.vlm.grammars.grammar import Box
from ocr_grpc.engines.vlm.profile import BoxSpace
from ocr_grpc.engines.vlm.requests import SentImage
from ocr_grpc.model import PageGeometry, Polygon, box


def polygon_of(seen: Box | None, space: BoxSpace, image: SentImage, page: PageGeometry) -> Polygon:
    """Return the corners on the page, clamped to it.

    Empty if the box makes no sense: it is missing, reversed, without area, no number, or nowhere
    on the page.
    """
    if seen is None or space is BoxSpace.NONE or not all(map(isfinite, seen)):
        return ()
    width, height = image.width_px, image.height_px
    across, down = (1.0, 1.0)
    if space is not BoxSpace.SENT_PIXELS:
        across, down = width / space.value, height / space.value
    # The page takes the top left of what was sent, and was scaled for it.
    across *= page.width_px / image.page_width_px
    down *= page.height_px / image.page_height_px
    left, right = (_within(side * across, page.width_px) for side in seen[::2])
    top, bottom = (_within(side * down, page.height_px) for side in seen[1::2])
    return box(left, top, right, bottom) if left < right and top < bottom else ()


def _within(place: float, side_px: int) -> float:
    return min(max(place, 0.0), float(side_px))
