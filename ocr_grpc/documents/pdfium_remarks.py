"""Writes remarks that somebody typed onto a PDF page, where pdfium would show nothing. Child only.

Programs may leave it to the reader to draw a remark of free text, and say only what it is, where
and in which size. pdfium draws such an annotation only if it brings its own drawing.
"""

import ctypes
import re
from collections.abc import Iterable

from ocr_grpc.documents.pdfium_raw import Handle, raw

_SIZE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s+Tf\b")
_FONT_SIZE = 12.0
_LINE_HEIGHT = 1.2
_LETTER_WIDTH = 0.5
"""Of Helvetica on average, as a share of its size: where lines are to be broken."""
_MAX_CHARACTERS = 10_000
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def write_remarks(document: Handle, page: Handle, annotations: Iterable[Handle]) -> bool:
    """Write the remarks of a page onto it; return whether there were any.

    What was written is seen when the page is loaded the next time.
    """
    written = False
    for annotation in annotations:
        if raw.FPDFAnnot_GetSubtype(annotation) != raw.FPDF_ANNOT_FREETEXT:
            continue
        hidden = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
        drawn = raw.FPDFAnnot_HasKey(annotation, b"AP")
        if not drawn and not int(raw.FPDFAnnot_GetFlags(annotation)) & hidden:
            written |= _write(document, page, annotation)
    return written and bool(raw.FPDFPage_GenerateContent(page))


def _write(document: Handle, page: Handle, annotation: Handle) -> bool:
    text = _string(annotation, b"Contents")
    box = raw.FS_RECTF()
    # A font with other letters would have to come from somewhere.
    if not _is_latin(text) or not raw.FPDFAnnot_GetRect(annotation, box):
        return False
    found = _SIZE.search(_string(annotation, b"DA"))
    size = float(found[1]) if found else 0.0
    size = size or _FONT_SIZE
    room = int((box.right - box.left) / (size * _LETTER_WIDTH))
    lines = [part for line in _LINE_ENDS.split(text) for part in _broken(line, max(1, room))]
    for number, line in enumerate(lines, 1):
        handle: Handle = raw.FPDFPageObj_NewTextObj(document, b"Helvetica", size)
        units = ctypes.create_string_buffer(line.encode("utf-16-le") + b"\0\0")
        raw.FPDFText_SetText(handle, ctypes.cast(units, raw.FPDF_WIDESTRING))
        y = box.top - size * _LINE_HEIGHT * number
        raw.FPDFPageObj_Transform(handle, 1, 0, 0, 1, box.left, y)
        raw.FPDFPage_InsertObject(page, handle)
    return bool(lines)


def _broken(line: str, room: int) -> list[str]:
    lines: list[str] = []
    for word in line.split():
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _is_latin(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return bool(text.strip())


def _string(annotation: Handle, key: bytes) -> str:
    size = int(raw.FPDFAnnot_GetStringValue(annotation, key, None, 0))
    if not 2 < size <= 2 * _MAX_CHARACTERS:
        return ""
    buffer = (ctypes.c_ushort * (size // 2))()
    raw.FPDFAnnot_GetStringValue(annotation, key, buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")
