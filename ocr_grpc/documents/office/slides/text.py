"""The text of shapes on slides: paragraphs and lists. Child only."""

from typing import Any

from ocr_grpc.documents.office.sheets.markdown_tables import escaped, escaped_line, on_one_line

_INDENT = "    "
"""Belongs to the item above it in lists of both kinds."""
_MAX_LEVEL = 8
_BULLETS = {"buNone": "", "buChar": "-", "buBlip": "-", "buAutoNum": "1"}
_BODIES = frozenset(("body", "obj", "subTitle"))
"""The placeholders whose text looks as the master says."""


def paragraphs(shape: Any) -> tuple[str, str] | None:
    """Return a shape's text as Markdown and plain; None if it has none."""
    styles = _styles(shape)
    markdown: list[str] = []
    plain: list[str] = []
    counts: list[int] = []
    for paragraph in shape.text_frame.paragraphs:
        text = on_one_line(paragraph.text).strip()
        if not text:
            continue
        bullet = _bullet(paragraph, styles)
        if not bullet:
            counts = []
            markdown.append(("\n" if markdown else "") + escaped_line(text))
            plain.append(text)
            continue
        # A list begins at its first level, and goes down one at a time.
        level = min(paragraph.level, len(counts), _MAX_LEVEL)
        counts = [*counts[: level + 1], *[0] * (level + 1 - len(counts))]
        counts[level] = counts[level] + 1 if bullet == "1" else 0
        sign = f"{counts[level]}." if bullet == "1" else "-"
        starts = "\n" if markdown and not _is_item(plain[-1]) else ""
        markdown.append(f"{starts}{_INDENT * level}{sign} {escaped_line(text)}")
        plain.append(f"{_INDENT * level}{sign} {text}")
    return ("\n".join(markdown), "\n".join(plain)) if plain else None


def plain_paragraphs(frame: Any) -> tuple[str, str] | None:
    """Return a text frame's paragraphs, none of them an item of a list; None if it has no text."""
    texts = [on_one_line(each.text).strip() for each in frame.paragraphs]
    texts = [text for text in texts if text]
    return ("\n\n".join(map(escaped_line, texts)), "\n".join(texts)) if texts else None


def items(texts: list[str]) -> tuple[str, str]:
    """Return texts as a list."""
    lines = [on_one_line(text).strip() for text in texts]
    return "\n".join(f"- {escaped(line)}" for line in lines), "\n".join(f"- {x}" for x in lines)


def _bullet(paragraph: Any, styles: list[Any]) -> str:
    own = paragraph._p.pPr
    level = f"{{*}}lvl{min(paragraph.level, _MAX_LEVEL) + 1}pPr"
    inherited = (style.find(level) for style in styles)
    for properties in (own, *inherited):
        if properties is None:
            continue
        for name, bullet in _BULLETS.items():
            if properties.find(f"{{*}}{name}") is not None:
                return bullet
    return ""


def _styles(shape: Any) -> list[Any]:
    """Return the elements that say what a shape's paragraphs look like, the nearest first."""
    found: list[Any] = []
    base = shape
    # On the slide, its layout, and the master of that.
    while base is not None:
        style = base.element.find("{*}txBody/{*}lstStyle")
        if style is not None:
            found.append(style)
        base = getattr(base, "_base_placeholder", None)
    place = shape.element.find("{*}nvSpPr/{*}nvPr/{*}ph")
    if place is not None and place.get("type", "obj") in _BODIES:
        layout = getattr(shape.part, "slide_layout", None)
        master = None if layout is None else layout.slide_master.element
        style = None if master is None else master.find("{*}txStyles/{*}bodyStyle")
        if style is not None:
            found.append(style)
    return found


def _is_item(line: str) -> bool:
    start = line.lstrip().partition(" ")[0]
    return start == "-" or (start.endswith(".") and start[:-1].isdigit())
