"""Results of documents, written piece by piece: what is held is a page and a piece."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ocr_grpc.batches.plain_markdown import escaped_text
from ocr_grpc.store.batches import DocumentRow

PIECE_BYTES = 64 * 1024

JsonObject = dict[str, Any]


class ResultForm(Enum):
    """The form of a result: the ending of its file, and its content type."""

    # With a charset: the sidecar takes `application/json` alone, of unknown length, for NDJSON.
    JSON = ("json", "application/json; charset=utf-8")
    TEXT = ("txt", "text/plain; charset=utf-8")
    MARKDOWN = ("md", "text/markdown; charset=utf-8")

    def __init__(self, ending: str, content_type: str) -> None:
        self.ending = ending
        self.content_type = content_type


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page; `was_read` is False if it failed."""

    text: str
    is_markdown: bool
    was_read: bool


@dataclass(frozen=True, slots=True)
class ResultCodec:
    """What knows the messages that callers get; see `rpc/batch_results.py`.

    Attributes:
        whole: the answer of `Extract` for a document, without pages and text.
        listed: a document as lists show it.
        page: a page, from a row.
        text: the same page.
    """

    whole: Callable[[DocumentRow], JsonObject]
    listed: Callable[[DocumentRow], JsonObject]
    page: Callable[[bytes], JsonObject]
    text: Callable[[bytes], PageText]


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page as its row has it."""

    number: int
    result: bytes


Pages = Callable[[], AsyncGenerator[KeptPage, None]]
"""Reads the pages of a document that are there, in their order, each time anew."""


def result_pieces(
    codec: ResultCodec, form: ResultForm, document: DocumentRow, pages: Pages
) -> AsyncGenerator[bytes, None]:
    """Yield a document in a form, in pieces of at most 64 KiB."""
    match form:
        case ResultForm.JSON:
            return in_pieces(_json(codec, document, pages))
        case ResultForm.TEXT:
            return in_pieces(_text(codec, pages))
        case ResultForm.MARKDOWN:
            return in_pieces(_markdown(codec, pages))


async def in_pieces(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield bytes in pieces of 64 KiB, the last one smaller; none is empty."""
    held = bytearray()
    async with aclosing(parts):
        async for part in parts:
            held += part
            whole = len(held) - len(held) % PIECE_BYTES
            for start in range(0, whole, PIECE_BYTES):
                yield bytes(held[start : start + PIECE_BYTES])
            del held[:whole]
    if held:
        yield bytes(held)


async def _json(
    codec: ResultCodec, document: DocumentRow, pages: Pages
) -> AsyncGenerator[bytes, None]:
    """Write what REST answers to `Extract`, its fields in their order."""
    numbers: set[int] = set()
    estimated = False
    between = "{"
    for name, value in codec.whole(document).items():
        yield f'{between}"{name}":'.encode()
        between = ","
        if name == "pages":
            comma = b"["
            async for kept, page in _decoded(pages, codec.page):
                numbers.add(kept.number)
                estimated = estimated or page.get("usage", {}).get("tokens_estimated", False)
                yield comma + await asyncio.to_thread(_encoded, page)
                comma = b","
            yield b"]" if numbers else b"[]"
        elif name == "text":
            yield b'"'
            # Pages that ended between the two passes are in neither.
            async for part in _texts(codec, pages, "\f", numbers):
                yield _encoded(part)[1:-1]
            yield b'"'
        elif name == "usage":
            # Documents have no column for it, but their pages are through by now.
            yield _encoded({**value, "tokens_estimated": estimated})
        else:
            yield _encoded(value)
    yield b"}"


async def _text(codec: ResultCodec, pages: Pages) -> AsyncGenerator[bytes, None]:
    async for part in _texts(codec, pages, "\f"):
        yield part.encode()


async def _markdown(codec: ResultCodec, pages: Pages) -> AsyncGenerator[bytes, None]:
    async for part in _texts(codec, pages, "\n\n---\n\n", as_markdown=True):
        yield part.encode()


async def _texts(
    codec: ResultCodec,
    pages: Pages,
    between: str,
    numbers: set[int] | None = None,
    as_markdown: bool = False,
) -> AsyncGenerator[str, None]:
    """Yield the texts of pages that were read, with something between them."""
    first = True
    async for kept, page in _decoded(pages, codec.text):
        if not page.was_read or (numbers is not None and kept.number not in numbers):
            continue
        if not first:
            yield between
        first = False
        escapes = as_markdown and not page.is_markdown
        yield await asyncio.to_thread(escaped_text, page.text) if escapes else page.text


async def _decoded(
    pages: Pages, decode: Callable[[bytes], Any]
) -> AsyncIterator[tuple[KeptPage, Any]]:
    """Yield pages; in threads, as a page with thousands of words takes its time."""
    async with aclosing(pages()) as kept_pages:
        async for kept in kept_pages:
            yield kept, await asyncio.to_thread(decode, kept.result)


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
