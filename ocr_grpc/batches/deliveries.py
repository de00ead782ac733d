"""Runs PgQueuer over whatever queue, so that it ends as a service should and never otherwise."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta

import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.ports import RepositoryPort
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.dispatcher import Handle, Handout
from ocr_grpc.batches.queue_log import log_for_us
from ocr_grpc.batches.queue_names import CHANNEL

log = structlog.get_logger()

CHUNK, ALONE = "chunk", "alone"
LIMITS = {CHUNK: 0, ALONE: 1}
"""How many of a kind run at once, over all processes; 0: as many as there are slots."""

RESTART_SECONDS = 1.0
RELEASE_SECONDS = 5.0
"""What cancelled handlers get to give their chunks back, and then the queue to note it."""


class Deliveries(ABC):
    """A dispatcher, but for the queue itself."""

    def __init__(
        self,
        slots: int,
        grace_seconds: float,
        heartbeat: timedelta,
        poll: timedelta,
        forget_seconds: float,
    ) -> None:
        """Run nothing yet.

        Args:
            slots: chunks worked on at once, at least 2.
            grace_seconds: how long chunks may go on when `run` is cancelled.
            heartbeat: without a sign of life for so long, another process gets the chunk.
            poll: how often to look for work although nobody told of any.
            forget_seconds: how often the queue's log is emptied. It has three rows for each chunk.
        """
        self.on_ended = _nobody
        self._slots = slots
        self._grace_seconds = grace_seconds
        self._heartbeat = heartbeat
        self._poll = poll
        self._forget_seconds = forget_seconds
        self._handlers: set[asyncio.Task[None]] = set()
        log_for_us()

    @abstractmethod
    async def enqueue(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """See `Dispatcher`."""

    @abstractmethod
    async def enqueue_lost(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """See `Dispatcher`."""

    @abstractmethod
    def _open(self) -> AbstractAsyncContextManager[RepositoryPort]:
        """Open the queue for the time of a block."""

    @abstractmethod
    async def _forget(self, queue: RepositoryPort) -> None:
        """Empty the log."""

    @abstractmethod
    def _over(self, chunk_id: int) -> None:
        """Hear that a delivery has ended."""

    async def run(self, handle: Handle) -> None:
        """See `Dispatcher`."""
        while True:
            try:
                async with self._open() as queue:
                    await self._run(queue, handle)
            except Exception as error:
                # Its words may be those of a database, with an address in them.
                log.warning("dispatcher_failed", kind=type(error).__name__)
            await asyncio.sleep(RESTART_SECONDS)

    async def _run(self, queue: RepositoryPort, handle: Handle) -> None:
        # Not `PgQueuer`, which asks for schedules every second beside this.
        manager = QueueManager(queue, channel=CHANNEL)

        async def deliver(job: Job) -> None:
            await self._deliver(job, handle)

        for name, limit in LIMITS.items():
            manager.entrypoint(name, concurrency_limit=limit, accepts_context=False)(deliver)
        running = asyncio.create_task(
            manager.run(
                # A larger batch would take chunks from workers that have nothing to do.
                batch_size=1,
                max_concurrent_tasks=self._slots,
                heartbeat_timeout=self._heartbeat,
                dequeue_timeout=self._poll,
                # Deaf it would go on by polling alone.
                shutdown_on_listener_failure=True,
                log_aggregation_interval=timedelta(0),
            )
        )
        forgetting = asyncio.create_task(self._forget_for_ever(queue))
        try:
            await asyncio.wait({running})
            running.result()
        finally:
            forgetting.cancel()
            if not running.done():
                await self._drain(manager, running)

    async def _deliver(self, job: Job, handle: Handle) -> None:
        """Have one chunk worked on, in a task of its own: PgQueuer cancels none by itself."""
        chunk_id = int(job.payload or b"0")
        handler = asyncio.ensure_future(handle(chunk_id))
        self._handlers.add(handler)
        try:
            await asyncio.wait({handler})
        finally:
            self._handlers.discard(handler)
            handler.cancel()
            self._over(chunk_id)
            self.on_ended()
        if handler.cancelled():
            # Back into the queue and not out of it: if the chunk could not be given back in time,
            # this delivery brings it to another process; if it was, it does no harm.
            raise RetryRequested(reason="stopped")
        if error := handler.exception():
            log.error("chunk_handler_failed", chunk_id=chunk_id, exc_info=error)

    async def _drain(self, manager: QueueManager, running: "asyncio.Task[None]") -> None:
        """End a queue that runs: take nothing more, wait for the grace, then cancel the rest."""
        manager.shutdown.set()
        try:
            await asyncio.wait({running}, timeout=self._grace_seconds)
        finally:
            if not running.done():
                for handler in self._handlers:
                    handler.cancel()
                await asyncio.wait({running}, timeout=RELEASE_SECONDS)
                # The database is gone, or a handler hangs. Its chunk goes to another process.
                manager.queries.driver.shutdown.set()
                running.cancel()
                await asyncio.wait({running}, timeout=RELEASE_SECONDS)
            with suppress(Exception, asyncio.CancelledError):
                running.result()

    async def _forget_for_ever(self, queue: RepositoryPort) -> None:
        while True:
            await asyncio.sleep(self._forget_seconds)
            try:
                await self._forget(queue)
            except Exception as error:
                log.warning("dispatcher_log_not_emptied", kind=type(error).__name__)


def _nobody() -> None:
    """Hear nothing."""
