"""Looks, now and then, at what a server holds, for Prometheus. Part of `server.py`."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from time import monotonic

from ocr_grpc.accounts.stats import count_users
from ocr_grpc.batches.backlog import read_backlog
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.telemetry.state_metrics import StateMetrics
from ocr_grpc.wiring.reading import Reading

LOOK_SECONDS = 1.0
COUNT_SECONDS = 15.0
"""How often the database is asked: the answers are of the whole installation, and change slowly."""


class Gauges:
    """Sets the gauges of a server. `start` it, then `close`."""

    def __init__(
        self, metrics: StateMetrics, database: Database, reading: Reading, data_dir: Path
    ) -> None:
        self._metrics = metrics
        self._database = database
        self._reading = reading
        self._data_dir = data_dir
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look_for_ever())

    async def close(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _look_for_ever(self) -> None:
        next_count = monotonic()
        while True:
            self._look()
            if monotonic() >= next_count:
                next_count = monotonic() + COUNT_SECONDS
                with suppress(DatabaseUnavailable):
                    await self._count()
            due = monotonic() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self._metrics.lag.set(max(0.0, monotonic() - due))

    def _look(self) -> None:
        metrics, reading = self._metrics, self._reading
        metrics.queue.set(reading.extractor.waiting)
        metrics.readers_busy.set(reading.documents.busy)
        metrics.readers_waiting.set(reading.documents.waiting)
        metrics.connections.set(self._database.connections_in_use)
        for engine in reading.engines.descriptions:
            ready = reading.engines.ready_workers_of(engine.name)
            metrics.engine_ready.labels(engine.name).set(ready)

    async def _count(self) -> None:
        free = (await asyncio.to_thread(shutil.disk_usage, self._data_dir)).free
        self._metrics.disk_free.set(free)
        self._metrics.users.set(await count_users(self._database))
        backlog = await read_backlog(self._database)
        self._metrics.chunks_waiting.set(backlog.chunks)
        self._metrics.batch_age.set(backlog.age_seconds)
