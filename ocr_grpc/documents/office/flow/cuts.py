"""Cuts the tree of a document into pages. Child only.

A page ends at a page break of the document, else with the paragraph that makes it 3,000 characters
long; the items of a list are paragraphs too. A table is cut only if no page can hold it.
"""

from typing import Any, cast

from ocr_grpc.documents.office.flow import tables
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.simple_tree import BREAK
from ocr_grpc.documents.office.flow.tree import Blocks, Inlines, Node, length
from ocr_grpc.documents.protocol import MAX_WRITTEN_CHARACTERS

PAGE_CHARACTERS = 3_000
PICTURE_CHARACTERS = 1_000
"""So that a page has a few pictures to be read, and not hundreds."""
MAX_BLOCK_CHARACTERS = MAX_WRITTEN_CHARACTERS // 3
"""The Markdown of a block is longer than what it shows, by its bars and links."""
_ROW_CHARACTERS = 30
_LISTS = ("BulletList", "OrderedList")


class Cutter:
    """Takes the blocks of one document in order and holds its pages."""

    def __init__(self, marks: Marks, page_characters: int = PAGE_CHARACTERS) -> None:
        """Begin the first page.

        Args:
            marks: of the document.
            page_characters: after how many a page ends; chapters end only with themselves.
        """
        self._token = marks.token
        self._page_characters = min(page_characters, MAX_BLOCK_CHARACTERS)
        self._pages: list[Blocks] = [[]]
        self._count = 0

    def pages(self, blocks: Blocks) -> list[Blocks]:
        """Return the blocks of each page; none is empty, except the one of an empty document."""
        for block in blocks:
            for at, part in enumerate(_at_breaks(block)):
                if at:
                    self._begin_page()
                for piece in part:
                    self._add(piece)
        return [page for page in self._pages if page] or [[]]

    def _add(self, block: Node) -> None:
        size = self._length(block)
        if block["t"] in _LISTS and self._count + size > self._page_characters:
            self._add_items(block)
        elif size > MAX_BLOCK_CHARACTERS:
            for piece in self._pieces(block):
                self._append(piece, self._length(piece))
        else:
            self._append(block, size)

    def _append(self, block: Node, size: int) -> None:
        if self._count >= self._page_characters or self._count + size > 2 * MAX_BLOCK_CHARACTERS:
            self._begin_page(keep_heading=True)
        self._pages[-1].append(block)
        self._count += size

    def _add_items(self, block: Node) -> None:
        whole: Node | None = None
        for at, item in enumerate(_items(block)):
            size = self._length(item)
            if size > MAX_BLOCK_CHARACTERS:
                # Its parts stand for themselves: a page cannot begin in the middle of an item.
                for inner in item:
                    self._add(inner)
                whole = None
                continue
            room = min(self._page_characters, 2 * MAX_BLOCK_CHARACTERS - size)
            if whole is not None and self._count < room:
                _items(whole).append(item)
                self._count += size
                continue
            whole = _with_items(block, [item], at)
            self._append(whole, size)

    def _begin_page(self, *, keep_heading: bool = False) -> None:
        last = self._pages[-1]
        moved: Blocks = []
        # A heading belongs to what comes after it.
        while keep_heading and len(last) > 1 and last[-1]["t"] == "Header":
            moved.insert(0, last.pop())
        self._pages.append(moved)
        self._count = self._length(moved)

    def _length(self, content: Any) -> int:
        if isinstance(content, dict) and cast("Node", content)["t"] == "Table":
            rows = sum(len(body[2]) + len(body[3]) for body in cast("Node", content)["c"][4])
            return length(content, self._word) + _ROW_CHARACTERS * rows
        return length(content, self._word)

    def _word(self, text: str) -> int:
        return PICTURE_CHARACTERS if text.startswith(self._token) else len(text)

    def _pieces(self, block: Node) -> Blocks:
        """Return a block that is too long for a page, cut."""
        inner: Any = block.get("c")
        match block["t"]:
            case "Para" | "Plain":
                return [{"t": "Para", "c": part} for part in self._groups(_small_words(inner))]
            case "CodeBlock":
                return [{"t": "CodeBlock", "c": [inner[0], part]} for part in _texts(inner[1])]
            case "LineBlock" | "DefinitionList":
                return [{"t": block["t"], "c": part} for part in self._groups(inner)]
            case "BlockQuote":
                return [
                    {"t": "BlockQuote", "c": part}
                    for part in self._groups(
                        [
                            piece
                            for child in inner
                            for piece in (
                                self._pieces(child)
                                if self._length(child) > MAX_BLOCK_CHARACTERS
                                else [child]
                            )
                        ]
                    )
                ]
            case "Table":
                rows = max(1, sum(len(body[2]) + len(body[3]) for body in inner[4]))
                size = max(1, rows * MAX_BLOCK_CHARACTERS // self._length(block))
                return tables.parts(block, size)
            case _:
                return [block]

    def _groups(self, children: list[Any]) -> list[list[Any]]:
        groups: list[list[Any]] = [[]]
        count = 0
        for child in children:
            size = self._length(child)
            if groups[-1] and count + size > MAX_BLOCK_CHARACTERS:
                groups.append([])
                count = 0
            groups[-1].append(child)
            count += size
        return groups


def _small_words(inlines: Inlines) -> Inlines:
    small: Inlines = []
    for node in inlines:
        if length(node) <= MAX_BLOCK_CHARACTERS:
            small.append(node)
        elif node["t"] == "Str":
            small += [{"t": "Str", "c": part} for part in _texts(node["c"])]
        elif node["t"] in ("Code", "Math"):
            small += [{"t": node["t"], "c": [node["c"][0], part]} for part in _texts(node["c"][1])]
        else:
            inner = node["c"] if isinstance(node["c"][0], dict) else node["c"][1]
            small += _small_words(inner) if node["t"] != "Note" else [node]
    return small


def _texts(text: str) -> list[str]:
    return [
        text[at : at + MAX_BLOCK_CHARACTERS] for at in range(0, len(text), MAX_BLOCK_CHARACTERS)
    ]


def _at_breaks(block: Node) -> list[Blocks]:
    """Return a block cut at the page breaks in it: one part more than there are breaks."""
    inner: Any = block.get("c")
    match block["t"]:
        case "Para" | "Plain":
            return [[{"t": block["t"], "c": part}] if part else [] for part in _inlines(inner)]
        case "Header":
            level, attributes, words = inner
            return [
                [{"t": "Header", "c": [level, attributes, part]}] if part else []
                for part in _inlines(words)
            ]
        case "BlockQuote":
            return [[{"t": "BlockQuote", "c": part}] if part else [] for part in _blocks(inner)]
        case "BulletList" | "OrderedList":
            return _list(block)
        case _:
            return [[block]]


def _blocks(blocks: Blocks) -> list[Blocks]:
    parts: list[Blocks] = [[]]
    for block in blocks:
        first, *others = _at_breaks(block)
        parts[-1] += first
        parts += others
    return parts


def _list(block: Node) -> list[Blocks]:
    parts: list[list[Blocks]] = [[]]
    starts = [0]
    for at, item in enumerate(_items(block)):
        for number, part in enumerate(_blocks(item)):
            if number:
                parts.append([])
                starts.append(at + 1)
            if part:
                if not parts[-1]:
                    starts[-1] = at
                parts[-1].append(part)
    return [
        [_with_items(block, items, start)] if items else []
        for items, start in zip(parts, starts, strict=True)
    ]


def _inlines(inlines: Inlines) -> list[Inlines]:
    parts: list[Inlines] = [[]]
    for node in inlines:
        if node["t"] == BREAK["t"]:
            parts.append([])
            continue
        inner: Any = node.get("c")
        if node["t"] in ("Emph", "Strong", "Strikeout", "Superscript", "Subscript"):
            first, *others = ({"t": node["t"], "c": part} for part in _inlines(inner))
            parts[-1] += [first] if first["c"] else []
            parts += [[other] if other["c"] else [] for other in others]
        elif node["t"] == "Quoted":
            # Rare enough to lose a break in.
            kept = [each for each in inner[1] if each["t"] != BREAK["t"]]
            parts[-1].append({"t": "Quoted", "c": [inner[0], kept]})
        else:
            parts[-1].append(node)
    return [_trimmed(part) for part in parts] if len(parts) > 1 else parts


def _trimmed(inlines: Inlines) -> Inlines:
    blank = ("Space", "LineBreak")
    while inlines and inlines[0]["t"] in blank:
        inlines = inlines[1:]
    while inlines and inlines[-1]["t"] in blank:
        inlines = inlines[:-1]
    return inlines


def _items(block: Node) -> list[Blocks]:
    return block["c"][1] if block["t"] == "OrderedList" else block["c"]


def _with_items(block: Node, items: list[Blocks], start: int) -> Node:
    """Return a list with other items; its numbers begin so much later."""
    if block["t"] == "BulletList":
        return {"t": "BulletList", "c": items}
    first, style, delimiter = block["c"][0]
    return {"t": "OrderedList", "c": [[first + start, style, delimiter], items]}
