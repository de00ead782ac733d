"""Checks what a reader process says: it has parsed hostile input, and may be hostile itself."""

import re
from dataclasses import dataclass
from typing import Any, cast

from ocr_grpc.documents.document import (
    DocumentKind,
    PageInspection,
    Picture,
    StructuredPage,
    TextLayer,
)
from ocr_grpc.documents.formats import FORMATS, Family
from ocr_grpc.documents.protocol import (
    MAX_PAGE_CHARACTERS,
    MAX_PAGE_LINES,
    MAX_WRITTEN_CHARACTERS,
    Failure,
    Message,
)
from ocr_grpc.model import Line, PageGeometry, Point, Separator, TextFormat

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_IN_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""The same, but line breaks and tabs are what structured text is made of."""
_REASONS = frozenset(("", "none", "garbage", "picture", "too_long"))
_MAX_COORDINATE = 1e9
_MAX_DPI = 5_000.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers that come with a refusal: a size in pixels, or what was counted."""

    width: int = 0
    height: int = 0
    found: int = 0


class ProtocolBroken(Exception):
    """A reader said something it must not say."""


def failure(answer: Message) -> Failure | None:
    """Return why the request failed; None if it did not.

    Raises:
        ProtocolBroken: the answer is neither of both.
    """
    if "error" not in answer:
        if "ok" not in answer:
            raise ProtocolBroken("no answer")
        return None
    try:
        return Failure(answer["error"])
    except ValueError as error:
        raise ProtocolBroken("unknown error") from error


def opened(
    answer: Message, family: Family, sniffed: DocumentKind | None
) -> tuple[int, DocumentKind]:
    """Return the number of pages of an opened document, which may be 0, and its format."""
    fields = _fields(answer["ok"])
    try:
        kind = DocumentKind(fields.get("kind"))
    except ValueError as error:
        raise ProtocolBroken("kind") from error
    if FORMATS[kind].family is not family or (sniffed is not None and kind is not sniffed):
        raise ProtocolBroken("kind")
    return _integer(fields, "pages", 0, 2**31), kind


def figures(answer: Message) -> Figures:
    """Return the numbers that come with a refusal; 0 for those that do not."""
    return Figures(*(_integer(answer, name, 0, 2**63, 0) for name in ("width", "height", "found")))


def rendered(answer: Message, max_page_pixels: int) -> tuple[PageGeometry, int, bool]:
    """Return the size of a rendered page, its number of channels, and whether it is blank."""
    fields = _fields(answer["ok"])
    channels = _integer(fields, "channels", 1, 3)
    if channels == 2:
        raise ProtocolBroken("channels")
    return _geometry(fields, max_page_pixels), channels, fields.get("blank") is True


def structured_page(answer: Message, max_pictures: int) -> StructuredPage:
    """Return a page with structure; each picture on it will cost as much as a page."""
    fields = _fields(answer["ok"])
    listed: Any = fields.get("segments")
    if not isinstance(listed, list):
        raise ProtocolBroken("segments")
    segments = tuple(_segment(part) for part in cast("list[Any]", listed))
    if sum(len(part) if isinstance(part, str) else 1 for part in segments) > MAX_WRITTEN_CHARACTERS:
        raise ProtocolBroken("too much text")
    if sum(isinstance(part, Picture) for part in segments) > max_pictures:
        raise ProtocolBroken("too many pictures")
    try:
        form = TextFormat(fields.get("format"))
    except ValueError as error:
        raise ProtocolBroken("format") from error
    return StructuredPage(form, segments, _integer(fields, "left_out", 0, 2**31))


def _segment(part: Any) -> str | Picture:
    match part:
        case str(text) if not _CONTROL_IN_TEXT.search(text):
            return text
        case [int(number), bool(inline)] if type(number) is int and 0 <= number < 2**31:
            return Picture(number, inline)
        case _:
            raise ProtocolBroken("segment")


def inspection(answer: Message, max_page_pixels: int) -> PageInspection:
    """Return what a page is."""
    fields = _fields(answer["ok"])
    because: Any = fields.get("because")
    if not isinstance(because, str) or because not in _REASONS:
        raise ProtocolBroken("because")
    drawn = _integer(fields, "width", 0, max_page_pixels) > 0
    rotation = _integer(fields, "rotation", 0, 270)
    if rotation % 90:
        raise ProtocolBroken("rotation")
    return PageInspection(
        geometry=_geometry(fields, max_page_pixels) if drawn else None,
        width_pt=_number(fields.get("width_pt"), 0.0, _MAX_COORDINATE),
        height_pt=_number(fields.get("height_pt"), 0.0, _MAX_COORDINATE),
        text_layer_share=_number(fields.get("text_share"), 0.0, 1.0),
        rotation_degrees=rotation,
        blank=fields.get("blank") is True,
        picture_count=_integer(fields, "pictures", 0, 2**31 - 1),
        unusable_because=because,
    )


def text_layer(answer: Message, max_page_pixels: int) -> TextLayer:
    """Return a page's own text."""
    fields = _fields(answer["ok"])
    because: Any = fields.get("because")
    lines: Any = fields.get("lines")
    if not isinstance(because, str) or because not in _REASONS or not isinstance(lines, list):
        raise ProtocolBroken("because or lines")
    listed = cast("list[Any]", lines)
    if len(listed) > MAX_PAGE_LINES:
        raise ProtocolBroken("too many lines")
    read = tuple(_line(line) for line in listed)
    if sum(len(line.text) for line in read) > 4 * MAX_PAGE_CHARACTERS:
        raise ProtocolBroken("too much text")
    if any((line.separator is Separator.NONE) != (at == 0) for at, line in enumerate(read)):
        raise ProtocolBroken("separators")
    return TextLayer(
        geometry=_geometry(fields, max_page_pixels),
        lines=read,
        usable=because == "",
        unusable_because=because,
        blank=fields.get("blank") is True,
    )


def _line(line: Any) -> Line:
    match line:
        case [str(text), [*numbers], str(separator)] if len(numbers) == 8:
            pass
        case _:
            raise ProtocolBroken("line")
    if not text or _CONTROL.search(text):
        raise ProtocolBroken("text")
    x = [_number(number, -_MAX_COORDINATE, _MAX_COORDINATE) for number in numbers]
    try:
        before = Separator(separator)
    except ValueError as error:
        raise ProtocolBroken("separator") from error
    corners = tuple(Point(x[at], x[at + 1]) for at in range(0, 8, 2))
    return Line(text, corners, 1.0, before)


def _geometry(fields: Message, max_page_pixels: int) -> PageGeometry:
    width = _integer(fields, "width", 1, max_page_pixels)
    height = _integer(fields, "height", 1, max_page_pixels)
    if width * height > max_page_pixels:
        raise ProtocolBroken("too many pixels")
    return PageGeometry(width, height, _number(fields.get("dpi"), 0.0, _MAX_DPI))


def _fields(answer: Any) -> Message:
    if not isinstance(answer, dict):
        raise ProtocolBroken("no fields")
    return cast("Message", answer)


def _integer(
    fields: Message, name: str, lowest: int, highest: int, default: int | None = None
) -> int:
    value: Any = fields.get(name, default)
    if type(value) is not int or not lowest <= value <= highest:
        raise ProtocolBroken(name)
    return value


def _number(value: Any, lowest: float, highest: float) -> float:
    # Comparing refuses NaN as well, and takes integers that are too long for a float.
    if type(value) not in (int, float) or not lowest <= value <= highest:
        raise ProtocolBroken("number")
    return float(value)
