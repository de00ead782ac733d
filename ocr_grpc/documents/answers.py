"""Checks what a reader process says: it has parsed hostile input, and may be hostile itself."""

import re
from typing import Any, cast

from ocr_grpc.documents.document import TextLayer
from ocr_grpc.documents.protocol import MAX_PAGE_CHARACTERS, MAX_PAGE_LINES, Failure, Message
from ocr_grpc.model import Line, PageGeometry, Point, Separator

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_REASONS = frozenset(("", "none", "garbage", "picture", "too_long"))
_MAX_COORDINATE = 1e9
_MAX_DPI = 5_000.0


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


def pages(answer: Message) -> int:
    """Return the number of pages of an opened document, which may be 0."""
    return _integer(_fields(answer["ok"]), "pages", 0, 2**31)


def wanted_size(answer: Message) -> tuple[int, int]:
    """Return width and height in pixels of a page refused as too large; 0, 0 for other refusals."""
    if answer.get("error") != Failure.PAGE_TOO_LARGE.value:
        return 0, 0
    return _integer(answer, "width", 0, 2**63), _integer(answer, "height", 0, 2**63)


def rendered(answer: Message, max_page_pixels: int) -> tuple[PageGeometry, int]:
    """Return the size of a rendered page and its number of channels."""
    fields = _fields(answer["ok"])
    channels = _integer(fields, "channels", 1, 3)
    if channels == 2:
        raise ProtocolBroken("channels")
    return _geometry(fields, max_page_pixels), channels


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


def _integer(fields: Message, name: str, lowest: int, highest: int) -> int:
    value: Any = fields.get(name)
    if type(value) is not int or not lowest <= value <= highest:
        raise ProtocolBroken(name)
    return value


def _number(value: Any, lowest: float, highest: float) -> float:
    # Comparing refuses NaN as well, and takes integers that are too long for a float.
    if type(value) not in (int, float) or not lowest <= value <= highest:
        raise ProtocolBroken("number")
    return float(value)
