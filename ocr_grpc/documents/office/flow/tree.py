"""The tree that pandoc makes of a document, and how to walk and change it. Child only.

A node is an object with a type `t` and its content `c`. Inside of blocks (paragraphs, lists,
tables) are inlines (words, spaces, links). Source: pandoc-types 1.23, Text.Pandoc.Definition.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

from ocr_grpc.documents.protocol import Failure, ReaderFailure

Node = dict[str, Any]
Blocks = list[Node]
Inlines = list[Node]
Change = Callable[[Node], list[Node]]
"""Returns what stands in the place of a node whose content was changed already."""

_VERBATIM = frozenset(("Code", "CodeBlock", "Math", "RawInline", "RawBlock"))
_BLANK = frozenset(("Space", "SoftBreak", "LineBreak"))
_VERSION = [1, 23, 1]
_FRONT_MATTER = ("title", "subtitle", "author", "date", "abstract")
NO_ATTRIBUTES: list[Any] = ["", [], []]
SPACE: Node = {"t": "Space"}
LINE_BREAK: Node = {"t": "LineBreak"}


def load(tree: bytes, *, front_matter: bool = False) -> Blocks:
    """Return the blocks of a document.

    Args:
        tree: as pandoc writes it.
        front_matter: begin with what pandoc takes out of the text as facts about it.

    Raises:
        ReaderFailure: it is no tree of pandoc's, or nested deeper than any person would.
    """
    try:
        document: Any = json.loads(tree)
        blocks = cast("Blocks", document["blocks"])
        return _front_matter(document["meta"]) + blocks if front_matter else blocks
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ReaderFailure(Failure.CORRUPT) from error


def _front_matter(meta: Any) -> Blocks:
    blocks: Blocks = []
    for name in _FRONT_MATTER:
        said = _said(meta.get(name))
        if name == "title" and said and said[0]["t"] == "Para":
            said[0] = {"t": "Header", "c": [1, NO_ATTRIBUTES, said[0]["c"]]}
        blocks += said
    return blocks


def _said(value: Any) -> Blocks:
    match value:
        case {"t": "MetaInlines", "c": inlines}:
            return [paragraph(inlines)]
        case {"t": "MetaBlocks", "c": blocks}:
            return blocks
        case {"t": "MetaList", "c": [*values]}:
            return [block for each in values for block in _said(each)]
        case _:
            return []


def dump(blocks: Blocks) -> bytes:
    """Return blocks as a document that pandoc reads."""
    document: Node = {"pandoc-api-version": _VERSION, "meta": {}, "blocks": blocks}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def changed(content: Any, change: Change) -> Any:
    """Return a tree, or a part of one, with every node changed, from the leaves to the root."""
    if not isinstance(content, list):
        return content
    result: list[Any] = []
    for part in cast("list[Any]", content):
        if isinstance(part, dict) and "t" in part:
            node = cast("Node", part)
            if "c" in node:
                node = {"t": node["t"], "c": changed(node["c"], change)}
            result.extend(change(node))
        else:
            result.append(changed(part, change) if isinstance(part, list) else part)
    return result


def nodes(content: Any) -> Iterator[Node]:
    """Yield every node of a tree, or of a part of one."""
    if isinstance(content, list):
        for part in cast("list[Any]", content):
            yield from nodes(part)
    elif isinstance(content, dict):
        node = cast("Node", content)
        if "t" in node:
            yield node
        yield from nodes(node.get("c"))


def length(content: Any, of_word: Callable[[str], int] = len) -> int:
    """Return the number of characters that a tree, or a part of one, shows."""
    if isinstance(content, list):
        return sum(length(part, of_word) for part in cast("list[Any]", content))
    if not isinstance(content, dict):
        return 0
    node = cast("Node", content)
    kind, inner = node["t"], node.get("c")
    if kind == "Str":
        return of_word(cast("str", inner))
    if kind in _VERBATIM:
        return len(cast("list[str]", inner)[1])
    if inner is None:
        return 1 if kind in _BLANK else 0
    return length(inner, of_word)


def text(inlines: Any) -> str:
    """Return the words of inlines, without any form."""
    return "".join(map(_words, nodes(inlines)))


def _words(node: Node) -> str:
    match node:
        case {"t": "Str", "c": str(words)}:
            return words
        case {"t": "Code" | "Math" | "RawInline" | "CodeBlock", "c": [_, str(words)]}:
            return words
        case {"t": "Space" | "SoftBreak" | "LineBreak"}:
            return " "
        case _:
            return ""


def word(text: str) -> Node:
    """Return a word."""
    return {"t": "Str", "c": text}


def paragraph(inlines: Inlines) -> Node:
    """Return a paragraph."""
    return {"t": "Para", "c": inlines}
