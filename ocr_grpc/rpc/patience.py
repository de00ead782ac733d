"""Waits for what a caller streams, but not for ever."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from ocr_grpc.rpc.errors import UploadStalled

Message = TypeVar("Message")


class Patience(Generic[Message]):
    """Gives messages as they come, and gives up when nothing of worth came for too long."""

    def __init__(self, messages: AsyncIterator[Message], idle_seconds: float) -> None:
        self._messages = aiter(messages)
        self._idle_seconds = idle_seconds
        self._ends = 0.0
        self.renew()

    def renew(self) -> None:
        """Begin to wait anew, because something of worth came."""
        self._ends = asyncio.get_running_loop().time() + self._idle_seconds

    async def next(self) -> Message | None:
        """Return the next message, or None after the last one.

        Raises:
            UploadStalled: it did not come in time.
        """
        try:
            # Until a byte comes: a caller that sends empty messages is as idle as a silent one.
            async with asyncio.timeout_at(self._ends):
                return await anext(self._messages, None)
        except TimeoutError:
            raise UploadStalled(
                f"Nothing came for {self._idle_seconds:g} s, so the upload was given up.",
                idle_seconds=self._idle_seconds,
            ) from None
