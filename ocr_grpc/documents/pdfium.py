"""The few calls of pdfium that are needed, typed. Child only; one thread, one document at a time.

The raw interface rather than pypdfium2's classes: those attach a finalizer to every handle, and
closing in the right order is easier to see than to trust.
"""

import ctypes
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Imported by name because it is generated ctypes code without types: everything in it is `Any`.
raw: Any = import_module("pypdfium2.raw")

Handle = Any
"""An opaque pointer of pdfium; false when null."""

# Objects looked at per page: a map may have a million paths, and the answer is known long before.
_MAX_OBJECTS = 20_000
_MAX_FORM_DEPTH = 4
# Annotations whose appearance is part of what a reader sees. Links, popups and notes are not.
_SHOWN_ANNOTATIONS = frozenset(
    (raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_WIDGET)
)
_MAX_ANNOTATIONS = 5_000

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class PdfiumError(Exception):
    """pdfium refused; `code` is one of FPDF_ERR_*."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(f"pdfium error {code}")
        self.code = code


class Pdf:
    """An open PDF file."""

    def __init__(self, path: Path) -> None:
        """Open it without reading more than its cross references.

        Raises:
            PdfiumError: it is encrypted, or no PDF.
        """
        self._document: Handle = raw.FPDF_LoadDocument(os.fsencode(path), None)
        if not self._document:
            raise PdfiumError(int(raw.FPDF_GetLastError()))
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
            yield Page(handle, self._forms)
        finally:
            if self._forms:
                raw.FORM_OnBeforeClosePage(handle, self._forms)
            raw.FPDF_ClosePage(handle)

    def close(self) -> None:
        """Close the file."""
        if self._forms:
            raw.FPDFDOC_ExitFormFillEnvironment(self._forms)
        raw.FPDF_CloseDocument(self._document)


class Page:
    """A loaded page."""

    def __init__(self, handle: Handle, forms: Handle) -> None:
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
        """Return whether fields, stamps or typed remarks lie on the page."""
        count = min(int(raw.FPDFPage_GetAnnotCount(self._handle)), _MAX_ANNOTATIONS)
        for index in range(count):
            annotation: Handle = raw.FPDFPage_GetAnnot(self._handle, index)
            if not annotation:
                continue
            subtype = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if subtype in _SHOWN_ANNOTATIONS:
                return True
        return False

    def flatten(self) -> None:
        """Make annotations and fields part of the page; seen when it is loaded the next time."""
        raw.FPDFPage_Flatten(self._handle, raw.FLAT_NORMALDISPLAY)

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
