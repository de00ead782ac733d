"""The messages of a caller that streams, which can be taken to their end when a call is refused."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

LINGER_SECONDS = 1.0


class Incoming:
    """Passes on what a caller streams, and knows whether there may be more."""

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._requests = requests
        self._messages: AsyncIterator[Any] | None = None
        self._over = False
        self.received = 0
        """Messages that came so far."""

    def __aiter__(self) -> "Incoming":
        return self

    async def __anext__(self) -> Any:
        over, self._over = self._over, True  # unless this comes back with a message
        if over:
            raise StopAsyncIteration
        if self._messages is None:
            # Not before somebody asks: an iterator of grpc that is never used complains.
            self._messages = aiter(self._requests)
        message = await anext(self._messages)
        self._over = False
        self.received += 1
        return message

    async def linger(self) -> None:
        """Take what still comes and forget it, for `LINGER_SECONDS` at most.

        A status sent into the face of a caller that is still writing gets lost in some clients,
        grpc.aio's among them: they see their own failed write instead.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                async for _ in self:
                    pass
