"""Markdown as GitHub reads it, with the HTML that people put into it. Child only.

Its pages are written anew, in one way of marking things, and not cut from what the author wrote:
references and HTML may stand anywhere in that, and would be on another page.
"""

from typing import Any, cast

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import encodings
from ocr_grpc.documents.office.flow import pandoc
from ocr_grpc.documents.office.flow.flow import Flow, FlowPages, open_flow
from ocr_grpc.documents.office.flow.html import PANDOC_FORM, Shown, serialized
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.tree import (
    LINE_BREAK,
    NO_ATTRIBUTES,
    Blocks,
    Node,
    changed,
    load,
    word,
)

_FORM = "gfm-gfm_auto_identifiers"
_LINE_BREAKS = ("<br>", "<br/>", "<br />")


def open_markdown(opening: Opening) -> FlowPages:
    """Open a Markdown file.

    Raises:
        ReaderFailure: it is no text.
    """
    opening.file.seek(0)
    text = encodings.decode(opening.file.read())
    marks = Marks()
    text = text.replace("\r\n", "\n").replace("\f", f"\n\n{marks.page_break}\n\n")
    shown = Shown(marks)
    raw = _Raw(shown)
    flow = Flow(
        text.encode("utf-8", "replace"), _FORM, marks, embedded=shown.embedded, raw=raw.read
    )
    return open_flow(opening, DocumentKind.MARKDOWN, flow)


class _Raw:
    """Reads the HTML in a tree, all of it in one run of pandoc."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._between = f"{shown.marks.token}r"
        self._pieces: list[str] = []

    def read(self, blocks: Blocks) -> Blocks:
        """Return the blocks with HTML as what it shows."""
        blocks = changed(blocks, self._collect)
        if not self._pieces:
            return blocks
        bodies = [self._shown.fragment(piece) for piece in self._pieces]
        read = load(pandoc.convert(serialized(bodies, self._between), PANDOC_FORM, "json"))
        parts: list[Blocks] = [[]]
        for block in read:
            if block.get("c") == [{"t": "Str", "c": self._between}]:
                parts.append([])
            else:
                parts[-1].append(block)

        def put_back(node: Node) -> list[Node]:
            number: Any = node.get("c")
            if node["t"] != "Piece":
                return [node]
            return parts[int(number)] if number < len(parts) else []

        return changed(blocks, put_back)

    def _collect(self, node: Node) -> list[Node]:
        if node["t"] == "RawBlock":
            form, markup = cast("list[str]", node["c"])
            if form != "html":
                return []
            self._pieces.append(markup)
            return [{"t": "Piece", "c": len(self._pieces) - 1}]
        if node["t"] == "RawInline":
            markup = cast("list[str]", node["c"])[1]
            if markup.lower() in _LINE_BREAKS:
                return [LINE_BREAK]
            return self._picture(markup) if markup[:4].lower() == "<img" else []
        return [node]

    def _picture(self, markup: str) -> list[Node]:
        image = next(self._shown.fragment(markup).iter("img"), None)
        if image is None:
            return []
        alternative = [word(image.get("alt") or "")]
        return [{"t": "Image", "c": [NO_ATTRIBUTES, alternative, [image.get("src") or "", ""]]}]
