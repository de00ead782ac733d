"""What the header of an RTF document says about all that follows. Child only.

Source: Microsoft, Rich Text Format Specification 1.9.1, font table and style sheet.
"""

import re

_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gb18030",
    136: "big5hkscs",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
_SETS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_HEADING = re.compile(r"\s*heading ([1-9])\s*[,;]", re.IGNORECASE)


class Fonts:
    """How the bytes of text are read.

    Attributes:
        default: the encoding where the font says none.
    """

    def __init__(self) -> None:
        self.default = "cp1252"
        self._encodings: dict[int, str] = {}
        self._current = 0

    def code_page(self, word: str, number: int | None) -> bool:
        """Take notice of the code page of the document; return whether the word says it."""
        if word == "ansicpg" and number:
            self.default = _known(f"cp{number}")
        elif word in _SETS:
            self.default = _SETS[word]
        else:
            return False
        return True

    def begin(self, number: int) -> None:
        """Begin a font of the font table."""
        self._current = number

    def charset(self, number: int) -> None:
        """Say the letters of the font that was begun."""
        self._encodings[self._current] = _CHARSETS.get(number, "")

    def encoding(self, number: int) -> str:
        """Return the encoding of a font; empty for the default."""
        return self._encodings.get(number, "")


class Headings:
    """Which styles are those of headings: LibreOffice says it nowhere but in their names."""

    def __init__(self) -> None:
        self._levels: dict[int, int] = {}
        self._current: int | None = None

    def begin(self, number: int) -> None:
        """Begin a style of the style sheet."""
        self._current = number

    def named(self, name: str) -> None:
        """Take notice of the name of the style that was begun, with the semicolon that ends it."""
        found = _HEADING.match(name)
        if found is not None and self._current is not None:
            self._levels[self._current] = int(found[1]) - 1
        if name.endswith(";"):
            self._current = None

    def level(self, number: int) -> int | None:
        """Return the level of the headings in a style, from 0; None if they are none."""
        return self._levels.get(number)


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError:
        return "cp1252"
    return encoding
