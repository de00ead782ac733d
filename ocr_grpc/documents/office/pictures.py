"""Pictures inside documents: which are worth a look, and their pixels. Child only."""

import io
import warnings

from PIL import Image

from ocr_grpc.documents import images
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening, ReaderLimits
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.protocol import Failure, ReaderFailure, RenderAnswer
from ocr_grpc.documents.sniff import SNIFFED_BYTES, sniff
from ocr_grpc.documents.webp_size import webp_size

_SMALLEST_SIDE = 24
"""In pixels. Bullets, rules and icons are smaller; a word one can read is not."""


def may_have_text(content: bytes) -> bool:
    """Return whether a picture is of a kind that can be read, and large enough to hold a word.

    Only its header is looked at. One that is damaged may have text: that is reported when it is
    to be read.
    """
    kind = _kind(content)
    if kind is None:
        return False
    file = io.BytesIO(content)
    try:
        if kind is DocumentKind.WEBP:
            # Opening it would make room for all of it.
            size = webp_size(file)
            return size is None or min(size) >= _SMALLEST_SIDE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=[kind.value.upper().replace("_", "")]) as picture:
                return min(picture.size) >= _SMALLEST_SIDE
    except MemoryError:
        raise
    except Exception:
        return True


def write(content: bytes, limits: ReaderLimits, sink: int) -> RenderAnswer:
    """Write a picture's pixels to the descriptor `sink`, as for an image file.

    Raises:
        ReaderFailure: it is damaged, or has too many pixels.
    """
    kind = _kind(content)
    if kind is None:
        raise ReaderFailure(Failure.UNREADABLE_PAGE)
    try:
        picture = images.open_image(Opening(io.BytesIO(content), kind, "", limits))
    except ReaderFailure as failure:
        if failure.code is not Failure.CORRUPT:
            raise
        # The document itself is sound.
        raise ReaderFailure(Failure.UNREADABLE_PAGE) from failure
    try:
        return picture.render(0, 0, sink)
    finally:
        picture.close()


def _kind(content: bytes) -> DocumentKind | None:
    """Return the format of a raster image; None for drawings, PDF and what is no picture."""
    if not content:
        return None
    sniffed = sniff(content[:SNIFFED_BYTES])
    drawn = sniffed.family is Family.PAGES and sniffed.kind is not DocumentKind.PDF
    return sniffed.kind if drawn else None
