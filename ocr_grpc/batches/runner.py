"""Works on chunks that the dispatcher hands to this process."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog
from sqlalchemy import select

from ocr_grpc.batches.desk import Desk
from ocr_grpc.batches.errors import GivenUp, LeaseLost
from ocr_grpc.batches.operations import Work
from ocr_grpc.batches.passing import delay_after, is_passing, max_errors
from ocr_grpc.batches.reading import ChunkReading, ReadingParts
from ocr_grpc.batches.sheet import ENDED
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.errors import ShuttingDown
from ocr_grpc.fetching.errors import UrlUnreachable
from ocr_grpc.store.batches import UNDER_WAY, BatchRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.news import News
from ocr_grpc.telemetry import tracing
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.telemetry.tracing import Kind

log = structlog.get_logger()

AT_ONCE = timedelta()
SURPRISE = "an error of the service itself"

LOOK_SECONDS = 0.5
"""How often to look whether an engine is back."""

HOLD_SECONDS = 60.0
"""How long a chunk waits for the engine here. Then the sweep sends it again, to whoever is free."""


class Runner:
    """Takes chunks up and works on them to their end. Stops at once when their batch is over."""

    def __init__(
        self,
        parts: ReadingParts,
        database: Database,
        news: News,
        metrics: Metrics,
        ready: Callable[[], bool] = lambda: True,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        """Take what is needed.

        Args:
            parts: what reads.
            database: where chunks are.
            news: of batches; it tells which are over.
            metrics: to count in.
            ready: whether there is an engine that could read.
            hold_seconds: how long a chunk waits for one.
        """
        self._ready = ready
        self._hold_seconds = hold_seconds
        self._parts = parts
        self._database = database
        self._metrics = metrics
        self._running: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._checks: set[asyncio.Task[None]] = set()
        self._unsubscribe = news.subscribe(self._heard)

    @property
    def _desk(self) -> Desk:
        return self._parts.desk

    async def run(self, chunk_id: int) -> None:
        """Work on a chunk to its end, or until its batch is over.

        When this is cancelled the chunk is put back, for any process to go on with.
        """
        if not await self._engine_is_there():
            return
        try:
            work = await self._taken(chunk_id)
        except DatabaseUnavailable:
            return  # this process stops, or the sweep brings the chunk again
        if work is None:
            return
        if work.crashes:
            self._metrics.batch_crashes.inc()
        reading = asyncio.create_task(self._work(work))
        of_batch = self._running[work.token.batch_id]
        of_batch.add(reading)
        self._metrics.batch_chunks_running.inc()
        try:
            await asyncio.wait({reading})
        except asyncio.CancelledError:
            reading.cancel()
            await asyncio.wait({reading})
            await asyncio.shield(self._put_back(work, AT_ONCE, error=False))
            raise
        finally:
            self._metrics.batch_chunks_running.dec()
            of_batch.discard(reading)
            if not of_batch:
                self._running.pop(work.token.batch_id, None)

    async def close(self) -> None:
        """Hear no more news."""
        self._unsubscribe()
        for check in self._checks:
            check.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    async def _engine_is_there(self) -> bool:
        """Wait for an engine, and return whether one came.

        Chunks would fail here at once, so that this process always had free slots, and took most of
        all chunks away from those that could read them. Held, each keeps a slot.
        """
        if self._ready():
            return True
        clock = asyncio.get_running_loop().time
        until = clock() + self._hold_seconds
        while not self._ready():
            if clock() >= until:
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True

    async def _taken(self, chunk_id: int) -> Work | None:
        """Take a chunk up, or, if this is cancelled meanwhile, put it back once it was."""
        taking = asyncio.create_task(self._desk.take(chunk_id))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            with suppress(DatabaseUnavailable):
                if work := await taking:
                    await self._put_back(work, AT_ONCE, error=False)
            raise

    async def _work(self, work: Work) -> None:
        """Work on a chunk; whatever goes wrong with it is written down."""
        reading = ChunkReading(self._parts, work)
        token = work.token
        about = {"ocr.batch_id": token.batch_id, "ocr.document_id": token.document_id}
        try:
            try:
                with tracing.span_of((), "batch chunk", about, Kind.INTERNAL):
                    await reading.run()
            except OcrError as error:
                await self._after(error, work, reading)
        except LeaseLost:
            log.info("batch_chunk_lost", chunk_id=work.token.chunk_id)
        except DatabaseUnavailable:
            pass  # the desk is closed; the chunk is found again
        except Exception as error:
            log.exception("batch_chunk_failed", chunk_id=work.token.chunk_id)
            await self._again(work, reading, error, SURPRISE)

    async def _after(self, error: OcrError, work: Work, reading: ChunkReading) -> None:
        if isinstance(error, ShuttingDown):
            await self._put_back(work, AT_ONCE, error=False)
        elif is_passing(error):
            await self._again(work, reading, error, error.reason)
        else:
            await reading.fail(error)

    async def _again(self, work: Work, reading: ChunkReading, error: Exception, cause: str) -> None:
        """Have the chunk tried again later, or give it up after too many errors."""
        label = error.reason if isinstance(error, OcrError) else type(error).__name__
        self._metrics.batch_retries.labels(label).inc()
        try:
            if work.errors + 1 >= max_errors(error):
                # What is wrong with a URL tells its owner more than that it did not pass.
                told = error if isinstance(error, UrlUnreachable) else GivenUp(cause)
                await reading.bury(told)
            else:
                await self._desk.put_back(work.token, delay_after(work.errors), error=True)
        except (LeaseLost, DatabaseUnavailable):
            pass

    async def _put_back(self, work: Work, delay: timedelta, error: bool) -> None:
        # If not, it was cancelled meanwhile, or is found by the sweep.
        with suppress(LeaseLost, DatabaseUnavailable):
            await self._desk.put_back(work.token, delay, error)

    def _heard(self, news: str | None) -> None:
        """Stop working on a batch that is over; or look, if that may have been missed."""
        if news is None:
            check = asyncio.create_task(self._look())
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)
        elif news.startswith(ENDED):
            self._stop(news.removeprefix(ENDED))

    async def _look(self) -> None:
        """Stop working on batches that ended while no news came."""
        asked = set(self._running)  # others may join while the database is asked
        try:
            async with self._database.read() as session:
                alive = select(BatchRow.batch_id).where(
                    BatchRow.batch_id.in_(asked),
                    BatchRow.state.in_(UNDER_WAY),
                    BatchRow.delete_time.is_(None),
                )
                going_on = set((await session.execute(alive)).scalars())
        except DatabaseUnavailable:
            return  # the next news, or the next page that is written, tells
        for batch_id in asked - going_on:
            self._stop(batch_id)

    def _stop(self, batch_id: str) -> None:
        for reading in self._running.get(batch_id, ()):
            reading.cancel()
