"""How busy a worker is, and who hears of it: it admits one page more than it reads at a time."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ocr_grpc.engines.errors import WorkerBusy
from ocr_grpc.engines.shares import Shares

SPARE_PAGES = 1
"""A page that is there already when another ends: the engine need not wait for its pixels."""

REPEAT_SECONDS = 5.0
"""A load is told again after so long: who hears nothing for longer knows that nobody is there."""

COALESCE_SECONDS = 0.02
"""Changes that follow each other faster are told as one."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker says of itself.

    Attributes:
        slots: how many pages it reads at a time.
        admitted: how many pages it has, with those that wait and those of other servers.
        draining: it is about to leave and takes no more.
    """

    slots: int
    admitted: int = 0
    draining: bool = False

    @property
    def capacity(self) -> int:
        """How many pages it admits."""
        return self.slots + SPARE_PAGES if self.slots and not self.draining else 0


class LoadBoard:
    """Admits pages to a worker, and tells its load to those who watch it."""

    def __init__(self, slots: int) -> None:
        self._load = Load(slots)
        self._shares = Shares()
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def load(self) -> Load:
        """How busy the worker is now."""
        return self._load

    @contextmanager
    def admitted(self, server: str = "") -> Generator[None, None, None]:
        """Count a page for as long as the block lasts.

        Args:
            server: who brings it; several have equal shares while one of them is refused.

        Raises:
            WorkerBusy: there are enough already, it is another server's turn, or the worker is
                about to leave.
        """
        if self._load.draining:
            raise WorkerBusy("It is about to leave.")
        full = self._load.admitted >= self._load.capacity
        if full or not self._shares.may_enter(server):
            self._shares.refuse(server)
            raise WorkerBusy("It is full.")
        with self._shares.entered(server):
            self._set(self._load.slots, self._load.admitted + 1, self._load.draining)
            try:
                yield
            finally:
                self._set(self._load.slots, self._load.admitted - 1, self._load.draining)

    def resize(self, slots: int) -> None:
        """Change how many pages are read at a time. Those that were admitted stay."""
        self._set(slots, self._load.admitted, self._load.draining)

    def drain(self) -> None:
        """Admit no more, for good."""
        self._set(self._load.slots, self._load.admitted, draining=True)

    async def idle(self) -> None:
        """Wait until no page is there."""
        await self._idle.wait()

    async def watch(self) -> AsyncGenerator[Load, None]:
        """Yield the load at once, when it changes, and every few seconds, without end."""
        while True:
            changed = self._changed
            yield self._load
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), REPEAT_SECONDS)
                await asyncio.sleep(COALESCE_SECONDS)

    def _set(self, slots: int, admitted: int, draining: bool) -> None:
        self._load = Load(slots, admitted, draining)
        (self._idle.clear if admitted else self._idle.set)()
        self._changed.set()
        self._changed = asyncio.Event()
