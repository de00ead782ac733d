"""The engine workers together: who is ready, and whose turn it is."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable
from time import monotonic

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.errors import EngineUnavailable, WorkerLost
from ocr_grpc.engines.local_worker import LocalWorker, WorkerSettings
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.fairness import FairSlots
from ocr_grpc.model import Line


class EnginePool:
    """Reads pages on the worker that is free, in an order fair between callers."""

    def __init__(self, settings: WorkerSettings, workers: int) -> None:
        self._settings = settings
        self._workers = [LocalWorker(n, settings, self._changed) for n in range(workers)]
        self._idle: deque[LocalWorker] = deque()
        self._slots = FairSlots(0)
        self._tasks: list[asyncio.Task[None]] = []
        self._any_ready = asyncio.Event()
        self._none_ready_since = monotonic()
        self._description: EngineDescription | None = None
        self.on_ready_change: Callable[[int], None] = lambda ready: None
        """Called with the number of ready workers whenever it changes."""

    @property
    def description(self) -> EngineDescription:
        """Return what the engine is; known once `start` returned."""
        if self._description is None:
            raise RuntimeError("The pool was not started.")
        return self._description

    @property
    def ready_workers(self) -> int:
        """Return how many workers can read at this moment."""
        return sum(worker.ready for worker in self._workers)

    @property
    def worker_pids(self) -> list[int]:
        """Return the process ids of the workers that run."""
        return [worker.pid for worker in self._workers if worker.pid]

    @property
    def size(self) -> int:
        """Return how many workers there are to be."""
        return len(self._workers)

    async def start(self) -> None:
        """Start all workers and wait for the first.

        Raises:
            EngineUnavailable: none became ready in `start_seconds`.
        """
        self._tasks = [asyncio.create_task(worker.run()) for worker in self._workers]
        try:
            await asyncio.wait_for(self._any_ready.wait(), self._settings.start_seconds)
        except TimeoutError:
            await self.close()
            raise EngineUnavailable(
                f"No engine worker became ready within {self._settings.start_seconds:g} s; "
                "its messages stand above.",
                start_seconds=self._settings.start_seconds,
            ) from None

    async def close(self) -> None:
        """End all workers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def read(self, read: PageRead) -> AsyncGenerator[list[Line] | ReadTimes, None]:
        """Wait for a turn, then yield the lines of a page, and at last what it took.

        Raises:
            WorkerLost: the worker went away meanwhile; call again.
            EngineUnavailable: no worker became ready in `start_seconds`.
            PageTimedOut, EngineFailed: this page failed.
        """
        await self._turn(read.caller)
        try:
            if not self._idle:
                raise WorkerLost("It ended just before its turn.")
            worker = self._idle.popleft()
            try:
                async with contextlib.aclosing(worker.read(read)) as parts:
                    async for part in parts:
                        yield part
            finally:
                if worker.ready and worker not in self._idle:
                    self._idle.append(worker)
        finally:
            self._slots.release(read.caller)

    async def _turn(self, caller: str) -> None:
        """Wait for a slot, as long as there is hope for a worker."""
        turn = asyncio.ensure_future(self._slots.acquire(caller))
        try:
            while not turn.done():
                await asyncio.wait({turn}, timeout=self._hope_seconds())
                if not turn.done() and not self._hope_seconds():
                    raise EngineUnavailable("No engine worker is ready. Try again later.")
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._slots.release(caller)
            else:
                turn.cancel()
            raise

    def _hope_seconds(self) -> float:
        """Return how long to wait before asking again; 0 once no worker has come for too long."""
        start_seconds = self._settings.start_seconds
        if self._any_ready.is_set():
            return start_seconds
        # From the moment the last worker went: else each page of a document would wait anew.
        return max(0.0, start_seconds - (monotonic() - self._none_ready_since))

    def _changed(self, worker: LocalWorker) -> None:
        if worker.ready:
            self._description = worker.description
            self._idle.append(worker)
            self._any_ready.set()
        else:
            with contextlib.suppress(ValueError):
                self._idle.remove(worker)
            if not self.ready_workers:
                self._any_ready.clear()
                self._none_ready_since = monotonic()
        self._slots.resize(self.ready_workers)
        self.on_ready_change(self.ready_workers)
