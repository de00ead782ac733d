"""What is on a slide, in the order it is read. Child only."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ocr_grpc.documents.office.sheets.markdown_tables import escaped, on_one_line
from ocr_grpc.documents.office.slides.graphics import graphic
from ocr_grpc.documents.office.slides.text import paragraphs, plain_paragraphs

Block = tuple[str, str] | str
"""A text as Markdown and plain, or the name of the member with a picture."""

_MAX_DEPTH = 20
"""Of groups in groups."""
_MAX_ROW_SHARE = 8
"""Shapes that begin within this part of the slide's usual height below another are beside it."""
_USUAL_HEIGHT = 6_858_000
"""Of a slide, in EMU; exact enough to tell beside from below."""
_ALTERNATIVE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def blocks_of(slide: Any) -> Iterator[Block]:
    """Yield the title, then all shapes in reading order, then the speaker's notes."""
    _take_fallbacks(slide.element)
    title = slide.shapes.title
    if title is not None and title.text_frame.text.strip():
        text = on_one_line(title.text_frame.text).strip()
        yield f"# {escaped(text)}", text
    background = slide.element.find("{*}cSld/{*}bg")
    if background is not None:
        yield from _pictures(slide.part, background)
    shown = None if title is None else title.shape_id
    yield from _shapes(slide, (each for each in slide.shapes if each.shape_id != shown), 0)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = plain_paragraphs(slide.notes_slide.notes_text_frame)
        if notes is not None:
            yield "Notes:", "Notes:"
            yield notes


def _shapes(slide: Any, shapes: Iterable[Any], depth: int) -> Iterator[Block]:
    for shape in _in_reading_order(list(shapes)):
        if _is_group(shape):
            if depth < _MAX_DEPTH:
                yield from _shapes(slide, shape.shapes, depth + 1)
            continue
        if shape.has_text_frame:
            # A picture that fills a shape lies below its text.
            yield from _pictures(slide.part, shape.element)
            text = paragraphs(shape)
            if text is not None:
                yield text
            continue
        table = graphic(slide.part, shape)
        if table is not None:
            yield table
        else:
            yield from _pictures(slide.part, shape.element)


def _in_reading_order(shapes: list[Any]) -> list[Any]:
    """Sort from top to bottom, and those beside each other from left to right."""
    rows: list[list[Any]] = []
    for shape in sorted(shapes, key=_place("top")):
        top = _place("top")(shape)
        if rows:
            first = rows[-1][0]
            reach = min(_place("height")(first) // 2, _USUAL_HEIGHT // _MAX_ROW_SHARE)
            if top < _place("top")(first) + reach:
                rows[-1].append(shape)
                continue
        rows.append([shape])
    return [shape for row in rows for shape in sorted(row, key=_place("left"))]


def _place(side: str) -> Callable[[Any], int]:
    """Return what tells a shape's place, 0 if it has none of its own or inherited."""
    return lambda shape: getattr(shape, side) or 0


def _is_group(shape: Any) -> bool:
    return shape.element.tag.endswith("}grpSp")


def _pictures(part: Any, element: Any) -> Iterator[str]:
    """Yield the members with the pictures that an element shows or is filled with."""
    for blip in element.iter("{*}blip"):
        for name, value in blip.attrib.items():
            relation = part.rels.get(value) if name.endswith("}embed") else None
            # A picture that is linked lies somewhere else, and stays there.
            if relation is not None and not relation.is_external:
                yield str(relation.target_part.partname).lstrip("/")


def _take_fallbacks(slide: Any) -> None:
    """Put what newer programs draw in another way into the form that all can read."""
    for choice in list(slide.iter(f"{_ALTERNATIVE}AlternateContent")):
        taken = choice.find(f"{_ALTERNATIVE}Fallback")
        if taken is None or not len(taken):
            taken = choice.find(f"{_ALTERNATIVE}Choice")
        parent = choice.getparent()
        if parent is not None:
            place = parent.index(choice)
            parent[place : place + 1] = [] if taken is None else list(taken)
