"""Writes an RTF document anew, in UTF-8, with words for page breaks and pictures. Child only.

Source: Microsoft, Rich Text Format Specification 1.9.1.
"""

import binascii
import re
from collections.abc import Callable

from ocr_grpc.documents.office.flow import rtf_tables
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.rtf_group import READABLE, Group
from ocr_grpc.documents.office.flow.rtf_header import Fonts, Headings
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
_DROPPED = rtf_tables.DROPPED.union(
    ("nonshppict", "shprslt", "themedata", "datastore", "colorschememapping")
)
_NO_BREAK = frozenset(("sbknone", "sbkcol"))


class Rewriter:
    """Reads one document once.

    Attributes:
        pictures: the files of its pictures, in the order of their words.
        tables: what was found out about its tables.
    """

    def __init__(self, content: bytes, marks: Marks) -> None:
        self.pictures: list[bytes] = []
        self._content = content
        self._marks = marks
        self._written: list[bytes] = []
        self._group = Group()
        self._outer: list[Group] = []
        self._bytes = bytearray()
        self._fonts = Fonts()
        self._headings = Headings()
        self.tables = rtf_tables.Tables(marks)
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
            "ud": lambda _, __: self._unwrap(),
            "shpinst": lambda _, __: self._mute(),
            "s": lambda _, number: self._choose_style(number or 0),
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
        elif not group.silent:
            self._bytes += text

    def _flush(self) -> None:
        """Write the bytes that have come as characters."""
        if not self._bytes:
            return
        text = self._bytes.decode(self._group.encoding or self._fonts.default, "replace")
        self._bytes.clear()
        self._write(text)

    def _write(self, text: str) -> None:
        if self._group.in_styles:
            self._headings.named(text)
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
        elif (instead := self.tables.changed(word, self._group)) is not None:
            self._emit(instead)
        elif not self._sets(word, number):
            self._emit(f"\\{word}{'' if number is None else number} ".encode())

    def _sets(self, word: str, number: int | None) -> bool:
        """Take notice of what decides how text is read, which is not written again."""
        group = self._group
        if self._fonts.code_page(word, number):
            return True
        if word == "uc":
            group.fallback = max(0, number or 0)
        elif word == "v":
            group.hidden = number != 0
        elif word == "deleted":
            group.deleted = number != 0
        elif word == "upr":
            group.twofold = True
        elif word in READABLE and group.picture is not None:
            group.readable = True
        elif word == "shptxt":
            group.muted = False
            self._emit(b"{\\par ")
            group.braced = True
        else:
            if word == "fonttbl":
                group.in_fonts = True
            elif word == "stylesheet":
                group.in_styles = True
            elif word == "plain":
                group.hidden = group.deleted = False
                group.encoding = self._fonts.encoding(0)
            elif word == "fcharset" and group.in_fonts:
                self._fonts.charset(number or 0)
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
        elif not self._group.silent:
            self._flush()
            self._emit(b"\\" + symbol)

    def _open(self) -> None:
        self._flush()
        self._to_skip = 0
        if len(self._outer) >= _MAX_DEPTH:
            raise ReaderFailure(Failure.CORRUPT)
        group = self._group
        self._outer.append(group)
        self._group = group.inner(len(self._written))
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
        if not self._group.silent:
            self._emit(self._marks.page_break.encode())

    def _end_section(self) -> None:
        self._emit(b"\\par ")
        self._break()
        # What says how the next one begins comes after this.
        self._section = len(self._written) - 1

    def _unicode(self, number: int) -> None:
        group = self._group
        self._to_skip = group.fallback
        if group.silent:
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
            self._fonts.begin(number)
        else:
            self._group.encoding = self._fonts.encoding(number)
        self._emit(f"\\f{number} ".encode())

    def _choose_style(self, number: int) -> None:
        self._emit(f"\\s{number} ".encode())
        level = self._headings.level(number)
        if self._group.in_styles:
            self._headings.begin(number)
        elif level is not None:
            self._emit(f"\\outlinelevel{level} ".encode())

    def _begin_picture(self) -> None:
        self._group.picture = bytearray()

    def _end_picture(self, group: Group) -> None:
        file = group.picture_file()
        if file:
            self._written.append(self._marks.picture(len(self.pictures)).encode())
            self.pictures.append(file)

    def _unwrap(self) -> None:
        """Make a group that others may pass over one that they may not."""
        del self._written[self._group.start :]
        self._emit(b"{")

    def _mute(self) -> None:
        del self._written[self._group.start :]
        self._group.muted = True
        self._group.braced = False
