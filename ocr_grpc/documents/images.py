"""Image files, read by Pillow. Child only.

Every frame is a page, of animations too; of a JPEG only the first picture, because what phones
put behind it are previews and depth maps.
"""

import warnings
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, ImageOps, features

from ocr_grpc.documents import pixels
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.image_modes import flat_bands
from ocr_grpc.documents.protocol import Failure, ReaderFailure, RenderAnswer, TextAnswer
from ocr_grpc.documents.webp_size import webp_size

_PLAUSIBLE_DPI = (36.0, 2400.0)
_ORIENTATION = 0x0112
_SIDEWAYS = frozenset((5, 6, 7, 8))


def warm_up() -> None:
    """Load the codecs before the sandbox closes, and settle how strict they are."""
    Image.preinit()
    for kind in DocumentKind:
        if kind is not DocumentKind.PDF:
            __import__(f"PIL.{_PLUGINS[kind]}")
    features.check("webp")
    # Sizes are checked here, before anything is decoded, with the limit of the settings.
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    warnings.simplefilter("ignore")


_PLUGINS = {
    DocumentKind.PNG: "PngImagePlugin",
    DocumentKind.JPEG: "JpegImagePlugin",
    DocumentKind.WEBP: "WebPImagePlugin",
    DocumentKind.TIFF: "TiffImagePlugin",
    DocumentKind.BMP: "BmpImagePlugin",
    DocumentKind.GIF: "GifImagePlugin",
}


def open_image(path: Path, kind: DocumentKind, max_page_pixels: int) -> "ImageFrames":
    """Open an image file by its header; nothing is decoded yet.

    Raises:
        ReaderFailure: not even the header can be read.
    """
    if kind is DocumentKind.WEBP:
        # Its decoder makes room for the whole canvas as soon as the file is opened.
        size = webp_size(path)
        if size and size[0] * size[1] > max_page_pixels:
            return TooLargeToOpen(*size)
    # Given a path Pillow may map the file, and then (13.0) garbles a TIFF that lies on its side.
    with ExitStack() as stack, _blaming_the_file(Failure.CORRUPT):
        file = stack.enter_context(path.open("rb"))
        image = Image.open(file, formats=[kind.value.upper()])
        frames = 1 if kind is DocumentKind.JPEG else int(getattr(image, "n_frames", 1))
        stack.pop_all()
        return ImageFrames(image, file, frames, max_page_pixels)


class ImageFrames:
    """An image file opened in a reader process."""

    def __init__(
        self, image: ImageFile.ImageFile, file: BinaryIO, frames: int, max_page_pixels: int
    ) -> None:
        self._image = image
        self._file = file
        self._frames = frames
        self._max_page_pixels = max_page_pixels

    @property
    def page_count(self) -> int:
        """The number of frames."""
        return self._frames

    def text_layer(self, page: int, dpi: int) -> TextAnswer:
        """Return that there is no text, and the size of the frame."""
        del dpi
        image = self._frame(page)
        width, height = image.size
        if _orientation(image) in _SIDEWAYS:
            width, height = height, width
        return TextAnswer(
            width=width,
            height=height,
            dpi=_dpi(image),
            usable=False,
            because="none",
            blank=False,
            lines=[],
        )

    def render(self, page: int, dpi: int, path: Path) -> RenderAnswer:
        """Write a frame to `path`: upright, on white, in grey if it has no colour."""
        del dpi  # pixels of an image file stay as they are
        image = self._frame(page)
        resolution = _dpi(image)
        with _blaming_the_file(Failure.UNREADABLE_PAGE):
            image.load()
            upright = _upright(image)
            coloured = any(
                band.mode == "RGB" and pixels.has_colour(np.asarray(band))
                for band in flat_bands(upright)
            )
        pixels.write_spool(path, _rows(upright, "RGB" if coloured else "L"))
        return RenderAnswer(
            width=upright.width,
            height=upright.height,
            dpi=resolution,
            channels=3 if coloured else 1,
        )

    def close(self) -> None:
        """Close the file."""
        self._image.close()
        self._file.close()

    def _frame(self, page: int) -> ImageFile.ImageFile:
        # The canvas of an animation is known from the start, that of a TIFF frame after seeking,
        # which reads its directory only.
        self._check_size()
        if self._frames > 1:
            with _blaming_the_file(Failure.UNREADABLE_PAGE):
                self._image.seek(page)
            self._check_size()
        return self._image

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > self._max_page_pixels:
            raise ReaderFailure(Failure.PAGE_TOO_LARGE, width=width, height=height)
        if width * height <= 0:
            raise ReaderFailure(Failure.UNREADABLE_PAGE)


class TooLargeToOpen(ImageFrames):
    """A file of which only the size is known, because opening it would already cost too much."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)

    @property
    def page_count(self) -> int:
        """Count one page: how many frames there are stays unknown."""
        return 1

    def close(self) -> None:
        """Do nothing: the file was not kept open."""

    def _frame(self, page: int) -> ImageFile.ImageFile:
        raise ReaderFailure(Failure.PAGE_TOO_LARGE, width=self._size[0], height=self._size[1])


@contextmanager
def _blaming_the_file(failure: Failure) -> Generator[None]:
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        # What Pillow raises for damaged files is no one family: struct, zlib, arithmetic, anything.
        raise ReaderFailure(failure) from error


def _rows(image: Image.Image, mode: str) -> Iterator[bytes]:
    # Here and not around the writing, so that a full disk is not blamed on the document.
    with _blaming_the_file(Failure.UNREADABLE_PAGE):
        for band in flat_bands(image):
            yield band.convert(mode).tobytes()


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns these itself, size and all
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1  # a damaged remark about the picture is no reason not to show it


def _upright(image: Image.Image) -> Image.Image:
    if _orientation(image) == 1:
        return image
    return ImageOps.exif_transpose(image)


def _dpi(image: Image.Image) -> float:
    lowest, highest = _PLAUSIBLE_DPI
    try:
        across, down = (float(number) for number in image.info["dpi"])
        mean = (across + down) / 2
    except Exception:
        return 0.0
    if not lowest <= mean <= highest or abs(across - down) > 0.5 * mean:
        return 0.0
    return round(mean, 2)
