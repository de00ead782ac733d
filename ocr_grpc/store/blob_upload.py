"""Writes one blob from chunks: in one request if it is small, else in parts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import obstore

if TYPE_CHECKING:  # a name of the stub file alone
    from obstore.store import ObjectStore

CONCURRENT_PARTS = 2
_HANDED_BYTES = 256 * 1024
"""Smaller chunks are put together: each is handed from thread to thread."""


@dataclass(frozen=True, slots=True)
class Uploading:
    """How blobs are written.

    Attributes:
        part_bytes: what goes in one request. Memory holds four of them for each upload.
        wait_seconds: for the store to take one, and to finish.
        translated: stands around what the store may raise; what chunks raise passes.
    """

    store: "ObjectStore" = field(repr=False)
    part_bytes: int
    wait_seconds: float
    translated: Callable[[], AbstractContextManager[None]]


async def upload(to: Uploading, path: str, chunks: AsyncIterator[bytes]) -> None:
    """Write a blob; when this raises or is cancelled nothing is written any more.

    Raises:
        ValueError: there is not one byte.
        Exception: what `translated` makes of the errors of the store, or what the chunks raise.
    """
    first: list[bytes] = []
    size = 0
    async for chunk in chunks:
        first.append(chunk)
        size += len(chunk)
        if size >= to.part_bytes:
            break
    else:
        if not size:
            raise ValueError("A blob has at least one byte: no range of an empty one can be read.")
        whole = b"".join(first)
        with to.translated():
            put = obstore.put_async(to.store, path, whole, use_multipart=False)
            await _ended(put, to.wait_seconds)
        return
    parts = _Parts(to, path)
    try:
        while first:
            await parts.give(first.pop(0))
        async for chunk in chunks:
            await parts.give(chunk)
        await parts.end()
    except BaseException:
        await parts.abandon()
        raise


class _Abandoned(Exception):
    """Ends an upload from inside, which has obstore delete the parts that are there.

    Cancelling it would leave them, unseen and paid for.
    """


class _Parts:
    """An upload in parts, under way."""

    def __init__(self, to: Uploading, path: str) -> None:
        self._to = to
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._abandoned = False
        self._small = bytearray()
        put = obstore.put_async(
            to.store,
            path,
            self._handed(),
            chunk_size=to.part_bytes,
            max_concurrency=CONCURRENT_PARTS,
        )
        self._upload = asyncio.ensure_future(put)

    async def give(self, chunk: bytes) -> None:
        """Hand a chunk over, once the store has taken what came before."""
        if len(self._small) + len(chunk) < _HANDED_BYTES:
            self._small += chunk
            return
        if self._small:
            await self._queued(bytes(self._small))
            self._small.clear()
        await self._queued(chunk)

    async def end(self) -> None:
        """Wait until all of it is written."""
        if self._small:
            await self._queued(bytes(self._small))
        await self._queued(None)
        with self._to.translated():
            await _ended(self._upload, self._to.wait_seconds)

    async def abandon(self) -> None:
        """Have the parts deleted, and wait for that even when cancelled."""
        self._abandoned = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        await asyncio.wait({self._upload}, timeout=self._to.wait_seconds)
        if not self._upload.done():
            self._upload.cancel()
        elif not self._upload.cancelled():
            self._upload.exception()  # it ended as it was told to

    async def _queued(self, chunk: bytes | None) -> None:
        queued = asyncio.ensure_future(self._queue.put(chunk))
        try:
            await asyncio.wait(
                {queued, self._upload},
                timeout=self._to.wait_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            queued.cancel()
        with self._to.translated():
            if self._upload.done():
                self._upload.result()  # only an error ends it before it has everything
            if not queued.done():
                raise TimeoutError

    async def _handed(self) -> AsyncGenerator[bytes, None]:
        while (chunk := await self._queue.get()) is not None:
            yield chunk
        if self._abandoned:
            raise _Abandoned


async def _ended(request: Awaitable[object], wait_seconds: float) -> None:
    """Wait for a request even when cancelled: what it writes is to be deleted after it is there.

    Raises:
        TimeoutError: it takes too long.
        Exception: those of the request.
    """
    going_on = asyncio.ensure_future(request)
    try:
        await asyncio.wait({going_on}, timeout=wait_seconds)
    except asyncio.CancelledError:
        await asyncio.wait({going_on}, timeout=wait_seconds)
        raise
    finally:
        if not going_on.done():
            going_on.cancel()
    if going_on.cancelled():
        raise TimeoutError
    going_on.result()
