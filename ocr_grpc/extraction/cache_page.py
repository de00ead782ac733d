"""One page as the cache keeps it: the events of its final reading, in few bytes.

Texts go as JSON, numbers as an array of doubles, all of it compressed. To write and to read a dense
page takes a millisecond; the same by a general serializer takes ten times as long, as a page has
thousands of points.
"""

import json
import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from ocr_grpc.extraction.events import (
    Delta,
    Event,
    PageFinished,
    PageImage,
    PageOutcome,
    PageStarted,
    Provenance,
    TextSource,
    Usage,
)
from ocr_grpc.model import Block, Line, PageGeometry, Point, Polygon, Separator, TextFormat, Word

LEVEL = 1
"""Of zlib: higher ones save a tenth, and take three times as long."""

_LENGTHS = struct.Struct("<III")
"""Bytes of the head, of the texts, of the rest but the picture: compressed together."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What a page has once."""

    page_number: int
    geometry: PageGeometry
    source: TextSource
    form_begun: TextFormat
    form: TextFormat
    provenance: Provenance
    revision: int
    blank: bool
    input_bytes: int
    image_type: str = ""
    image_width_px: int = 0
    image_height_px: int = 0


_heads = TypeAdapter(_Head)


class BrokenPage(ValueError):
    """Bytes are no page, or one by another version."""


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page that was read well."""

    started: PageStarted
    image: PageImage | None
    deltas: tuple[Delta, ...]
    """Of the revision that counts, without what was retracted."""
    finished: PageFinished

    def events(self) -> Iterator[Event]:
        """Yield the events of the page for another caller.

        Its usage is what it takes now: no language model, so no tokens and no prompt.
        """
        yield self.started
        if self.image:
            yield self.image
        yield from self.deltas
        used = self.finished.usage
        yield replace(
            self.finished,
            provenance=replace(self.finished.provenance, cached=True),
            usage=Usage(
                completion_chars=used.completion_chars, input_bytes=used.input_bytes, pages=1
            ),
        )


def packed(page: CachedPage) -> bytes:
    """Return a page as bytes. Takes about a microsecond for each number in it."""
    numbers: array[float] = array("d")
    texts = [_delta_texts(delta, numbers) for delta in page.deltas]
    head = _heads.dump_json(_head(page), exclude_defaults=True)
    body = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    # Lone surrogates cannot come in as text, but a reader of documents might make one.
    parts = (head, body.encode(errors="surrogatepass"), numbers.tobytes())
    compressed = zlib.compress(b"".join(parts), LEVEL)
    lengths = _LENGTHS.pack(len(parts[0]), len(parts[1]), len(compressed))
    return b"".join((lengths, compressed, page.image.content if page.image else b""))


def unpacked(packed_page: bytes | memoryview) -> CachedPage:
    """Return what was packed.

    Raises:
        BrokenPage: it was not, or by another version.
    """
    try:
        return _unpacked(packed_page)
    except (ValueError, TypeError, RuntimeError, StopIteration, struct.error, zlib.error) as error:
        # Without what led here, which would quote the text.
        raise BrokenPage(f"These bytes are no page: {type(error).__name__}.") from None


def _unpacked(packed_page: bytes | memoryview) -> CachedPage:
    head_bytes, texts_bytes, size = _LENGTHS.unpack_from(packed_page)
    start = _LENGTHS.size
    whole = zlib.decompress(packed_page[start : start + size])
    head = _heads.validate_json(whole[:head_bytes])
    body = whole[head_bytes : head_bytes + texts_bytes].decode(errors="surrogatepass")
    numbers: array[float] = array("d")
    numbers.frombytes(whole[head_bytes + texts_bytes :])
    left = iter(numbers)
    texts: list[Any] = json.loads(body)
    deltas = tuple(_delta(head, each, left) for each in texts)
    return _page(head, bytes(packed_page[start + size :]), deltas)


def _head(page: CachedPage) -> _Head:
    ended, image, engine = page.finished, page.image, page.finished.provenance.engine
    provenance = ended.provenance
    if engine:  # what it could read besides is not told of pages
        provenance = replace(provenance, engine=replace(engine, languages=()))
    return _Head(
        page_number=ended.page_number,
        geometry=page.started.geometry,
        source=page.started.source,
        form_begun=page.started.text_format,
        form=ended.text_format,
        provenance=provenance,
        revision=ended.revision,
        blank=ended.blank,
        input_bytes=ended.usage.input_bytes,
        image_type=image.content_type if image else "",
        image_width_px=image.width_px if image else 0,
        image_height_px=image.height_px if image else 0,
    )


def _page(head: _Head, picture: bytes, deltas: tuple[Delta, ...]) -> CachedPage:
    number, text = head.page_number, "".join(delta.text for delta in deltas)
    image = PageImage(number, picture, head.image_type, head.image_width_px, head.image_height_px)
    return CachedPage(
        PageStarted(number, head.geometry, head.source, head.form_begun),
        image if head.image_type else None,
        deltas,
        PageFinished(
            page_number=number,
            outcome=PageOutcome.OK,
            provenance=head.provenance,
            usage=Usage(completion_chars=len(text), input_bytes=head.input_bytes, pages=1),
            text=text,
            revision=head.revision,
            text_format=head.form,
            blank=head.blank,
        ),
    )


def _delta_texts(delta: Delta, numbers: "array[float]") -> list[Any]:
    """Return the texts of a delta, and append its numbers."""
    lines: list[Any] = []
    for line in delta.lines:
        numbers.append(line.confidence)
        _add_points(line.polygon, numbers)
        words: list[Any] = []
        for word in line.words:
            numbers.append(word.confidence)
            _add_points(word.polygon, numbers)
            words.append((word.text, len(word.polygon)))
        lines.append((line.text, len(line.polygon), line.separator.value, words))
    blocks: list[Any] = []
    for block in delta.blocks:
        _add_points(block.polygon, numbers)
        blocks.append((block.label, len(block.polygon), block.offset))
    return [delta.text, lines, blocks]


def _add_points(polygon: Polygon, numbers: "array[float]") -> None:
    for point in polygon:
        numbers.append(point.x)
        numbers.append(point.y)


def _delta(head: _Head, texts: list[Any], numbers: Iterator[float]) -> Delta:
    lines: list[Line] = []
    text, line_texts, block_texts = texts
    for line, points, separator, word_texts in line_texts:
        confidence, polygon = next(numbers), _points(points, numbers)
        words = tuple(_word(word, count, numbers) for word, count in word_texts)
        lines.append(Line(line, polygon, confidence, Separator(separator), words))
    blocks = tuple(
        Block(label, _points(points, numbers), offset) for label, points, offset in block_texts
    )
    return Delta(head.page_number, text, tuple(lines), head.revision, blocks)


def _word(text: str, points: int, numbers: Iterator[float]) -> Word:
    confidence = next(numbers)
    return Word(text, _points(points, numbers), confidence)


def _points(count: int, numbers: Iterator[float]) -> Polygon:
    return tuple([Point(next(numbers), next(numbers)) for _ in range(count)])
