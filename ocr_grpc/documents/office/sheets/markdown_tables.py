"""Tables as Markdown and as plain text: one way for sheets, slides and CSV. Child only."""

import re
from collections.abc import Iterable, Sequence

Row = Sequence[str]

_BREAK = re.compile(r"[\n\r\t\v\f\x85\u2028\u2029]")
_MAYBE_SPECIAL = re.compile(r"[`|\\*<\[_]")
"""Much faster to look for, and most values have none of them."""
_CELL_END = "\x1f"
"""Between the cells of a row, so that they are searched all at once."""
_SPECIAL = re.compile(
    r"[`|]"
    r"|\\(?=[!-/:-@\[-`{-~])"  # would escape the sign behind it
    r"|(?<!\d)\*|\*(?!\d)"  # but not in two times three
    r"|<(?=[A-Za-z/!?])"  # opens a tag
    r"|\[(?=[^\[\]]*\]\()"  # begins a link
    r"|(?<!\w)_|_(?!\w)"
)
"""What would be taken for a mark in the middle of a line; everything else means only itself."""
_LINE_START = re.compile(r"(#{1,6}(?=\s)|[-+](?=\s)|>|\d{1,9}(?=[.)]\s))")


def pipe_table(rows: Iterable[Row]) -> str:
    """Return rows as a pipe table, the first one its header; empty if there is none.

    Rows may be of unequal length. Only the header is filled up, because a row may be shorter but
    not longer than it.
    """
    rows = list(rows)
    if not rows:
        return ""
    width = max(1, *map(len, rows))
    header = [*rows[0], *[""] * (width - len(rows[0]))]
    lines = [pipe_row(header), pipe_row(["---"] * width), *map(pipe_row, rows[1:])]
    return "\n".join(lines) + "\n"


def pipe_row(row: Row) -> str:
    """Return a line of a pipe table; a cell's line breaks become spaces."""
    return "| " + escaped(_joined(row)).replace(_CELL_END, " | ") + " |"


def tabbed(rows: Iterable[Row]) -> str:
    """Return rows as lines with tabs between the cells, whose own become spaces."""
    return "".join(
        on_one_line(_joined(row)).replace(_CELL_END, "\t").rstrip("\t") + "\n" for row in rows
    )


def on_one_line(text: str) -> str:
    """Return text without line breaks and tabs."""
    return _BREAK.sub(" ", text) if _BREAK.search(text) else text


def escaped(text: str) -> str:
    """Return text on one line that means only itself, for the middle of a line of Markdown."""
    text = on_one_line(text)
    return _SPECIAL.sub(r"\\\g<0>", text) if _MAYBE_SPECIAL.search(text) else text


def escaped_line(text: str) -> str:
    """Return text as `escaped`, but for the beginning of a line of Markdown."""
    text = escaped(text)
    start = _LINE_START.match(text)
    if start is None:
        return text
    # A number is no list once its dot is escaped; all other signs are escaped themselves.
    cut = start.end() if text[0].isdigit() else 0
    return f"{text[:cut]}\\{text[cut:]}"


def _joined(row: Row) -> str:
    joined = _CELL_END.join(row)
    if joined.count(_CELL_END) >= max(1, len(row)):
        joined = _CELL_END.join(cell.replace(_CELL_END, "") for cell in row)
    return joined
