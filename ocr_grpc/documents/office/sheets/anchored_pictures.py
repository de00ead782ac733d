"""The pictures on the sheets of an XLSX workbook, and where its sheets are. Child only."""

from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.archives.relations import relations

_WORKBOOK = "xl/workbook.xml"
_ANCHORS = ("{*}twoCellAnchor", "{*}oneCellAnchor", "{*}absoluteAnchor")


def sheet_parts(archive: Archive) -> dict[str, str]:
    """Return the part of each sheet by its name, in the order of the workbook."""
    if _WORKBOOK not in archive:
        return {}
    related = relations(archive, _WORKBOOK)
    parts: dict[str, str] = {}
    for sheet in xml.parse(archive.read(_WORKBOOK)).iter("{*}sheet"):
        relation = related.get(xml.relation_id(sheet, "id"))
        if relation is not None:
            parts[sheet.get("name", "")] = relation.part
    return parts


def pictures_of(archive: Archive, sheet_part: str) -> list[str]:
    """Return the members with a sheet's pictures, from the top, each once."""
    pictures: list[str] = []
    for relation in relations(archive, sheet_part).values():
        if relation.kind == "drawing":
            pictures += _drawn(archive, relation.part)
    return list(dict.fromkeys(pictures))


def _drawn(archive: Archive, drawing: str) -> list[str]:
    related = relations(archive, drawing)
    placed: list[tuple[int, int, str]] = []
    for anchor in xml.parse(archive.read(drawing)).iter(*_ANCHORS):
        row, column = _number(anchor, "row"), _number(anchor, "col")
        for blip in anchor.iter("{*}blip"):
            relation = related.get(xml.relation_id(blip, "embed"))
            if relation is not None and relation.kind == "image":
                placed.append((row, column, relation.part))
    return [part for *_, part in sorted(placed)]


def _number(anchor: xml.Element, name: str) -> int:
    text = anchor.findtext(f"{{*}}from/{{*}}{name}", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
