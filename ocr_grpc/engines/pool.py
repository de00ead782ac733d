"""The engine workers together, of this machine and of others: whose turn it is, and who reads."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from time import monotonic

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.errors import EngineUnavailable, WorkerBusy
from ocr_grpc.engines.fleet import Fleet, FleetSettings
from ocr_grpc.engines.local_worker import LocalWorker, WorkerSettings
from ocr_grpc.engines.page_read import PageRead, ReadBegan, ReadTimes
from ocr_grpc.engines.placement import Worker, chosen
from ocr_grpc.engines.rest import LEAST_SECONDS
from ocr_grpc.fairness import FairSlots
from ocr_grpc.model import Line


class EnginePool:
    """Reads pages on a worker that is free, in an order fair between callers."""

    def __init__(
        self, settings: WorkerSettings, workers: int, fleet: FleetSettings | None = None
    ) -> None:
        """Make a pool; `start` starts it.

        Args:
            settings: of the processes on this machine; the engine and the patience are the fleet's
                too.
            workers: how many processes; may be 0 if there is a fleet.
            fleet: where other machines are.
        """
        self._settings = settings
        self._local = [LocalWorker(n, settings, self._local_changed) for n in range(workers)]
        self._fleet = Fleet(fleet, self._may_join, self._changed) if fleet else None
        self._slots = FairSlots(0)
        self._tasks: list[asyncio.Task[None]] = []
        self._any_ready = asyncio.Event()
        self._none_ready_since = monotonic()
        self._news = asyncio.Event()
        self._told_ready = 0
        self._description: EngineDescription | None = None
        self._described = asyncio.Event()
        """Whether a worker of this machine has said what its engine is."""
        self.on_ready_change: Callable[[int], None] = lambda ready: None
        """Called with `ready_workers` whenever it changes."""

    @property
    def description(self) -> EngineDescription:
        """Return what the engine is; known once `start` returned."""
        if self._description is None:
            raise RuntimeError("The pool was not started.")
        return self._description

    @property
    def ready_workers(self) -> int:
        """Return how many pages can be read at once at this moment."""
        return sum(worker.slots for worker in self._workers())

    @property
    def worker_pids(self) -> list[int]:
        """Return the process ids of the workers that run on this machine."""
        return [worker.pid for worker in self._local if worker.pid]

    @property
    def troubles(self) -> list[str]:
        """Return which other machines are not there, and why."""
        return self._fleet.troubles if self._fleet else []

    @property
    def restarts(self) -> int:
        """Return how often workers of this machine were started again."""
        return sum(worker.restarts for worker in self._local)

    @property
    def machines(self) -> dict[str, tuple[int, int]]:
        """Return by endpoint how many machines it stands for, and how many of them can read."""
        return self._fleet.machines if self._fleet else {}

    @property
    def size(self) -> int:
        """Return how many workers there are to be on this machine."""
        return len(self._local)

    async def start(self) -> None:
        """Start all workers, look for the fleet, and wait for the first of them.

        Raises:
            EngineUnavailable: none became ready in `start_seconds`.
        """
        self._none_ready_since = monotonic()
        self._tasks = [asyncio.create_task(worker.run()) for worker in self._local]
        if self._fleet:
            self._tasks.append(asyncio.create_task(self._run_fleet(self._fleet)))
        start_seconds = self._settings.start_seconds
        try:
            await asyncio.wait_for(self._any_ready.wait(), start_seconds)
        except TimeoutError:
            why = " ".join(self.troubles) or "Its messages stand above."
            await self.close()
            raise EngineUnavailable(
                f"No engine worker became ready within {start_seconds:g} s. {why}",
                start_seconds=start_seconds,
            ) from None

    async def _run_fleet(self, fleet: Fleet) -> None:
        """Let other machines join, as soon as it is known which model they must have."""
        if self._local:
            await self._described.wait()
        await fleet.run()

    async def close(self) -> None:
        """End all workers of this machine, and the connections to others."""
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
        async with contextlib.aclosing(self.parts(read)) as parts:
            async for part in parts:
                if not isinstance(part, ReadBegan):
                    yield part

    async def parts(self, read: PageRead) -> AsyncGenerator[ReadBegan | list[Line] | ReadTimes]:
        """Do the same, and yield when the engine turns to the page."""
        await self._turn(read)
        try:
            while True:
                worker = await self._with_room()
                worker.in_flight += 1
                engine = worker.description
                try:
                    async with contextlib.aclosing(worker.read(read)) as parts:
                        async for part in parts:
                            last = isinstance(part, ReadTimes)
                            yield replace(part, engine=engine) if last else part
                    return
                except WorkerBusy:
                    # It has pages of others, or is about to leave. The turn is kept.
                    worker.refused()
                finally:
                    worker.in_flight -= 1
                    self._tell()
        finally:
            self._slots.release(read.caller)

    async def _turn(self, read: PageRead) -> None:
        """Wait for a slot, as long as there is hope for a worker."""
        turn = asyncio.ensure_future(
            self._slots.acquire(
                read.caller, int(read.priority), weight=read.weight, job=read.extraction_id
            )
        )
        try:
            while not turn.done():
                await asyncio.wait({turn}, timeout=self._hope_seconds())
                if not turn.done():
                    self._expect_hope()
        except BaseException:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._slots.release(read.caller)
            else:
                turn.cancel()
            raise
        turn.result()

    async def _with_room(self) -> Worker:
        """Return a worker that has room, and wait for one if need be; at once if there is one.

        Workers that are busy with pages of others are waited for without end, as long as they are
        there: the page has done nothing wrong, and its document has a deadline of its own.
        """
        while (worker := chosen(self._workers())) is None:
            self._expect_hope()
            # Some room comes without news: when a worker that refused may be asked again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LEAST_SECONDS)
        return worker

    def _expect_hope(self) -> None:
        if not self._hope_seconds():
            raise EngineUnavailable("No engine worker is ready. Try again later.")

    def _hope_seconds(self) -> float:
        """Return how long to wait before asking again; 0 once no worker has come for too long."""
        start_seconds = self._settings.start_seconds
        if self._any_ready.is_set():
            return start_seconds
        # From the moment the last worker went: else each page of a document would wait anew.
        return max(0.0, start_seconds - (monotonic() - self._none_ready_since))

    def _workers(self) -> list[Worker]:
        return [*self._local, *(self._fleet.workers if self._fleet else ())]

    def _may_join(self, other: EngineDescription) -> str:
        """Return why an engine of another machine must not read for us; empty if it may."""
        if other.name != self._settings.choice.engine:
            return f"its engine is {other.name}, ours {self._settings.choice.engine}"
        # Where nobody is left, a fleet that was upgraded as a whole may come with another model.
        is_anybody = any(worker.description for worker in self._workers())
        ours = self._description if is_anybody else None
        if ours and (other.model, other.model_version) != (ours.model, ours.model_version):
            return (
                f"its model is {other.model} {other.model_version}, "
                f"ours {ours.model} {ours.model_version}"
            )
        self._description = ours or other
        return ""

    def _local_changed(self, worker: LocalWorker) -> None:
        if worker.ready:
            self._description = worker.description
            self._described.set()
        self._changed()

    def _changed(self) -> None:
        """Take in that a worker came, went, or has another load."""
        self._slots.resize(sum(worker.capacity for worker in self._workers()))
        self._tell()
        ready = self.ready_workers
        if ready:
            self._any_ready.set()
        elif self._any_ready.is_set():
            self._any_ready.clear()
            self._none_ready_since = monotonic()
        if ready != self._told_ready:
            self._told_ready = ready
            self.on_ready_change(ready)

    def _tell(self) -> None:
        """Wake those who wait for room."""
        self._news.set()
        self._news = asyncio.Event()
