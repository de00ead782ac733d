"""What is drawn on a PDF page besides text: is it a scan, is it blank? Child only."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

from ocr_grpc.documents.pdfium_raw import Handle, raw

# Objects looked at per page: a map may have a million paths, and the answer is known long before.
_MAX_OBJECTS = 20_000
_MAX_FORM_DEPTH = 4

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


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


def drawn_on(page: Handle) -> Drawn:
    """Return the images on the page, those inside of form objects included."""
    images: list[PlacedImage] = []
    budget = _MAX_OBJECTS
    count = int(raw.FPDFPage_CountObjects(page))
    pending = [(raw.FPDFPage_GetObject, page, count, _IDENTITY, 0)]
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
