"""The characters of a PDF page as pdfium tells them. Child only."""

import ctypes

from ocr_grpc.documents.pdfium_raw import Handle, raw


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
