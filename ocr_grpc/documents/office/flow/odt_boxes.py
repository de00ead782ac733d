"""Text boxes, shapes and tables in cells of OpenDocument texts, which pandoc drops. Child only.

Source: OpenDocument 1.3, part 3, sections 9.1.2 (table:table), 10.3 (shapes) and 10.4.3
(draw:text-box).
"""

from lxml import etree

from ocr_grpc.documents.office.archives import xml

_NAMES = "{urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE = f"{_NAMES}text:1.0}}", f"{_NAMES}table:1.0}}"
_DRAW = f"{_NAMES}drawing:1.0}}"
_PARAGRAPHS = (f"{_TEXT}p", f"{_TEXT}h")
_BOXES = tuple(
    f"{_DRAW}{name}"
    for name in (
        *("text-box", "custom-shape", "rect", "ellipse", "circle", "line", "connector", "measure"),
        *("polyline", "polygon", "regular-polygon", "path", "caption"),
    )
)


def unfold_boxes(root: xml.Element) -> None:
    """Put the blocks of text boxes and shapes after the paragraph that they are anchored to."""
    # From the inside out: a box may stand in a box.
    for box in reversed(list(root.iter(*_BOXES))):
        # With its frame pandoc takes it for a figure, and drops the caption or its number.
        _set_pictures_apart(box)
        anchor = next(box.iterancestors(*_PARAGRAPHS), None)
        if anchor is None:
            anchor = _outermost_drawing(box)
        if anchor.getparent() is None:
            continue
        for block in reversed(list(box.iterchildren(f"{_TEXT}*", f"{_TABLE}*"))):
            block.tail = None
            anchor.addnext(block)


def unfold_tables(root: xml.Element) -> None:
    """Put tables that stand in cells after the table that they are in."""
    for table in reversed(list(root.iter(f"{_TABLE}table"))):
        outermost = None
        for outermost in table.iterancestors(f"{_TABLE}table"):  # noqa: B007 - the last counts
            pass
        if outermost is not None and outermost.getparent() is not None:
            table.tail = None
            outermost.addnext(table)


def _set_pictures_apart(box: xml.Element) -> None:
    """Give a picture a paragraph of its own where its caption follows it in the same one."""
    for paragraph in list(box.iterchildren(f"{_TEXT}p")):
        frame = paragraph[0] if len(paragraph) and not (paragraph.text or "").strip() else None
        if frame is not None and frame.find(f"{_DRAW}image") is not None:
            paragraph.text, frame.tail = frame.tail, None
            alone = etree.Element(f"{_TEXT}p")
            alone.append(frame)
            paragraph.addprevious(alone)
            _drop_first_break(paragraph)


def _drop_first_break(paragraph: xml.Element) -> None:
    """Programs begin a caption with a break, or with one in a form of its own."""
    first = paragraph
    while len(first) and not (first.text or "").strip():
        first = first[0]
        if first.tag == f"{_TEXT}line-break":
            first.tag = f"{_TEXT}span"
        if first.tag != f"{_TEXT}span":
            break


def _outermost_drawing(box: xml.Element) -> xml.Element:
    outermost = box
    for ancestor in box.iterancestors():
        if not ancestor.tag.startswith(_DRAW):
            break
        outermost = ancestor
    return outermost
