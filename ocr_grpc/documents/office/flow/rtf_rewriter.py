"""Writes an RTF document anew, in UTF-8, with words for page breaks and pictures. Child only.

Source: Microsoft, Rich Text Format Specification 1.9.1.
"""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.pictures import may_have_text
from ocr_grpc.documents.protocol import Failure, ReaderFailure

_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,32})(-?[0-9]{1,10})? ?"  # a control word and its number
    rb"|\\'([0-9A-Fa-f]{2})"  # a byte of text
    rb"|\\([^A-Za-z])"  # a control symbol
    rb"|([{}])"
    rb"|([^\\{}\r\n]+)",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[\\{}]")
_MAX_DEPTH = 1000
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
_READABLE = frozenset(("pngblip", "jpegblip"))
_DROPPED = frozenset(("nonshppict", "shprslt", "themedata", "datastore", "colorschememapping"))
_NO_BREAK = frozenset(("sbknone", "sbkcol"))


@dataclass
class _Group:
    """What holds until a brace closes.

    Attributes:
        start: where it begins in what is written.
        muted: nothing in it is shown, except text boxes and pictures.
        picture: the hexadecimal of a picture that the group is; None if it is none.
    """

    start: int = 0
    encoding: str = ""
    fallback: int = 1
    hidden: bool = False
    muted: bool = False
    dropped: bool = False
    braced: bool = True
    in_fonts: bool = False
    picture: bytearray | None = None
    readable: bool = False


