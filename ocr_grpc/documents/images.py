"""Image files, read by Pillow. Child only.

Every frame is a page, of animations too; of a JPEG only the first picture, because what phones
put behind it are previews and depth maps.
"""

import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from PIL import AvifImagePlugin, Image, ImageFile, features

from ocr_grpc.documents import blank, image_facts, pixels
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.image_modes import flat_bands
from ocr_grpc.documents.protocol import (
    Failure,
    InspectAnswer,
    ReaderFailure,
    RenderAnswer,
    TextAnswer,
)
from ocr_grpc.documents.webp_size import webp_size

_PLUGINS = {
    DocumentKind.PNG: "PngImagePlugin",
    DocumentKind.JPEG: "JpegImagePlugin",
    DocumentKind.WEBP: "WebPImagePlugin",
    DocumentKind.TIFF: "TiffImagePlugin",
    DocumentKind.BMP: "BmpImagePlugin",
    DocumentKind.GIF: "GifImagePlugin",
    DocumentKind.AVIF: "AvifImagePlugin",
    DocumentKind.JPEG_2000: "Jpeg2KImagePlugin",
}
_FORMATS = {DocumentKind.JPEG_2000: "JPEG2000", DocumentKind.HEIC: "HEIF"}
"""What Pillow calls a kind, where that is not its name."""


def warm_up() -> None:
    """Load the codecs before the sandbox closes, and settle how strict they are."""
    Image.preinit()
    for plugin in _PLUGINS.values():
        import_module(f"PIL.{plugin}")
    for codec in ("webp", "avif"):
        features.check(codec)
    # A reader may start no threads, and its tables of types are none that pyright could use.
    heif: Any = import_module("pi_heif")
    heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=0
    )
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    # Sizes are checked here, before anything is decoded, with the limit of the settings.
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    warnings.simplefilter("ignore")


def open_image(opening: Opening) -> "ImageFrames":
    """Open an image file by its header; nothing is decoded yet.

    Raises:
        ReaderFailure: not even the header can be read.
    """
    kind, file = opening.kind or DocumentKind.PNG, opening.file
    max_page_pixels = opening.limits.max_page_pixels
    if kind is DocumentKind.WEBP:
        # Its decoder makes room for the whole canvas as soon as the file is opened.
        size = webp_size(file)
        if size and size[0] * size[1] > max_page_pixels:
            return TooLargeToOpen(kind, *size)
    with _blaming_the_file(Failure.CORRUPT):
        image = _opened(kind, file)
        frames = 1 if kind is DocumentKind.JPEG else int(getattr(image, "n_frames", 1))
        return ImageFrames(kind, image, file, frames, max_page_pixels)


