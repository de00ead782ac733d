"""Makes the tree of any document one of few kinds of node, with pictures as words. Child only."""

import re
from collections.abc import Callable
from typing import Any

from ocr_grpc.documents.office.flow import tables
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.tree import (
    NO_ATTRIBUTES,
    SPACE,
    Blocks,
    Inlines,
    Node,
    changed,
    paragraph,
    word,
)

Numbered = Callable[[str], int | None]
"""Returns the number of the picture that a document calls so; None if it cannot be read."""

BREAK: Node = {"t": "Break"}
"""A node of our own: here a page ends. Pandoc must not see it."""
_SHOWN_LINKS = re.compile(r"(https?|mailto|tel|ftp):", re.IGNORECASE)
_MAX_LINK_CHARACTERS = 2000
_BLANK = frozenset(("Space", "SoftBreak", "LineBreak"))
_STYLES = frozenset(("Emph", "Strong", "Strikeout", "Superscript", "Subscript"))
_INNER = frozenset(("Div", "Span", "Cite"))
_UNSTYLED = frozenset(("Underline", "SmallCaps"))
_UNBREAKABLE = frozenset(("Table", "Note", "DefinitionList", "LineBlock"))
_PLAIN_WORD = re.compile(r"[^\W\d_]+[,;.]?")
"""One that Markdown cannot mistake for a mark, wherever it stands."""
_PRIVATE = re.compile("[\U0010ff00-\U0010ffff]")
"""Characters without meaning, which `markdown_escapes` uses for itself."""


class Simplifier:
    """Changes the nodes of one document."""

    def __init__(self, marks: Marks, numbered: Numbered) -> None:
        self._break = marks.page_break
        self._marks = marks
        self._picture = marks.pictures
        self._numbered = numbered

    def blocks(self, blocks: Blocks) -> Blocks:
        """Return the blocks with page breaks as `BREAK`, and pictures as words."""
        return changed(blocks, self._change)

    def _change(self, node: Node) -> list[Node]:
        kind: str = node["t"]
        inner: Any = node.get("c")
        if kind == "Str":
            return self._words(inner)
        if kind == "Space":
            return [node]
        if kind in _UNBREAKABLE:
            node = {"t": kind, "c": changed(inner, _without_breaks)}
            return tables.unfolded(node) if kind == "Table" else [node]
        if kind in ("Para", "Plain"):
            return self._paragraphs(kind, inner)
        if kind in _STYLES:
            return [node] if self._says_something(inner) else inner
        if kind in _UNSTYLED:
            return inner
        if kind in _INNER:
            return inner[1]
        return self._rare(kind, inner, node)

    def _rare(self, kind: str, inner: Any, node: Node) -> list[Node]:
        match kind:
            case "Image":
                number = self._numbered(inner[2][0])
                return inner[1] if number is None else [word(self._marks.picture(number))]
            case "Figure":
                return [*inner[2], *inner[1][1]]
            case "Link":
                return self._link(inner)
            case "Header":
                level, _, words = inner
                return [{"t": kind, "c": [level, NO_ATTRIBUTES, words]}] if words else []
            case "CodeBlock" | "Code":
                code = inner[1].replace(self._break, "")
                return [{"t": kind, "c": [["", inner[0][1][:1], []], code]}]
            case "BulletList":
                return _list(kind, [], inner)
            case "OrderedList":
                return _list(kind, inner[:1], inner[1])
            case "BlockQuote":
                return [node] if inner else []
            case "SoftBreak":
                return [SPACE]
            case "RawBlock" | "RawInline":
                return []
            case _:
                return [node]

    def _words(self, words: str) -> list[Node]:
        words = _PRIVATE.sub("", words)
        if self._break not in words:
            return [word(words)] if words else []
        parts: list[Node] = []
        for at, part in enumerate(words.split(self._break)):
            parts += [BREAK] if at else []
            parts += [word(part)] if part else []
        return parts

    def _paragraphs(self, kind: str, inlines: Inlines) -> list[Node]:
        shown = [node for node in inlines if node["t"] not in _BLANK]
        if not shown:
            return []
        if all(self._is_picture(node) for node in shown):
            # Each its own paragraph: what is read in them must not run into one line.
            return [paragraph([node]) for node in shown]
        return [{"t": kind, "c": _joined(inlines)}]

    def _says_something(self, inlines: Inlines) -> bool:
        return not all(node["t"] in _BLANK or self._is_picture(node) for node in inlines)

    def _is_picture(self, node: Node) -> bool:
        return node["t"] == "Str" and self._picture.fullmatch(node["c"]) is not None

    def _link(self, inner: Any) -> list[Node]:
        _, inlines, (target, _) = inner
        shown = len(target) <= _MAX_LINK_CHARACTERS and _SHOWN_LINKS.match(target)
        if not shown or not self._says_something(inlines) or BREAK in inlines:
            return inlines
        return [{"t": "Link", "c": [NO_ATTRIBUTES, inlines, [target, ""]]}]


def _joined(inlines: Inlines) -> Inlines:
    """Return inlines with plain words in one: pandoc makes a node of each word and each space."""
    joined: Inlines = []
    words: list[str] = []
    for node in [*inlines, BREAK]:
        kind = node["t"]
        if kind == "Str" and _PLAIN_WORD.fullmatch(node["c"]):
            words.append(node["c"])
            continue
        if kind == "Space" and words:
            words.append(" ")
            continue
        if words:
            text = "".join(words)
            words.clear()
            joined += [word(text.rstrip(" ")), SPACE] if text.endswith(" ") else [word(text)]
        joined.append(node)
    joined.pop()
    return joined


def _list(kind: str, attributes: list[Any], items: list[Blocks]) -> list[Node]:
    full = [item for item in items if item]
    # Word has no lists without space between their items; people write none with it.
    if all(_is_one_line(item) for item in full):
        full = [[{"t": "Plain", "c": item[0]["c"]}, *item[1:]] for item in full]
    if not full:
        return []
    return [{"t": kind, "c": [*attributes, full] if attributes else full}]


def _is_one_line(item: Blocks) -> bool:
    first, *others = item
    return first["t"] in ("Para", "Plain") and all(
        other["t"] in ("BulletList", "OrderedList") for other in others
    )


def _without_breaks(node: Node) -> list[Node]:
    return [] if node["t"] == "Break" else [node]
