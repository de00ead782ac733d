"""Writes pages of pandoc's tree as Markdown or plain text, and finds the pictures. Child only."""

import re
from typing import Any

from ocr_grpc.documents.office.flow import markdown_escapes, pandoc, tables
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.tree import (
    Blocks,
    Inlines,
    Node,
    changed,
    dump,
    paragraph,
    word,
)
from ocr_grpc.documents.office.pages import Segment

# No HTML in the Markdown, and dollars are money: formulas are put in by us.
_MARKDOWN = "gfm-raw_html-tex_math_dollars-tex_math_gfm"
_PLAIN = "plain"
_APART = frozenset(("BulletList", "OrderedList", "CodeBlock", "DefinitionList"))
_STYLES = frozenset(("Emph", "Strong", "Strikeout", "Link"))


def written(pages: list[Blocks], marks: Marks, *, markdown: bool) -> list[list[Segment]]:
    """Return the text and the pictures of each page.

    Args:
        pages: simplified and cut.
        marks: of the document; what is between the pages in one run of pandoc.
        markdown: or plain text.

    Raises:
        ReaderFailure: MEMORY, if they are too large.
    """
    between = paragraph([word(marks.page_break)])
    blocks: Blocks = []
    for at, page in enumerate(pages):
        blocks += [between] if at else []
        blocks += _apart(page, marks) if markdown else page
    if markdown:
        tree = dump(changed(blocks, _Markdown(marks).change))
        text = pandoc.convert(tree, "json", _MARKDOWN).decode()
        text = markdown_escapes.restored(text)
        text = text.replace(f"\n\n{marks.nothing}\n\n", "\n\n")
        text = re.sub(f"``` {marks.nothing}$", "```", text, flags=re.MULTILINE)
    else:
        text = pandoc.convert(dump(changed(blocks, _plain)), "json", _PLAIN).decode()
    texts = re.split(f"(?:^|\n\n){marks.page_break}(?:\n\n|\n?$)", text)
    return [_segments(text.strip("\n"), marks) for text in texts]


def _segments(text: str, marks: Marks) -> list[Segment]:
    parts = marks.pictures.split(text)
    segments: list[Segment] = []
    for at in range(0, len(parts) - 1, 2):
        before, after = parts[at], parts[at + 2]
        unindented = before.rstrip(" ")
        alone = (unindented.endswith("\n\n") or (not unindented and at == 0)) and (
            after.startswith("\n\n") or (not after and at == len(parts) - 3)
        )
        if alone:
            before = unindented
        segments += [before] if before else []
        segments.append((int(parts[at + 1]), not alone))
    return [*segments, parts[-1]] if parts[-1] else segments


def _apart(blocks: Blocks, marks: Marks) -> Blocks:
    """Return the blocks with something between lists, for which pandoc would put in a space."""
    apart: Blocks = []
    for block in blocks:
        if apart and block["t"] in _APART and apart[-1]["t"] in _APART:
            apart.append(paragraph([word(marks.nothing)]))
        apart.append(block)
    return apart


class _Markdown:
    """Changes a tree into one of which pandoc makes Markdown that people would write."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def change(self, node: Node) -> list[Node]:
        """Return what to write instead of a node."""
        kind: str = node["t"]
        inner: Any = node.get("c")
        if kind == "Str":
            return [word(markdown_escapes.protected(inner))]
        if kind == "Table":
            return [tables.simple({"t": kind, "c": changed(inner, _in_table)})]
        if kind == "Math":
            sign = "$" if inner[0]["t"] == "InlineMath" else "$$"
            formula = f"{sign}{inner[1].strip()}{sign}"
            return [{"t": "RawInline", "c": ["markdown", formula]}]
        if kind == "CodeBlock":
            # Without a language pandoc would indent it instead of fencing it.
            language = inner[0][1] or [self._marks.nothing]
            return [{"t": kind, "c": [["", language, []], inner[1]]}]
        return [node]


def _in_table(node: Node) -> list[Node]:
    if node["t"] == "Str":
        return [word(markdown_escapes.in_table(node["c"]))]
    return [node]


def _plain(node: Node) -> list[Node]:
    kind: str = node["t"]
    inner: Any = node.get("c")
    if kind in _STYLES:
        return inner[1] if kind == "Link" else inner
    if kind == "Table":
        return [{"t": "LineBlock", "c": [_tabbed(row) for row in tables.lines(node)]}]
    if kind == "CodeBlock":
        # Not indented, as pandoc would have it.
        lines = inner[1].split("\n")
        return [{"t": "LineBlock", "c": [[word(line)] if line else [] for line in lines]}]
    return [node]


def _tabbed(row: tables.Row) -> Inlines:
    line: Inlines = []
    for at, cell in enumerate(row):
        line += [word("\t"), *cell] if at else cell
    while line and line[-1] == word("\t"):
        line.pop()
    return line
