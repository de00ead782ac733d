"""A document on its way into the store."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from ocr_grpc.documents.errors import DocumentTooLarge, EmptyDocument

_HASHED_HERE_BYTES = 64 * 1024
"""Larger chunks are hashed in a thread."""


class Arrival:
    """Counts and hashes the bytes of a document as they pass."""

    def __init__(
        self, chunks: AsyncIterator[bytes], max_bytes: int, count: Callable[[int], None]
    ) -> None:
        """Take what comes.

        Args:
            chunks: the bytes; closed by whoever made it.
            max_bytes: that may come.
            count: is told how many more came, and may refuse them.
        """
        self._chunks = chunks
        self._max_bytes = max_bytes
        self._count = count
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self.counted_bytes = 0

    @property
    def sha256(self) -> str:
        """The hash in hexadecimal."""
        return self._hash.hexdigest()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes as they come.

        Raises:
            DocumentTooLarge, UploadsFull: there are too many.
            EmptyDocument: there was none.
        """
        async for chunk in self._chunks:
            self.size_bytes += len(chunk)
            if self.size_bytes > self._max_bytes:
                raise DocumentTooLarge(self._max_bytes)
            self.counted_bytes += len(chunk)
            self._count(len(chunk))
            if len(chunk) > _HASHED_HERE_BYTES:
                await asyncio.to_thread(self._hash.update, chunk)
            else:
                self._hash.update(chunk)
            yield chunk
            del chunk  # or it would live until the next one comes
        if not self.size_bytes:
            raise EmptyDocument("The document is empty: not one byte came.")
