"""The reader processes of one pool: kept warm, lent one at a time, replaced when in doubt."""

import asyncio
import math
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Protocol

import structlog

from ocr_grpc.documents.endings import Ending, after_lease
from ocr_grpc.documents.errors import ReaderUnavailable
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.layers import LAYERS
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.reader import Reader, ReaderGone

log = structlog.get_logger()


class ReaderWatch(Protocol):
    """Is told what becomes of reader processes, for metrics. Must neither block nor raise."""

    def reader_started(self, family: str, layers: Mapping[str, bool]) -> None:
        """Note a process that came up, and which of all layers of its sandbox are in force."""
        ...

    def reader_ended(self, family: str, reason: str) -> None:
        """Note a process that is over, and why; see `Ending`."""
        ...


class Readers:
    """Lends warm reader processes. Whoever takes one must hold a slot of the pool."""

    def __init__(
        self,
        family: Family,
        limits: DocumentLimits,
        count: int,
        watch: ReaderWatch | None = None,
    ) -> None:
        self._watch = watch
        self._family = family
        self._limits = limits
        self._count = count
        self._idle: list[Reader] = []
        self._lent: set[Reader] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._chores: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def start(self) -> None:
        """Start all processes, at the same time.

        Raises:
            ReaderLost, OSError: one did not come up.
        """
        for _ in range(self._count):
            self._start_one()
        await asyncio.gather(*self._starting)

    async def close(self) -> None:
        """Kill every process and wait until all are gone."""
        self._closed = True
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for reader in (*self._idle, *self._lent):
            self._bury(reader, Ending.CLOSED)
        self._idle.clear()
        self._lent.clear()
        while self._chores:
            await asyncio.gather(*self._chores, return_exceptions=True)

    def layers(self) -> list[tuple[str, ...]]:
        """Return the layers of each process's sandbox that are in force."""
        return [reader.layers for reader in (*self._lent, *self._idle)]

    def pids(self) -> list[int]:
        """Return the ids of all processes that are lent or ready, as far as is known."""
        return [reader.pid for reader in (*self._lent, *self._idle) if reader.alive]

    async def take(self, document: object, *, fresh: bool = False) -> Reader:
        """Return a warm reader, preferably one that has this document open already.

        Args:
            document: whose call it is for.
            fresh: whether it must have answered, or started, after this moment: what stopped one
                idle reader may have stopped all.

        Raises:
            ReaderUnavailable: none could be started.
        """
        answered_after = time.monotonic() if fresh else -math.inf
        failed = False
        while True:
            self._discard_dead()
            if self._closed:
                raise ReaderUnavailable
            usable = [reader for reader in self._idle if reader.answered_at > answered_after]
            if usable:
                # Else the one that was idle longest: its document is the least likely to return.
                own = (reader for reader in usable if reader.document is document)
                reader = next(own, usable[0])
                self._idle.remove(reader)
                self._lent.add(reader)
                return reader
            if failed and not self._starting:
                raise ReaderUnavailable
            failed = await self._start_failed()

    def give_back(self, reader: Reader) -> None:
        """Take a healthy reader back; it may still have its document open."""
        self._lent.discard(reader)
        reader.leases += 1
        if self._closed:
            ending = Ending.CLOSED
        elif not reader.alive:
            ending = Ending.CRASHED
        else:
            ending = after_lease(self._family, self._limits, reader)
        if ending is None:
            self._idle.append(reader)
        else:
            self._replace(reader, ending)

    def discard(self, reader: Reader, leftover: Path | None, ending: Ending) -> None:
        """Kill a reader at once, start another; delete its half-written file once it is dead."""
        self._lent.discard(reader)
        self._replace(reader, ending, leftover)

    def forget(self, document: object) -> None:
        """Have idle readers close this document. Never raises."""
        for reader in [reader for reader in self._idle if reader.document is document]:
            try:
                reader.forget_document()
            except ReaderGone:
                self._idle.remove(reader)
                self._replace(reader, Ending.CRASHED)

    def do_later(self, chore: Coroutine[Any, Any, None]) -> None:
        """Run something short to its end, even if its cause is cancelled; `close` waits for it."""
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def delete_later(self, path: Path) -> None:
        """Delete a file nobody writes to any more."""
        self.do_later(asyncio.to_thread(path.unlink, missing_ok=True))

    def _discard_dead(self) -> None:
        for reader in [reader for reader in self._idle if not reader.alive]:
            self._idle.remove(reader)
            self._replace(reader, Ending.CRASHED)

    async def _start_failed(self) -> bool:
        """Wait until a start ends, beginning one if none is under way; return whether it failed."""
        if not self._starting:
            if self._idle:
                self._replace(self._idle.pop(0), Ending.ANOMALY)
            else:
                self._start_one()
        done, _ = await asyncio.wait(self._starting, return_when=asyncio.FIRST_COMPLETED)
        return any(not task.cancelled() and task.exception() for task in done)

    def _replace(self, reader: Reader, ending: Ending, leftover: Path | None = None) -> None:
        self._bury(reader, ending, leftover)
        if not self._closed:
            self._start_one()

    def _bury(self, reader: Reader, ending: Ending, leftover: Path | None = None) -> None:
        reader.kill()
        if self._watch is not None:
            self._watch.reader_ended(self._family.value, ending.value)
        self.do_later(_buried(reader, leftover))

    def _start_one(self) -> asyncio.Task[None]:
        task = asyncio.create_task(self._add())
        self._starting.add(task)
        task.add_done_callback(self._started)
        return task

    async def _add(self) -> None:
        reader = await Reader.start(self._family, self._limits)
        if self._watch is not None:
            in_force = {layer: layer in reader.layers for layer in LAYERS}
            self._watch.reader_started(self._family.value, in_force)
        if self._closed or len(self._idle) + len(self._lent) >= self._count:
            self._bury(reader, Ending.CLOSED)
        else:
            self._idle.append(reader)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The next `take` tries again.
            words = "".join(getattr(error, "__notes__", ()))
            log.error("document_reader_not_started", error=repr(error), last_words=words)


async def _buried(reader: Reader, leftover: Path | None) -> None:
    await reader.wait()
    if words := reader.last_words:
        log.debug("document_reader_ended", pid=reader.pid, last_words=words)
    if leftover is not None:
        await asyncio.to_thread(leftover.unlink, missing_ok=True)
