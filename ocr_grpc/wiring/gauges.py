"""Looks, now and then, at what a server holds, for Prometheus. Part of `server.py`."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic

import structlog

from ocr_grpc.accounts.stats import count_users
from ocr_grpc.batches.backlog import read_backlog
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.store.redis_link import RedisGone
from ocr_grpc.telemetry.engine_metrics import EngineMetrics
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.telemetry.state_metrics import StateMetrics
from ocr_grpc.wiring.engine_gauges import EngineGauges
from ocr_grpc.wiring.reading import Reading
from ocr_grpc.wiring.until_stopped import cancelled

log = structlog.get_logger()

LOOK_SECONDS = 1.0
ASK_SECONDS = 5.0
"""How often Redis is asked whether it is there: without calls nobody else would notice."""
COUNT_SECONDS = 15.0
"""How often the database is asked: the answers are of the whole installation, and change slowly."""


class Gauges:
    """Sets the gauges of a server. `start` it, then `close`."""

    def __init__(
        self,
        metrics: Metrics,
        database: Database,
        reading: Reading,
        data_dir: Path,
        windows: RateWindows | None = None,
    ) -> None:
        """Take what is looked at; `windows` is None in a process that limits nobody."""
        self._metrics = StateMetrics(metrics.registry)
        self._engine_metrics = EngineMetrics(metrics.registry)
        self._engines = EngineGauges(self._engine_metrics, reading.line_engines)
        self._database = database
        self._reading = reading
        self._data_dir = data_dir
        self._redis = windows if windows and windows.is_shared else None
        database.on_wait = self._metrics.connection_wait.observe
        self._metrics.connections_limit.set(database.connections_limit)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look."""
        self._engines.start()
        # Apart from each other: a database that hangs must not hide what else there is to see.
        looking = (self._look_for_ever(), self._again_and_again(COUNT_SECONDS, self._count))
        self._tasks = [asyncio.create_task(each) for each in looking]
        if self._redis:
            asking = self._again_and_again(ASK_SECONDS, self._redis.ping)
            self._tasks.append(asyncio.create_task(asking))

    async def close(self) -> None:
        """Look no more."""
        await self._engines.close()
        for task in self._tasks:
            await cancelled(task)

    async def _look_for_ever(self) -> None:
        while True:
            try:
                self._look()
            except Exception:
                # Likewise: the rest would stand still, and look well.
                log.exception("not_looked_at")
            due = monotonic() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self._metrics.lag.set(max(0.0, monotonic() - due))

    async def _again_and_again(self, seconds: float, ask: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await ask()
            except (DatabaseUnavailable, RedisGone):
                pass  # logged where it was noticed
            except Exception:
                # Nobody waits for this task: it would end unseen, and nothing change any more.
                log.exception("not_looked_at")
            await asyncio.sleep(seconds)

    def _look(self) -> None:
        metrics, reading = self._metrics, self._reading
        metrics.queue.set(reading.extractor.waiting)
        metrics.readers_busy.set(reading.documents.busy)
        metrics.readers_waiting.set(reading.documents.waiting)
        metrics.connections.set(self._database.connections_in_use)
        if self._redis:
            metrics.redis_up.set(not self._redis.degraded)
        if vision := reading.vision:
            ready = self._engine_metrics.ready.labels(vision.description.name)
            ready.set(vision.ready_workers)

    async def _count(self) -> None:
        free = (await asyncio.to_thread(shutil.disk_usage, self._data_dir)).free
        self._metrics.disk_free.set(free)
        self._metrics.users.set(await count_users(self._database))
        backlog = await read_backlog(self._database)
        self._metrics.chunks_waiting.set(backlog.chunks)
        self._metrics.batch_age.set(backlog.age_seconds)
