"""What holds in an RTF document until a brace closes. Child only."""

import binascii
from dataclasses import dataclass, replace

from ocr_grpc.documents.office.pictures import may_have_text

READABLE = frozenset(("pngblip", "jpegblip"))


@dataclass
class Group:
    """What holds until a brace closes.

    Attributes:
        start: where it begins in what is written.
        fallback: how many characters after a letter told by number stand for it.
        hidden: its text is formatted so.
        deleted: its text is gone, and only kept as a tracked change.
        muted: nothing in it is shown, except text boxes and pictures.
        twofold: its first group says the same as its second in fewer letters.
        in_table: its paragraphs are those of cells.
        picture: the hexadecimal of a picture that the group is; None if it is none.
    """

    start: int = 0
    encoding: str = ""
    fallback: int = 1
    hidden: bool = False
    deleted: bool = False
    muted: bool = False
    dropped: bool = False
    twofold: bool = False
    braced: bool = True
    in_fonts: bool = False
    in_styles: bool = False
    in_table: bool = False
    picture: bytearray | None = None
    readable: bool = False

    @property
    def silent(self) -> bool:
        """Whether its text is not shown."""
        return self.hidden or self.deleted

    def inner(self, start: int) -> "Group":
        """Return the group that begins inside of it."""
        dropped = self.dropped or self.twofold
        self.twofold = False
        return replace(self, start=start, picture=None, braced=True, dropped=dropped)

    def picture_file(self) -> bytes:
        """Return the picture that it is; empty if it cannot be read or is not worth it."""
        digits = b"".join(bytes(self.picture or b"").split())
        if not self.readable or self.dropped or self.silent:
            return b""
        try:
            file = binascii.unhexlify(digits[: len(digits) // 2 * 2])
        except binascii.Error:
            return b""
        return file if may_have_text(file) else b""
