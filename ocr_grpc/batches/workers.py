"""Processes that work on batches say so, and how many chunks each can work on at once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.store.base import new_id
from ocr_grpc.store.batches import WorkerRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.new_rows import insert_new

log = structlog.get_logger()

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0


class Workers:
    """The sign of life of this process. `start` it before it takes chunks, then `close` it.

    The slots of a process count as long as its lease runs. It says nothing about its chunks: these
    have signs of life of their own.
    """

    def __init__(
        self,
        database: Database,
        slots: int,
        lease_seconds: float = LEASE_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """Say nothing yet.

        Args:
            database: where processes meet.
            slots: chunks that this process works on at once; 0 if it only hands chunks out.
            lease_seconds: how long a process counts as alive without renewing.
            renew_seconds: how often it renews.
            ready: whether it can work at this moment; its slots count for nothing if not.
        """
        self.worker_id = new_id()
        self.slots = slots
        self._ready = ready
        self._database = database
        self._lease = timedelta(seconds=lease_seconds)
        self._renew_seconds = renew_seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the lease, and go on renewing it.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        await self.renew()
        self._task = asyncio.create_task(self._renew_for_ever())

    async def close(self) -> None:
        """Give the lease back, so that no more chunks are handed out for this process."""
        if not self._task:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        with suppress(DatabaseUnavailable):
            async with self._database.write() as session:
                mine = WorkerRow.worker_id == self.worker_id
                await session.execute(delete(WorkerRow).where(mine))

    async def capacity(self, session: AsyncSession, now: datetime) -> int:
        """Return how many chunks all processes that are alive work on at once; 1 if there are none.

        Args:
            session: any.
            now: by the clock of the database.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        alive = WorkerRow.lease_expire_time > now
        slots = await session.scalar(select(func.sum(WorkerRow.slots)).where(alive))
        return max(1, self._slots_now(), slots or 0)

    async def renew(self) -> None:
        """Say that this process is alive, and delete those that no longer do.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.write() as session:
            now = await self._database.now(session)
            until, slots = now + self._lease, self._slots_now()
            row = {
                "worker_id": self.worker_id,
                "slots": slots,
                "start_time": now,
                "lease_expire_time": until,
            }
            mine = WorkerRow.worker_id == self.worker_id
            if not await insert_new(session, WorkerRow, [row]):
                renewed = update(WorkerRow).where(mine)
                await session.execute(renewed.values(lease_expire_time=until, slots=slots))
            dead = WorkerRow.lease_expire_time <= now
            if self._database.is_sqlite:
                # One process at a time has the file, so all others are gone.
                dead = ~mine
            await session.execute(delete(WorkerRow).where(dead))

    def _slots_now(self) -> int:
        return self.slots if self._ready() else 0

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await self.renew()
            except DatabaseUnavailable:
                pass  # logged; a process whose lease ran out simply takes it again
            except Exception as error:
                log.error("lease_not_renewed", error=str(getattr(error, "orig", error))[:200])
