"""Tables, charts and diagrams on slides, as tables and lists. Child only."""

from itertools import islice
from typing import Any

from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.sheets.cells import text_of
from ocr_grpc.documents.office.sheets.markdown_tables import escaped, pipe_table, tabbed
from ocr_grpc.documents.office.slides.text import items

_MAX_POINTS = 200
"""Of a chart: what has more was drawn to be looked at, not read."""
_STUMBLES = (AttributeError, IndexError, KeyError, NotImplementedError, TypeError, ValueError)
"""What the library raises over charts that it does not know, or that are damaged."""


def graphic(part: Any, shape: Any) -> tuple[str, str] | None:
    """Return a table, chart or diagram as Markdown and plain; None if a shape is none of them."""
    if getattr(shape, "has_table", False):
        return _as_text(_table(shape.table))
    if getattr(shape, "has_chart", False):
        try:
            return _chart(shape.chart)
        except _STUMBLES:
            return None
    relation = shape.element.find(".//{*}relIds")
    return None if relation is None else _diagram(part, relation)


def _as_text(rows: list[list[str]]) -> tuple[str, str] | None:
    if not any(cell for row in rows for cell in row):
        return None
    return pipe_table(rows).rstrip("\n"), tabbed(rows).rstrip("\n")


def _table(table: Any) -> list[list[str]]:
    """Return the cells; what a merged cell covers is empty."""
    return [
        ["" if cell.is_spanned else cell.text_frame.text.strip() for cell in row.cells]
        for row in table.rows
    ]


def _chart(chart: Any) -> tuple[str, str] | None:
    series: list[Any] = list(islice(chart.plots[0].series, _MAX_POINTS))
    categories = [str(each) for each in islice(chart.plots[0].categories, _MAX_POINTS)]
    columns: list[list[Any]] = [list(islice(each.values, _MAX_POINTS)) for each in series]
    rows = [["", *(each.name for each in series)]]
    for place in range(max(len(categories), *map(len, columns), 0)):
        name = categories[place] if place < len(categories) else ""
        values = [column[place] if place < len(column) else None for column in columns]
        rows.append([name, *("" if value is None else text_of(value) for value in values)])
    table = _as_text(rows)
    title = chart.chart_title.text_frame.text.strip() if chart.has_title else ""
    if not title or table is None:
        return table
    return f"{escaped(title)}\n\n{table[0]}", f"{title}\n{table[1]}"


def _diagram(part: Any, relation: Any) -> tuple[str, str] | None:
    """Return the texts of what PowerPoint calls SmartArt."""
    related = part.rels.get(xml.relation_id(relation, "dm"))
    if related is None or related.is_external:
        return None
    texts: list[str] = []
    for point in xml.parse(related.target_part.blob).iter("{*}pt"):
        lines = ["".join(run.text or "" for run in p.iter("{*}t")) for p in point.iter("{*}p")]
        texts.append(" ".join(line for line in lines if line))
    texts = [text for text in texts if text.strip()]
    return items(texts) if texts else None