class Rewriter:
    """Reads one document once.

    Attributes:
        pictures: the files of its pictures, in the order of their words.
    """

    def __init__(self, content: bytes, marks: Marks) -> None:
        self.pictures: list[bytes] = []
        self._content = content
        self._marks = marks
        self._written: list[bytes] = []
        self._group = _Group()
        self._outer: list[_Group] = []
        self._bytes = bytearray()
        self._default = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._to_skip = 0
        self._high = 0
        self._section = -1
        self._place = 0
        self._words: dict[str, Callable[[str, int | None], None]] = {
            "page": lambda _, __: self._break(),
            "pagebb": lambda _, number: None if number == 0 else self._break(),
            "sect": lambda _, __: self._end_section(),
            "u": lambda _, number: self._unicode(number or 0),
            "bin": lambda _, number: self._binary(number or 0),
            "pict": lambda _, __: self._begin_picture(),
            "shppict": lambda _, __: self._unwrap(),
            "shpinst": lambda _, __: self._mute(),
            "f": lambda _, number: self._choose_font(number or 0),
        }

    def rewritten(self) -> bytes:
        """Return the document in UTF-8.

        Raises:
            ReaderFailure: its groups do not nest.
        """
        while found := _TOKEN.search(self._content, self._place):
            self._place = found.end()
            word, number, code, symbol, brace, text = found.groups()
            if text is not None:
                self._text(text)
            elif code is not None:
                self._text(bytes((int(code, 16),)))
            elif word is not None:
                self._word(word.decode().lower(), None if number is None else int(number))
            elif brace == b"{":
                self._open()
            elif brace == b"}":
                self._close()
            else:
                self._symbol(symbol)
        self._flush()
        while self._outer:
            self._close()  # cut off in the middle
        return b"".join(self._written)

    def _text(self, text: bytes) -> None:
        skipped = min(self._to_skip, len(text))
        self._to_skip -= skipped
        text = text[skipped:]
        group = self._group
        if group.picture is not None:
            group.picture += text
        elif not group.hidden:
            self._bytes += text

    def _flush(self) -> None:
        """Write the bytes that have come as characters."""
        if not self._bytes:
            return
        text = self._bytes.decode(self._group.encoding or self._default, "replace")
        self._bytes.clear()
        self._write(text)

    def _write(self, text: str) -> None:
        # Pandoc takes letters as they are, but loses the space after one that is told by number.
        self._emit(_SPECIAL.sub(r"\\\g<0>", text).encode("utf-8", "replace"))

    def _emit(self, rtf: bytes) -> None:
        group = self._group
        if not group.muted and not group.dropped and group.picture is None:
            self._written.append(rtf)
            if rtf.strip() and not rtf.startswith(b"\\"):
                self._section = -1

    def _word(self, word: str, number: int | None) -> None:
        self._flush()
        if self._to_skip and word != "u":
            self._to_skip -= 1
            return
        if word in self._words:
            self._words[word](word, number)
        elif word in _NO_BREAK and self._section >= 0:
            self._written[self._section] = b""
        elif word in _DROPPED:
            self._group.dropped = True
        elif not self._sets(word, number):
            self._emit(f"\\{word}{'' if number is None else number} ".encode())

    def _sets(self, word: str, number: int | None) -> bool:
        """Take notice of what decides how text is read, which is not written again."""
        group = self._group
        if word == "ansicpg" and number:
            self._default = _known(f"cp{number}")
        elif word in _SETS:
            self._default = _SETS[word]
        elif word == "uc":
            group.fallback = max(0, number or 0)
        elif word == "v":
            group.hidden = number != 0
        elif word in _READABLE and group.picture is not None:
            group.readable = True
        elif word == "shptxt":
            group.muted = False
            self._emit(b"{\\par ")
            group.braced = True
        else:
            if word == "fonttbl":
                group.in_fonts = True
            elif word == "plain":
                group.hidden = False
                group.encoding = self._fonts.get(0, "")
            elif word == "fcharset" and group.in_fonts:
                self._fonts[self._font] = _CHARSETS.get(number or 0, "")
            return False
        return True

    def _symbol(self, symbol: bytes) -> None:
        if self._to_skip:
            self._to_skip -= 1
            return
        if symbol in (b"\\", b"{", b"}"):
            self._text(symbol)
        elif symbol in (b"\r", b"\n"):
            self._flush()
            self._emit(b"\\par ")
        elif not self._group.hidden:
            self._flush()
            self._emit(b"\\" + symbol)

    def _open(self) -> None:
        self._flush()
        self._to_skip = 0
        if len(self._outer) >= _MAX_DEPTH:
            raise ReaderFailure(Failure.CORRUPT)
        group = self._group
        self._outer.append(group)
        self._group = replace(group, start=len(self._written), picture=None, braced=True)
        if group.muted or group.picture is not None:
            self._group.braced = False
        else:
            self._emit(b"{")

    def _close(self) -> None:
        self._flush()
        self._to_skip = 0
        if not self._outer:
            return  # more closed than opened: what follows is shown all the same
        group, self._group = self._group, self._outer.pop()
        if group.dropped and not self._group.dropped:
            del self._written[group.start :]
        elif group.picture is not None:
            del self._written[group.start :]
            self._end_picture(group)
        elif group.braced and not group.dropped:
            self._written.append(b"}")

    def _break(self) -> None:
        if not self._group.hidden:
            self._emit(self._marks.page_break.encode())

    def _end_section(self) -> None:
        self._emit(b"\\par ")
        self._break()
        # What says how the next one begins comes after this.
        self._section = len(self._written) - 1

    def _unicode(self, number: int) -> None:
        group = self._group
        self._to_skip = group.fallback
        if group.hidden:
            return
        unit = number & 0xFFFF
        if 0xD800 <= unit < 0xDC00:
            self._high = unit
        elif 0xDC00 <= unit < 0xE000:
            if self._high:
                self._write(chr(0x10000 + ((self._high - 0xD800) << 10) + unit - 0xDC00))
            self._high = 0
        else:
            self._write(chr(unit))

    def _binary(self, size: int) -> None:
        piece = self._content[self._place : self._place + max(0, size)]
        self._place += len(piece)
        if self._group.picture is not None:
            self._group.picture += binascii.hexlify(piece)

    def _choose_font(self, number: int) -> None:
        if self._group.in_fonts:
            self._font = number
        else:
            self._group.encoding = self._fonts.get(number, "")
        self._emit(f"\\f{number} ".encode())

    def _begin_picture(self) -> None:
        self._group.picture = bytearray()

    def _end_picture(self, group: _Group) -> None:
        digits = b"".join(bytes(group.picture or b"").split())
        if not group.readable or group.dropped or group.hidden:
            return
        try:
            picture = binascii.unhexlify(digits[: len(digits) // 2 * 2])
        except binascii.Error:
            return
        if not may_have_text(picture):
            return
        self._written.append(self._marks.picture(len(self.pictures)).encode())
        self.pictures.append(picture)

    def _unwrap(self) -> None:
        """Make a group that others may pass over one that they may not."""
        del self._written[self._group.start :]
        self._emit(b"{")

    def _mute(self) -> None:
        del self._written[self._group.start :]
        self._group.muted = True
        self._group.braced = False


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError:
        return "cp1252"
    return encoding
