"""Hands the pages of a chunk over for writing, while the next ones are read."""

import asyncio
from contextlib import suppress

from ocr_grpc.batches.desk import Desk
from ocr_grpc.batches.operations import EndedPage, Token

GATHER_SECONDS = 0.02
"""What a page waits for company. Chunks that take no longer are written by one operation."""


class PageWriter:
    """Writes pages in the background, as many at a time as are ready; a chunk has 16 at most."""

    def __init__(self, desk: Desk, token: Token) -> None:
        self._desk = desk
        self._token = token
        self._ready: list[EndedPage] = []
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def add(self, page: EndedPage) -> None:
        """Have a page written.

        Raises:
            LeaseLost: the chunk is somebody else's, as was seen at an earlier page.
        """
        self._ready.append(page)
        if self._writing and self._writing.done():
            self._writing.result()
            self._writing = None
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def rest(self) -> list[EndedPage]:
        """Return the pages that nobody has begun to write, once the others are written.

        Raises:
            LeaseLost: the chunk is somebody else's.
        """
        self._hurry.set()
        if self._writing:
            await self._writing
        self._writing = None
        self._hurry.clear()
        pages, self._ready = self._ready, []
        return pages

    async def drain(self) -> None:
        """Wait until all pages are written.

        Raises:
            LeaseLost: the chunk is somebody else's.
        """
        if pages := await self.rest():
            await self._desk.pages(self._token, pages)

    async def close(self) -> None:
        """Let go of what is not written yet: it is read again by whoever has the chunk next."""
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _write(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                await self._hurry.wait()
        while self._ready and not self._hurry.is_set():
            pages, self._ready = self._ready, []
            await self._desk.pages(self._token, pages)
