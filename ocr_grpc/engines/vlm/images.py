"""A page as one model wants to see it: scaled, padded, encoded."""

import base64
import io
from dataclasses import dataclass, field
from math import ceil, floor, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocr_grpc.engines.vlm.errors import VisionFailed
from ocr_grpc.engines.vlm.profile import ImageRule
from ocr_grpc.model import RenderedPage

MOST_PIXELS = 12_000_000
"""No model here looks at more; larger pages are scaled down whatever the rule says."""
MAX_ENCODED_BYTES = 8 * 1024 * 1024
"""Text stays below it in any form; grain of a scanner does not, and nobody reads that."""
FALLBACK_QUALITIES = (95, 80, 60)
BAND_BYTES = 16 * 1024 * 1024
WHITE = (255, 255, 255)


CLOCKWISE = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""Pillow counts the other way round."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a page looks before it is scaled: turned, and with white at its right and its end.

    Attributes:
        width_px, height_px: with the white.
        turn_degrees: clockwise; 0, 90, 180 or 270.
    """

    width_px: int
    height_px: int
    turn_degrees: int = 0


@dataclass(frozen=True, slots=True)
class SentImage:
    """A page as it is sent.

    Attributes:
        data_uri: the encoded image; it is the page's text, so it never prints.
        width_px, height_px: all of it.
        page_width_px, page_height_px: what the page takes of it, from the top left corner; the
            rest is white that was added.
    """

    data_uri: str = field(repr=False)
    width_px: int
    height_px: int
    page_width_px: int
    page_height_px: int


def image_of(page: RenderedPage, rule: ImageRule, look: Look | None = None) -> SentImage:
    """Return a page as a model is to see it, in RGB. Blocking: call it in a thread.

    Memory holds some times `MOST_PIXELS`, however large the page is, and no file is written.

    Args:
        page: its pixels.
        rule: what the model is used to.
        look: what it is turned and enlarged to before it is scaled; None: as it is.

    Raises:
        OSError: the spool file is gone.
        VisionFailed: the page is so long and narrow that this model could not read it.
    """
    look = look or Look(page.geometry.width_px, page.geometry.height_px)
    full_width, full_height = _padded(look.width_px, look.height_px, rule.most_extreme_aspect)
    sent_width, sent_height = sent_size(full_width, full_height, rule)
    across, down = sent_width / full_width, sent_height / full_height
    page_width = max(1, round(look.width_px * across))
    page_height = max(1, round(look.height_px * down))
    if min(page_width, page_height) < min(rule.least_side_px, look.width_px, look.height_px):
        raise VisionFailed("The page is too long and narrow for this model.")
    image = _scaled(page, across, down, look.turn_degrees)
    if image.size != (sent_width, sent_height):
        canvas = Image.new("RGB", (sent_width, sent_height), WHITE)
        canvas.paste(image, (0, 0))
        image = canvas
    return SentImage(_data_uri(image, rule), sent_width, sent_height, page_width, page_height)


def _scaled(page: RenderedPage, across: float, down: float, turn_degrees: int) -> Image.Image:
    """Return the page turned and scaled, in RGB; what is white margin is no part of it."""
    width, height = page.geometry.width_px, page.geometry.height_px
    if turn_degrees in (90, 270):
        across, down = down, across
    size = max(1, round(width * across)), max(1, round(height * down))
    image = _reduced(page, max(1, min(width // size[0], height // size[1])))
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    if turn_degrees:
        image = image.transpose(CLOCKWISE[turn_degrees])
    return image.convert("RGB")


def sent_size(width: int, height: int, rule: ImageRule) -> tuple[int, int]:
    """Return the width and height in pixels that an image of this size is scaled to.

    With a multiple it is what Qwen's `smart_resize` makes of it (qwen-vl-utils,
    vision_process.py), so that a server that scales again leaves it as it is.
    """
    scale = 1.0
    if rule.longest_side_px is not None:
        scale = rule.longest_side_px / max(width, height)
        scale = scale if rule.enlarge else min(1.0, scale)
    multiple, most = rule.multiple, rule.max_pixels or MOST_PIXELS

    def side(length: float, rounded: str) -> int:
        whole = {"down": floor, "near": round, "up": ceil}[rounded](length / multiple)
        return max(multiple, whole * multiple)

    sides = [side(length * scale, "near") for length in (width, height)]
    pixels = width * height
    if sides[0] * sides[1] > most:
        sides = [side(length * sqrt(most / pixels), "down") for length in (width, height)]
    elif sides[0] * sides[1] < rule.min_pixels:
        sides = [side(length * sqrt(rule.min_pixels / pixels), "up") for length in (width, height)]
    return sides[0], sides[1]


def _padded(width: int, height: int, most_extreme_aspect: float) -> tuple[int, int]:
    if not most_extreme_aspect:
        return width, height
    least = ceil(max(width, height) / most_extreme_aspect)
    return max(width, least), max(height, least)


def _reduced(page: RenderedPage, factor: int) -> Image.Image:
    """Return the page with each square of `factor` pixels as one.

    It is read a band at a time, and not mapped: what is mapped counts as the process's own.
    """
    width, height = page.geometry.width_px, page.geometry.height_px
    rest = (3,) if page.channels == 3 else ()
    row_bytes = width * page.channels
    band_rows = factor * max(1, BAND_BYTES // (row_bytes * factor))
    bands: list[NDArray[np.uint8]] = []
    with page.path.open("rb") as spool:
        for top in range(0, height, band_rows):
            rows = min(band_rows, height - top)
            band = np.fromfile(spool, np.uint8, rows * row_bytes).reshape(rows, width, *rest)
            bands.append(np.asarray(Image.fromarray(band).reduce(factor)) if factor > 1 else band)
    return Image.fromarray(np.concatenate(bands))


def _data_uri(image: Image.Image, rule: ImageRule) -> str:
    form, encoded = rule.form, _encoded(image, rule.form, rule.quality)
    for quality in FALLBACK_QUALITIES:
        if len(encoded) <= MAX_ENCODED_BYTES:
            break
        form, encoded = "jpeg", _encoded(image, "jpeg", quality)
    return f"data:image/{form};base64,{base64.b64encode(encoded).decode()}"


def _encoded(image: Image.Image, form: str, quality: int) -> bytes:
    sink = io.BytesIO()
    if form == "png":
        # Harder compression costs more time here than it saves on the way.
        image.save(sink, "PNG", compress_level=1)
    else:
        image.save(sink, "JPEG", quality=quality, subsampling=0)
    return sink.getvalue()
