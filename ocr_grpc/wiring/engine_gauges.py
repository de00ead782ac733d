"""Looks, now and then, at the engine workers of a process, for Prometheus."""

import asyncio
from collections.abc import Sequence

import structlog

from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.processes import resident_bytes
from ocr_grpc.telemetry.engine_metrics import EngineMetrics
from ocr_grpc.wiring.until_stopped import cancelled

log = structlog.get_logger()

LOOK_SECONDS = 1.0


class EngineGauges:
    """Sets what is known of some pools. `start` it, then `close`."""

    def __init__(self, metrics: EngineMetrics, pools: Sequence[EnginePool]) -> None:
        """Take pools that were started."""
        self._metrics = metrics
        self._pools = pools
        self._told_restarts = dict.fromkeys(pools, 0)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look_for_ever())

    async def close(self) -> None:
        """Look no more."""
        if self._task:
            await cancelled(self._task)

    async def _look_for_ever(self) -> None:
        while True:
            try:
                for pool in self._pools:
                    await self._look(pool)
            except Exception:
                # Nobody waits for this task: it would end unseen, and all would look well for ever.
                log.exception("engines_not_looked_at")
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, pool: EnginePool) -> None:
        metrics, engine = self._metrics, pool.description.name
        metrics.ready.labels(engine).set(pool.ready_workers)
        metrics.workers.labels(engine).set(pool.size)
        metrics.restarts.labels(engine).inc(pool.restarts - self._told_restarts[pool])
        self._told_restarts[pool] = pool.restarts
        for endpoint, (known, ready) in pool.machines.items():
            metrics.machines(endpoint, known, ready)
        used = await asyncio.to_thread(_resident_bytes, pool.worker_pids)
        metrics.memory.labels(engine).set(used)


def _resident_bytes(pids: Sequence[int]) -> int:
    return sum(map(resident_bytes, pids))
