"""Tells probes whether a process can work, also when its event loop stands still."""

import asyncio
from collections.abc import Callable
from time import monotonic

from ocr_grpc.wiring.until_stopped import cancelled

BEAT_SECONDS = 1.0
STUCK_SECONDS = 30.0
"""An event loop that did nothing for so long does not come back by itself."""


class Pulse:
    """Knows in a word why a process cannot work. `start` it once it can, `leave` when it ends."""

    def __init__(self, trouble: Callable[[], str]) -> None:
        """Take what else there may be.

        Args:
            trouble: a word, or empty if there is none. Called in other threads: it may only look.
        """
        self._trouble = trouble
        self._beaten_at: float | None = None
        self._leaving = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to say that all is well, as long as the event loop turns."""
        self._beaten_at = monotonic()
        self._task = asyncio.create_task(self._beat())

    def leave(self) -> None:
        """Say from now on that the process ends."""
        self._leaving = True

    async def close(self) -> None:
        """Beat no more. May be called without having started."""
        self._leaving = True
        if self._task:
            await cancelled(self._task)

    def ailment(self) -> str:
        """Return why the process cannot work; empty if it can. For any thread."""
        if self._leaving:
            return "stopping"
        if self._beaten_at is None:
            return "starting"
        if monotonic() - self._beaten_at > STUCK_SECONDS:
            return "stuck"
        return self._trouble()

    async def _beat(self) -> None:
        while True:
            self._beaten_at = monotonic()
            await asyncio.sleep(BEAT_SECONDS)