class ImageFrames:
    """An image file opened in a reader process."""

    def __init__(
        self,
        kind: DocumentKind,
        image: ImageFile.ImageFile,
        file: BinaryIO,
        frames: int,
        max_page_pixels: int,
    ) -> None:
        self._kind = kind
        self._image = image
        self._file = file
        self._frames = frames
        self._max_page_pixels = max_page_pixels
        self._rotations: dict[int, int] = {}

    @property
    def kind(self) -> DocumentKind:
        """The format."""
        return self._kind

    @property
    def page_count(self) -> int:
        """The number of frames."""
        return self._frames

    def text_layer(self, page: int, dpi: int) -> TextAnswer:
        """Return that there is no text, and the size of the frame."""
        del dpi
        image = self._frame(page)
        width, height = image_facts.upright_size(image)
        return TextAnswer(
            width=width,
            height=height,
            dpi=image_facts.dpi(image),
            usable=False,
            because="none",
            blank=False,
            lines=[],
        )

    def render(self, page: int, dpi: int, sink: int) -> RenderAnswer:
        """Write a frame to `sink`: upright, on white, in grey if it has no colour."""
        del dpi  # pixels of an image file stay as they are
        upright, resolution = self._decoded(page)
        with _blaming_the_file(Failure.UNREADABLE_PAGE):
            coloured = any(
                band.mode == "RGB" and pixels.has_colour(np.asarray(band))
                for band in flat_bands(upright)
            )
            empty = _is_blank(upright, resolution, coloured)
        pixels.write_spool(sink, _rows(upright, "RGB" if coloured else "L"))
        return RenderAnswer(
            width=upright.width,
            height=upright.height,
            dpi=resolution,
            channels=3 if coloured else 1,
            blank=empty,
        )

    def inspect(self, page: int, dpi: int) -> InspectAnswer:
        """Return what a frame is; it is decoded to see whether it is blank."""
        del dpi
        upright, resolution = self._decoded(page)
        with _blaming_the_file(Failure.UNREADABLE_PAGE):
            empty = _is_blank(upright, resolution, coloured=True)
        points = 72 / resolution if resolution else 0.0
        return InspectAnswer(
            width=upright.width,
            height=upright.height,
            dpi=resolution,
            width_pt=upright.width * points,
            height_pt=upright.height * points,
            text_share=0.0,
            rotation=self._rotations[page],
            blank=empty,
            pictures=0,
            because="none",
        )

    def close(self) -> None:
        """Close the file."""
        self._image.close()
        self._file.close()

    def _decoded(self, page: int) -> tuple[Image.Image, float]:
        """Return a frame as it is shown, and its resolution."""
        image = self._frame(page)
        resolution = image_facts.dpi(image)
        with _blaming_the_file(Failure.UNREADABLE_PAGE):
            image.load()
            # What is decoded may be larger than the container around it said.
            self._check_size()
            return image_facts.upright(image), resolution

    def _frame(self, page: int) -> ImageFile.ImageFile:
        # The canvas of an animation is known from the start, that of a TIFF frame after seeking,
        # which reads its directory only; before, it is that of the frame looked at last.
        if self._frames == 1 or self._kind is not DocumentKind.TIFF:
            self._check_size()
        if self._frames > 1:
            with _blaming_the_file(Failure.UNREADABLE_PAGE):
                if self._kind is DocumentKind.HEIC:
                    # It keeps all frames it has ever decoded: fifty of a phone fill the memory.
                    self._image = _opened(self._kind, self._file)
                self._image.seek(page)
            self._check_size()
        if page not in self._rotations:
            # Now, because turning a picture when it is decoded removes the remark about it.
            self._rotations[page] = image_facts.rotation(self._image, self._file)
        return self._image

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > self._max_page_pixels:
            raise ReaderFailure(Failure.PAGE_TOO_LARGE, width=width, height=height)
        if width * height <= 0:
            raise ReaderFailure(Failure.UNREADABLE_PAGE)


class TooLargeToOpen(ImageFrames):
    """A file of which only the size is known, because opening it would already cost too much."""

    def __init__(self, kind: DocumentKind, width: int, height: int) -> None:
        self._kind = kind
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
    except (MemoryError, ReaderFailure):
        raise
    except Exception as error:
        # What Pillow raises for damaged files is no one family: struct, zlib, arithmetic, anything.
        raise ReaderFailure(failure) from error


def _opened(kind: DocumentKind, file: BinaryIO) -> ImageFile.ImageFile:
    # Given a path Pillow may map the file, and then (13.0) garbles a TIFF that lies on its side.
    file.seek(0)
    return Image.open(file, formats=[_FORMATS.get(kind, kind.name)])


def _rows(image: Image.Image, mode: str) -> Iterator[bytes]:
    # Here and not around the writing, so that a full disk is not blamed on the document.
    with _blaming_the_file(Failure.UNREADABLE_PAGE):
        for band in flat_bands(image):
            yield band.convert(mode).tobytes()


def _is_blank(image: Image.Image, resolution: float, coloured: bool) -> bool:
    factor = blank.reduction(image.width, image.height, resolution)
    mode = "RGB" if coloured else "L"
    bands = [blank.shrunk(band.convert(mode), factor) for band in flat_bands(image)]
    return blank.is_blank(np.concatenate(bands), resolution / factor)
