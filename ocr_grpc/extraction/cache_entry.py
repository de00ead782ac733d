"""A document as the cache keeps it: what `Started` says of it, and its pages, each packed."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.extraction.cache_page import unpacked
from ocr_grpc.extraction.events import Event

THREAD_BYTES = 32 * 1024
"""A larger page, or one with a picture, is unpacked in a thread."""

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class _Head:
    kind: DocumentKind
    page_count: int
    sizes: dict[int, int]
    """Bytes of each page that is here, in the order in which they stand."""


_heads = TypeAdapter(_Head)


@dataclass(frozen=True, slots=True)
class CachedDocument:
    """A document that was read well.

    Attributes:
        page_count: of the whole document.
        pages: those that were asked for, packed, by number.
    """

    kind: DocumentKind
    page_count: int
    pages: Mapping[int, bytes | memoryview]

    async def page_events(self, number: int) -> AsyncGenerator[Event, None]:
        """Yield the events of a page."""
        page = self.pages[number]
        large = len(page) > THREAD_BYTES
        for event in (
            await asyncio.to_thread(unpacked, page) if large else unpacked(page)
        ).events():
            yield event

    def to_bytes(self) -> bytes:
        """Return it as a value to keep."""
        sizes = {number: len(page) for number, page in self.pages.items()}
        head = _heads.dump_json(_Head(self.kind, self.page_count, sizes))
        length = len(head).to_bytes(_LENGTH_BYTES, "little")
        return b"".join((length, head, *self.pages.values()))

    @classmethod
    def from_bytes(cls, value: bytes) -> "CachedDocument":
        """Return what was kept. No page is copied, and none is unpacked.

        Raises:
            ValueError: it is none, or by another version.
        """
        start = _LENGTH_BYTES + int.from_bytes(value[:_LENGTH_BYTES], "little")
        head = _heads.validate_json(value[_LENGTH_BYTES:start])
        view, pages = memoryview(value), dict[int, bytes | memoryview]()
        for number, size in head.sizes.items():
            pages[number] = view[start : start + size]
            start += size
        if start != len(value):
            raise ValueError("Pages are missing.")
        return cls(head.kind, head.page_count, pages)
