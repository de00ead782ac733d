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


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """An image on a page: its own pixels, and the corners of where it is drawn, in points."""

    width_px: int
    height_px: int
    width_pt: float
    height_pt: float
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn on a page besides text."""

    images: tuple[PlacedImage, ...]
    anything: bool
    """Whether there is any object at all, text included."""


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
        """Return the images on the page, those inside of form objects included."""
        images: list[PlacedImage] = []
        budget = _MAX_OBJECTS
        count = int(raw.FPDFPage_CountObjects(self._handle))
        pending = [
            (raw.FPDFPage_GetObject, self._handle, count, _IDENTITY, 0),
        ]
        while pending and budget > 0:
            get, owner, members, matrix, depth = pending.pop()
            for index in range(min(members, budget)):
                placed: Handle = get(owner, index)
                kind = raw.FPDFPageObj_GetType(placed)
                if kind == raw.FPDF_PAGEOBJ_IMAGE:
                    images.extend(_placed_image(placed, matrix))
                elif kind == raw.FPDF_PAGEOBJ_FORM and depth < _MAX_FORM_DEPTH:
                    inner = _combined(_matrix(placed), matrix)
                    inside = int(raw.FPDFFormObj_CountObjects(placed))
                    pending.append((raw.FPDFFormObj_GetObject, placed, inside, inner, depth + 1))
            budget -= members
        return Drawn(tuple(images), anything=count > 0)


class PageText:
    """The characters of a page in the order of the file, with what pdfium adds between them."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._rectangle = raw.FS_RECTF()
        self._rectangle_pointer = ctypes.byref(self._rectangle)

    @property
    def count(self) -> int:
        """How many characters there are, spaces and line ends that pdfium adds included."""
        return max(0, int(raw.FPDFText_CountChars(self._handle)))

    def characters(self) -> str:
        """Return all of them; the string has exactly `count` characters."""
        count = self.count
        units = (ctypes.c_ushort * (count + 1))()
        written = int(raw.FPDFText_GetText(self._handle, 0, count, units))
        text = bytes(units)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")
        if len(text) == count:
            return text
        # pdfium left some out, or some need two units: then ask for each, so that indices match.
        unicode_of = raw.FPDFText_GetUnicode
        codes = (int(unicode_of(self._handle, index)) for index in range(count))
        return "".join(
            chr(code) if code < 0xD800 or 0xE000 <= code <= 0x10FFFF else "\ufffd" for code in codes
        )

    def box(self, index: int) -> tuple[float, float, float, float]:
        """Return left, bottom, right, top of a character with its font's full height."""
        rectangle = self._rectangle
        raw.FPDFText_GetLooseCharBox(self._handle, index, self._rectangle_pointer)
        return (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)

    def angle(self, index: int) -> float:
        """Return by how many radians a character is turned, clockwise."""
        return float(raw.FPDFText_GetCharAngle(self._handle, index))

    def font_size(self, index: int) -> float:
        """Return the size of a character's font in points."""
        return float(raw.FPDFText_GetFontSize(self._handle, index))

    def maps_to_nothing(self, index: int) -> bool:
        """Return whether the font does not say which character this glyph stands for."""
        return int(raw.FPDFText_HasUnicodeMapError(self._handle, index)) == 1

    def is_invisible(self, index: int) -> bool:
        """Return whether a character is drawn with neither fill nor stroke, as OCR layers are."""
        text_object: Handle = raw.FPDFText_GetTextObject(self._handle, index)
        if not text_object:
            return False
        mode = raw.FPDFTextObj_GetTextRenderMode(text_object)
        return mode in (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


def _placed_image(image: Handle, outer: Matrix) -> Iterator[PlacedImage]:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFImageObj_GetImagePixelSize(image, width, height):
        return
    # An image is a unit square that its matrix stretches to where it is drawn.
    a, b, c, d, e, f = _combined(_matrix(image), outer)
    xs, ys = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
    yield PlacedImage(
        int(width.value),
        int(height.value),
        width_pt=(a * a + b * b) ** 0.5,
        height_pt=(c * c + d * d) ** 0.5,
        left=min(xs),
        bottom=min(ys),
        right=max(xs),
        top=max(ys),
    )


def _matrix(page_object: Handle) -> Matrix:
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(page_object, matrix):
        return _IDENTITY
    return (
        float(matrix.a),
        float(matrix.b),
        float(matrix.c),
        float(matrix.d),
        float(matrix.e),
        float(matrix.f),
    )


def _combined(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )
