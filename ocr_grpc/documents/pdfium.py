"""PDF files and their pages as pdfium opens and draws them. Child only."""

import ctypes
import mmap
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.documents.pdfium_objects import Drawn, drawn_on
from ocr_grpc.documents.pdfium_raw import Handle, raw
from ocr_grpc.documents.pdfium_remarks import write_remarks
from ocr_grpc.documents.pdfium_text import PageText

# Annotations that show nothing on the page itself; all others are drawn, and part of it.
_UNSEEN_ANNOTATIONS = frozenset((raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_TEXT))
_MAX_ANNOTATIONS = 5_000


class PdfiumError(Exception):
    """pdfium refused; `code` is one of FPDF_ERR_*."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(f"pdfium error {code}")
        self.code = code


class Pdf:
    """An open PDF file."""

    def __init__(self, file: BinaryIO, password: str = "") -> None:
        """Open it without reading more than its cross references; closes the file when closed.

        Raises:
            PdfiumError: it is encrypted with another password, or no PDF.
        """
        # Mapped: pdfium asks for it in small pieces, and a call back into Python for each is slow.
        # It reads from there until it is closed. Nobody can write to the map, nor to the file.
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        address = np.frombuffer(self._map, np.uint8).ctypes.data
        self._document: Handle = raw.FPDF_LoadMemDocument64(
            ctypes.c_void_p(address), len(self._map), password.encode() or None
        )
        if not self._document:
            code = int(raw.FPDF_GetLastError())
            self._map.close()
            raise PdfiumError(code)
        self._file = file
        self._forms: Handle = None
        if raw.FPDF_GetFormType(self._document) != raw.FORMTYPE_NONE:
            # pdfium keeps a pointer to this structure: it must live as long as the document.
            self._form_config = raw.FPDF_FORMFILLINFO(version=2)
            self._forms = raw.FPDFDOC_InitFormFillEnvironment(self._document, self._form_config)

    @property
    def page_count(self) -> int:
        """How many pages the file says it has; the page tree is not walked."""
        return int(raw.FPDF_GetPageCount(self._document))

    @contextmanager
    def page(self, index: int) -> Generator["Page"]:
        """Load a page for the time of a `with`.

        Raises:
            PdfiumError: there is no such page, or it is damaged.
        """
        handle: Handle = raw.FPDF_LoadPage(self._document, index)
        if not handle:
            raise PdfiumError(int(raw.FPDF_GetLastError()))
        if self._forms:
            raw.FORM_OnAfterLoadPage(handle, self._forms)
        try:
            yield Page(self._document, handle, self._forms)
        finally:
            if self._forms:
                raw.FORM_OnBeforeClosePage(handle, self._forms)
            raw.FPDF_ClosePage(handle)

    def close(self) -> None:
        """Close the file."""
        if self._forms:
            raw.FPDFDOC_ExitFormFillEnvironment(self._forms)
        raw.FPDF_CloseDocument(self._document)
        self._map.close()
        self._file.close()


class Page:
    """A loaded page."""

    def __init__(self, document: Handle, handle: Handle, forms: Handle) -> None:
        self._document = document
        self._handle = handle
        self._forms = forms

    @property
    def size_pt(self) -> tuple[float, float]:
        """Width and height in points as shown: after cropping and rotation."""
        return (
            float(raw.FPDF_GetPageWidthF(self._handle)),
            float(raw.FPDF_GetPageHeightF(self._handle)),
        )

    @property
    def quarter_turns(self) -> int:
        """By how many quarters of a turn, clockwise, the page is shown rotated."""
        return int(raw.FPDFPage_GetRotation(self._handle)) % 4

    @property
    def shown_box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of what is shown, in the page's own points."""
        box = raw.FS_RECTF()
        if not raw.FPDF_GetPageBoundingBox(self._handle, box):
            raise PdfiumError
        return (float(box.left), float(box.bottom), float(box.right), float(box.top))

    def render(self, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Return the page on white with annotations and form fields, (height, width, 3) RGB."""
        pixels = np.full((height_px, width_px, 3), 255, np.uint8)
        bitmap: Handle = raw.FPDFBitmap_CreateEx(
            width_px,
            height_px,
            raw.FPDFBitmap_BGR,
            pixels.ctypes.data_as(ctypes.c_void_p),
            width_px * 3,
        )
        if not bitmap:
            raise MemoryError
        flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
        where = (0, 0, width_px, height_px, 0, flags)
        try:
            raw.FPDF_RenderPageBitmap(bitmap, self._handle, *where)
            if self._forms:
                raw.FPDF_FFLDraw(self._forms, bitmap, self._handle, *where)
        finally:
            raw.FPDFBitmap_Destroy(bitmap)
        return pixels

    def shows_annotations(self) -> bool:
        """Return whether fields, stamps, remarks or drawings lie on the page, hidden ones too."""
        return any(
            raw.FPDFAnnot_GetSubtype(annotation) not in _UNSEEN_ANNOTATIONS
            for annotation in self._annotations()
        )

    def write_remarks(self) -> bool:
        """Write typed remarks onto it that bring no drawing; seen when it is loaded again."""
        return write_remarks(self._document, self._handle, self._annotations())

    def flatten(self) -> None:
        """Make annotations and fields part of the page; seen when it is loaded the next time."""
        # pdfium flattens those not to be viewed, and leaves out those that only unknown kinds are
        # invisible by. Rendering does neither, and text has to be that of the picture.
        for annotation in self._annotations():
            flags = int(raw.FPDFAnnot_GetFlags(annotation))
            shown = flags & ~raw.FPDF_ANNOT_FLAG_INVISIBLE
            hidden = raw.FPDF_ANNOT_FLAG_HIDDEN if flags & raw.FPDF_ANNOT_FLAG_NOVIEW else 0
            raw.FPDFAnnot_SetFlags(annotation, shown | hidden)
        raw.FPDFPage_Flatten(self._handle, raw.FLAT_NORMALDISPLAY)

    def _annotations(self) -> Iterator[Handle]:
        """Yield each annotation, open until the next one."""
        count = min(int(raw.FPDFPage_GetAnnotCount(self._handle)), _MAX_ANNOTATIONS)
        for index in range(count):
            annotation: Handle = raw.FPDFPage_GetAnnot(self._handle, index)
            if annotation:
                try:
                    yield annotation
                finally:
                    raw.FPDFPage_CloseAnnot(annotation)

    @contextmanager
    def text(self) -> Generator["PageText"]:
        """Load the page's text for the time of a `with`."""
        handle: Handle = raw.FPDFText_LoadPage(self._handle)
        if not handle:
            raise PdfiumError
        try:
            yield PageText(handle)
        finally:
            raw.FPDFText_ClosePage(handle)

    def drawn(self) -> Drawn:
        """Return what is drawn on the page besides text."""
        return drawn_on(self._handle)
