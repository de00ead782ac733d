"""PDF files, read by pdfium. Child only."""

import math
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocr_grpc.documents import blank, geometry, pixels, text_layer
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.pdfium import Page, Pdf, PdfiumError
from ocr_grpc.documents.pdfium_objects import Drawn
from ocr_grpc.documents.pdfium_raw import raw
from ocr_grpc.documents.protocol import (
    Failure,
    InspectAnswer,
    ReaderFailure,
    RenderAnswer,
    TextAnswer,
)
from ocr_grpc.model import PageGeometry

_SCAN_COVERAGE = 0.5
"""An image that covers this share of its page is what the page is about."""
_STRIPS_COVERAGE = 0.8
"""A scan may also be cut into strips, which together cover nearly all of it."""


_LOOK_DPI, _LOOK_PIXELS = 100, 4_000_000
"""For the question whether there is anything on a page: a glance at up to an A2 sheet."""


def warm_up() -> None:
    """Load what a first page would load, before the sandbox closes."""
    text_layer.warm_up()


def open_pdf(opening: Opening) -> "PdfFile":
    """Open a PDF.

    Raises:
        ReaderFailure: it is encrypted with a password that is needed to read it, or damaged.
    """
    try:
        return PdfFile(Pdf(opening.file, opening.password), opening.limits.max_page_pixels)
    except PdfiumError as error:
        encrypted = error.code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        if not encrypted:
            raise ReaderFailure(Failure.CORRUPT) from error
        failure = Failure.WRONG_PASSWORD if opening.password else Failure.PASSWORD
        raise ReaderFailure(failure) from error


class PdfFile:
    """A PDF opened in a reader process."""

    def __init__(self, pdf: Pdf, max_page_pixels: int) -> None:
        self._pdf = pdf
        self._max_page_pixels = max_page_pixels
        self._flattened: set[int] = set()
        self._looked_at: set[int] = set()

    @property
    def kind(self) -> DocumentKind:
        """PDF."""
        return DocumentKind.PDF

    @property
    def page_count(self) -> int:
        """The number of pages the file states."""
        return self._pdf.page_count

    def text_layer(self, page: int, dpi: int) -> TextAnswer:
        """Return the page's own text, that of fields, stamps and typed remarks included."""
        if page not in self._flattened:
            with self._page(page) as loaded:
                if not loaded.shows_annotations():
                    return self._read_text(loaded, dpi)
                # What is typed into a form is no text of the page until it is flattened into
                # it, and then only once the page is loaded anew.
                loaded.flatten()
            self._flattened.add(page)
        with self._page(page) as loaded:
            return self._read_text(loaded, dpi)

    def render(self, page: int, dpi: int, sink: int) -> RenderAnswer:
        """Write the page to `sink`, in grey if it has no colour worth keeping."""
        with self._page(page) as loaded:
            drawn = loaded.drawn() if dpi == 0 else Drawn((), anything=True)
            size = self._geometry(loaded, drawn, dpi, geometry.LOWEST_USEFUL_DPI)
            rgb = loaded.render(size.width_px, size.height_px)
        coloured = pixels.has_colour(rgb)
        if coloured:
            pixels.write_spool(sink, [rgb.data])
        else:
            pixels.write_spool(sink, pixels.grey_bands(rgb))
        return RenderAnswer(
            width=size.width_px,
            height=size.height_px,
            dpi=size.dpi,
            channels=3 if coloured else 1,
            blank=_is_blank(rgb, size.dpi, coloured),
        )

    def inspect(self, page: int, dpi: int) -> InspectAnswer:
        """Return what a page is, from its objects and its text, and where that says nothing a look.

        Its geometry is the one it would be rendered with.
        """
        text = self.text_layer(page, dpi)
        with self._page(page) as loaded:
            width_pt, height_pt = loaded.size_pt
            size = self._geometry(loaded, loaded.drawn(), dpi, geometry.LOWEST_TEXT_DPI)
            empty = text["blank"] or (not text["lines"] and self._looks_blank(loaded))
            rotation = 90 * loaded.quarter_turns
        return InspectAnswer(
            width=size.width_px,
            height=size.height_px,
            dpi=size.dpi,
            width_pt=width_pt,
            height_pt=height_pt,
            text_share=float(text["usable"]),
            rotation=rotation,
            blank=empty,
            pictures=0,
            # A page without anything on it is taken as it is in every mode.
            because="" if text["blank"] else text["because"],
        )

    def close(self) -> None:
        """Close the file."""
        self._pdf.close()

    def _looks_blank(self, page: Page) -> bool:
        limit = min(_LOOK_PIXELS, self._max_page_pixels)
        size = geometry.fitting(*page.size_pt, _LOOK_DPI, limit, geometry.LOWEST_TEXT_DPI)
        # Shrunk further than asked, small print would be lost without a trace.
        return size.dpi >= _LOOK_DPI and _is_blank(
            page.render(size.width_px, size.height_px), size.dpi, coloured=True
        )

    def _read_text(self, page: Page, dpi: int) -> TextAnswer:
        drawn = page.drawn()
        size = self._geometry(page, drawn, dpi, geometry.LOWEST_TEXT_DPI)
        return text_layer.read(page, drawn, size)

    @contextmanager
    def _page(self, index: int) -> Generator[Page]:
        try:
            with self._pdf.page(index) as loaded:
                if index in self._looked_at or not loaded.write_remarks():
                    self._looked_at.add(index)
                    yield loaded
                    return
            self._looked_at.add(index)
            with self._pdf.page(index) as loaded:
                yield loaded
        except PdfiumError as error:
            raise ReaderFailure(Failure.UNREADABLE_PAGE) from error

    def _geometry(self, page: Page, drawn: Drawn, dpi: int, lowest_dpi: float) -> PageGeometry:
        width, height = page.size_pt
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise ReaderFailure(Failure.UNREADABLE_PAGE)
        return geometry.fitting(
            width, height, dpi or auto_dpi(page, drawn), self._max_page_pixels, lowest_dpi
        )


def _is_blank(rgb: NDArray[np.uint8], dpi: float, coloured: bool) -> bool:
    height, width = rgb.shape[:2]
    factor = blank.reduction(width, height, dpi)
    picture = Image.frombuffer("RGB", (width, height), rgb, "raw", "RGB", 0, 1)
    small = blank.shrunk(picture, factor)
    # Without colour one channel says what all three say.
    return blank.is_blank(small if coloured else small[:, :, 1:2], dpi / factor)


def auto_dpi(page: Page, drawn: Drawn) -> float:
    """Return the resolution of the scan a page consists of, within bounds; else a fixed one."""
    left, bottom, right, top = page.shown_box
    area = (right - left) * (top - bottom)
    covering: list[tuple[float, float]] = []
    for image in drawn.images:
        width = min(image.right, right) - max(image.left, left)
        height = min(image.top, top) - max(image.bottom, bottom)
        if width > 0 and height > 0 and image.width_pt > 0 and image.height_pt > 0:
            inches = image.width_pt * image.height_pt / geometry.POINTS_PER_INCH**2
            own_dpi = math.sqrt(image.width_px * image.height_px / inches)
            covering.append((width * height / area, own_dpi))
    # A page may be a coarse background under a fine mask of its letters: the finest one counts.
    scans = [own_dpi for share, own_dpi in covering if share >= _SCAN_COVERAGE]
    if not scans and sum(share for share, _ in covering) >= _STRIPS_COVERAGE:
        scans = [max(covering)[1]]
    if not scans:
        return geometry.AUTO_DPI
    lowest, highest = geometry.SCAN_DPI
    return float(round(min(max(*scans, lowest), highest)))
