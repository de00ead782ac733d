"""Asks the parts of this server how they are. Part of `server.py`."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import BlobsUnavailable, DatabaseUnavailable
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.store.redis_link import RedisGone
from ocr_grpc.telemetry.components import Component, ComponentState

ASK_SECONDS = 3.0
LITTLE_DISK_BYTES = 1024**3
MANY_ROWS = 1_000


class ServerHealth:
    """Knows how the parts of this server are; see `SystemHealth`."""

    def __init__(
        self,
        database: Database,
        windows: RateWindows,
        ledger: Ledger,
        data_dir: Path,
        blobs: Blobs,
        ready_workers: Callable[[], int],
        mail_configured: bool,
        http_up: Callable[[], bool | None],
        model_ready: Callable[[], bool | None],
    ) -> None:
        self._database = database
        self._windows = windows
        self._ledger = ledger
        self._data_dir = data_dir
        self._blobs = blobs
        self._ready_workers = ready_workers
        self._mail_configured = mail_configured
        self._http_up = http_up
        self._model_ready = model_ready

    async def check(self) -> list[Component]:
        """Ask every part; one that does not answer within some seconds is down."""
        database, redis, disk, blobs = await asyncio.gather(
            _asked("database", self._database.ping),
            self._redis(),
            self._disk(),
            _asked("blobs", self._blobs.ping),
        )
        here = (self._written(), self._engine(), self._model(), self._http(), self._mail())
        return [database, redis, disk, blobs, *here]

    async def _redis(self) -> Component:
        if not self._windows.is_shared:
            return Component("redis", ComponentState.OFF, "limits are counted in memory")
        found = await _asked("redis", self._windows.ping)
        if found.state is ComponentState.OK and not self._windows.degraded:
            return found
        return Component("redis", ComponentState.DEGRADED, "this server counts limits by itself")

    def _written(self) -> Component:
        waiting = self._ledger.waiting
        state = ComponentState.OK if waiting < MANY_ROWS else ComponentState.DEGRADED
        return Component("ledger", state, f"{waiting} rows wait")

    def _engine(self) -> Component:
        workers = self._ready_workers()
        state = ComponentState.OK if workers else ComponentState.DOWN
        return Component("engine", state, f"{workers} workers are ready")

    def _model(self) -> Component:
        ready = self._model_ready()
        if ready is None:
            return Component("vlm", ComponentState.OFF, "no language model is set")
        if ready:
            return Component("vlm", ComponentState.OK)
        return Component("vlm", ComponentState.DEGRADED, "its server does not answer as it should")

    async def _disk(self) -> Component:
        free = (await asyncio.to_thread(shutil.disk_usage, self._data_dir)).free
        state = ComponentState.OK if free > LITTLE_DISK_BYTES else ComponentState.DEGRADED
        return Component("disk", state, f"{free / 2**30:.1f} GiB are free")

    def _http(self) -> Component:
        up = self._http_up()
        if up is None:
            return Component("http", ComponentState.OFF, "this server runs no sidecar")
        return Component("http", ComponentState.OK if up else ComponentState.DOWN)

    def _mail(self) -> Component:
        state = ComponentState.OK if self._mail_configured else ComponentState.OFF
        return Component("mail", state)


async def _asked(name: str, ask: Callable[[], Awaitable[None]]) -> Component:
    began = perf_counter()
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await ask()
    except (DatabaseUnavailable, BlobsUnavailable, RedisGone, TimeoutError):
        return Component(name, ComponentState.DOWN, "it does not answer")
    return Component(name, ComponentState.OK, latency_ms=(perf_counter() - began) * 1000)
