"""The picture of a page, small enough to be sent."""

import io

import numpy as np
from PIL import Image

from ocr_grpc.extraction.events import PageImage
from ocr_grpc.model import RenderedPage

JPEG_QUALITY = 80
MEDIA_TYPE = "image/jpeg"


def picture_of(page_number: int, page: RenderedPage, side_px: int) -> PageImage:
    """Return a page scaled down until its longer side has at most `side_px`. Blocking.

    Raises:
        OSError: the spool file is gone.
    """
    width, height = page.geometry.width_px, page.geometry.height_px
    shape = (height, width, 3) if page.channels == 3 else (height, width)
    pixels = np.memmap(page.path, dtype=np.uint8, mode="r", shape=shape)
    # Of an enormous page only some pixels are looked at: memory holds a few megapixels of it.
    step = max(1, max(width, height) // (2 * side_px))
    image = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=JPEG_QUALITY)
    return PageImage(page_number, written.getvalue(), MEDIA_TYPE, image.width, image.height)
