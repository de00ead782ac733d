"""Tables in pandoc's tree, made simple enough for one line a row. Child only."""

from typing import Any, cast

from ocr_grpc.documents.office.flow.tree import (
    NO_ATTRIBUTES,
    SPACE,
    Blocks,
    Inlines,
    Node,
    nodes,
    word,
)

Row = list[Inlines]
_MAX_COLUMNS = 1000
_DEFAULT_ALIGNMENT: Node = {"t": "AlignDefault"}
_NO_WIDTH: Node = {"t": "ColWidthDefault"}


def unfolded(table: Node) -> Blocks:
    """Return a table as it is, or what is in it if it only serves to place that on the page.

    That is, if it has a single cell, or a single column with several paragraphs in a cell, or other
    tables inside.
    """
    cells = [cell for row in _rows(table) for cell in row]
    contents = [cast("Blocks", cell[4]) for cell in cells]
    columns = len(table["c"][2])
    several = any(len(blocks) > 1 for blocks in contents)
    nested = any(block["t"] == "Table" for blocks in contents for block in blocks)
    caption = cast("Blocks", table["c"][1][1])
    if not any(contents):
        return caption
    if len(cells) == 1 or nested or (columns == 1 and several):
        return [*caption, *(_as_paragraph(block) for blocks in contents for block in blocks)]
    return [*caption, {"t": "Table", "c": [NO_ATTRIBUTES, [None, []], *table["c"][2:]]}]


def simple(table: Node) -> Node:
    """Return a table with a first row of headings, whose cells have one line each and no spans."""
    rows = lines(table)
    columns = len(rows[0])
    alignments = [spec[0] for spec in table["c"][2]]
    alignments += [_DEFAULT_ALIGNMENT] * columns
    head, *body = [[NO_ATTRIBUTES, [_cell(inlines) for inlines in row]] for row in rows]
    return {
        "t": "Table",
        "c": [
            NO_ATTRIBUTES,
            [None, []],
            [[alignment, _NO_WIDTH] for alignment in alignments[:columns]],
            [NO_ATTRIBUTES, [head]],
            [[NO_ATTRIBUTES, 0, [], body]],
            [NO_ATTRIBUTES, []],
        ],
    }


def lines(table: Node) -> list[Row]:
    """Return the rows of a table; each has as many cells, empty where one from before reaches."""
    rows: list[Row] = []
    covered: dict[int, int] = {}  # column: for how many rows more
    for row in _rows(table):
        line: Row = []
        for _, _, down, across, blocks in row:
            _skip(line, covered)
            inlines = in_one_line(blocks)
            for at in range(min(across, _MAX_COLUMNS)):
                if down > 1:
                    covered[len(line)] = down
                line.append([] if at else inlines)
        _skip(line, covered)
        covered = {column: left - 1 for column, left in covered.items() if left > 1}
        rows.append(line)
    width = max(map(len, rows), default=0)
    return [row + [[] for _ in range(width - len(row))] for row in rows]


def parts(table: Node, size: int) -> list[Node]:
    """Return a table cut after every `size` rows, with its headings in each part."""
    attributes, caption, columns, head, bodies, foot = table["c"]
    if not head[1] and _body_rows(bodies):
        first, *others = _body_rows(bodies)
        head, bodies = [NO_ATTRIBUTES, [first]], [[NO_ATTRIBUTES, 0, [], others]]
    rows = [*_body_rows(bodies), *foot[1]]
    return [
        {
            "t": "Table",
            "c": [
                attributes,
                caption,
                columns,
                head,
                [[NO_ATTRIBUTES, 0, [], rows[at : at + size]]],
                [NO_ATTRIBUTES, []],
            ],
        }
        for at in range(0, max(1, len(rows)), size)
    ]


def in_one_line(blocks: Blocks) -> Inlines:
    """Return what blocks say, as inlines of one line."""
    line: Inlines = []
    for block in blocks:
        said = _said(block)
        line += [SPACE, *said] if line and said else said
    return line


def _said(block: Node) -> Inlines:
    inner: Any = block.get("c")
    match block["t"]:
        case "Para" | "Plain":
            return [SPACE if node["t"] == "LineBreak" else node for node in inner]
        case "Header":
            return inner[2]
        case "BulletList":
            return in_one_line([block for item in inner for block in item])
        case "OrderedList":
            return in_one_line([block for item in inner[1] for block in item])
        case "BlockQuote":
            return in_one_line(inner)
        case "CodeBlock":
            return [word(" ".join(inner[1].split()))]
        case "LineBlock":
            return in_one_line([{"t": "Plain", "c": line} for line in inner])
        case _:
            # Whatever else there is: its words.
            return [node for node in nodes(inner) if node["t"] in ("Str", "Space", "Code", "Math")]


def _skip(line: Row, covered: dict[int, int]) -> None:
    while covered.get(len(line), 0) > 0 and len(line) < _MAX_COLUMNS:
        line.append([])


def _rows(table: Node) -> list[list[Any]]:
    _, _, _, head, bodies, foot = table["c"]
    rows = [*head[1], *_body_rows(bodies), *foot[1]]
    return [row[1] for row in rows]


def _body_rows(bodies: list[Any]) -> list[Any]:
    return [row for body in bodies for row in (*body[2], *body[3])]


def _cell(inlines: Inlines) -> list[Any]:
    blocks = [{"t": "Plain", "c": inlines}] if inlines else []
    return [NO_ATTRIBUTES, _DEFAULT_ALIGNMENT, 1, 1, blocks]


def _as_paragraph(block: Node) -> Node:
    return {"t": "Para", "c": block["c"]} if block["t"] == "Plain" else block
