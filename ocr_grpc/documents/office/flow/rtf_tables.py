"""The tables of an RTF document, made such that pandoc loses nothing of them. Child only."""

from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.rtf_group import Group
from ocr_grpc.documents.office.flow.tree import Blocks, Node, changed, word

DROPPED = frozenset(("nesttableprops", "nonesttables"))
"""Groups about tables inside of cells, whose cells become paragraphs."""


class Tables:
    """Takes notice of where the tables of one document begin.

    Attributes:
        separated: whether a word stands before one.
    """

    def __init__(self, marks: Marks) -> None:
        self.separated = False
        self._mark = marks.nothing
        self._outside = False
        self._row_begun = False

    def changed(self, name: str, group: Group) -> bytes | None:
        """Return what is to be written instead of a control word; None if that stays."""
        if name == "pard":
            group.in_table = False
        elif name == "intbl":
            group.in_table = True
        elif name == "par":
            self._outside = not group.in_table
        elif name in ("cell", "row"):
            self._outside = False
            self._row_begun = name == "cell"
        elif name == "itap":
            return b""
        elif name in ("nestcell", "nestrow"):
            return b"\\par "
        elif name == "trowd" and self._row_begun:
            # Word says behind the cells again what row they are; pandoc takes it for one more.
            return b""
        elif name == "trowd" and self._outside:
            self._outside = False
            self.separated = True
            # A list that ends with a table goes to the top of the document (pandoc 3.9): it is
            # closed by nothing but a paragraph with text.
            return f"{{\\pard\\plain {self._mark}\\par}}\\trowd ".encode()
        return None


def without_word(blocks: Blocks, mark: str) -> Blocks:
    """Return blocks without a word, wherever it stands."""

    def _cut(node: Node) -> list[Node]:
        if node["t"] != "Str" or mark not in node["c"]:
            return [node]
        rest = node["c"].replace(mark, "")
        return [word(rest)] if rest else []

    return changed(blocks, _cut)
