"""Servers that are alive say so; what a dead one left open is closed by any other."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.metering.quota_book import QuotaBook
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.metering import LOST, OPEN, ServerRow, UsageRow
from ocr_grpc.store.new_rows import insert_new
from ocr_grpc.telemetry.metrics import Metrics

log = structlog.get_logger()

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
ROWS_AT_ONCE = 100


class ServerLease:
    """The sign of life of this server, and its sweeper. `start` it before serving, then `close`.

    A server that was stopped for longer than its lease simply renews it. Its open rows may have
    been closed meanwhile; the ledger notices, as it writes only to rows that are open.
    """

    def __init__(
        self,
        database: Database,
        server_id: str,
        metrics: Metrics | None = None,
        lease_seconds: float = LEASE_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        """Start nothing yet.

        Args:
            database: where servers meet.
            server_id: of this process, never used before.
            metrics: told what was swept.
            lease_seconds: how long a server counts as alive without renewing.
            renew_seconds: how often it renews, and sweeps.
        """
        self._database = database
        self._server_id = server_id
        self._metrics = metrics or Metrics()
        self._lease = timedelta(seconds=lease_seconds)
        self._renew_seconds = renew_seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the lease, sweep once, and go on doing both.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        await self.renew()
        if self._database.is_sqlite:
            # One server at a time has the file, so all others are gone, whatever their lease says.
            async with self._database.write() as session:
                others = ServerRow.server_id != self._server_id
                await session.execute(delete(ServerRow).where(others))
        await self.sweep()
        self._task = asyncio.create_task(self._renew_for_ever())

    async def close(self) -> None:
        """Give the lease back, after the ledger was closed: what is still open is swept at once."""
        if not self._task:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        with suppress(DatabaseUnavailable):
            async with self._database.write() as session:
                mine = ServerRow.server_id == self._server_id
                await session.execute(delete(ServerRow).where(mine))

    async def renew(self) -> None:
        """Say that this server is alive.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.write() as session:
            now = await self._database.now(session)
            row = {
                "server_id": self._server_id,
                "start_time": now,
                "lease_expire_time": now + self._lease,
            }
            if not await insert_new(session, ServerRow, [row]):
                await session.execute(
                    update(ServerRow)
                    .where(ServerRow.server_id == self._server_id)
                    .values(lease_expire_time=now + self._lease)
                )

    async def sweep(self) -> int:
        """Close what dead servers left open; return how many that were.

        Several servers may do it at once: each row is closed by one of them.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        swept = 0
        while True:
            async with self._database.write() as session:
                now = await self._database.now(session)
                closed = await self._close_lost_rows(session, now)
                if closed < ROWS_AT_ONCE:
                    await session.execute(delete(ServerRow).where(_is_dead(now)))
            swept += closed
            if closed < ROWS_AT_ONCE:
                break
        if swept:
            log.warning("extractions_of_dead_servers_closed", count=swept)
            self._metrics.reservations_swept.inc(swept)
        return swept

    async def _close_lost_rows(self, session: AsyncSession, now: datetime) -> int:
        alive = select(ServerRow.server_id).where(~_is_dead(now))
        lost = (
            select(
                UsageRow.usage_id,
                UsageRow.pages_reserved,
                UsageRow.period,
                UsageRow.quota_owner_id,
                UsageRow.key_id,
            )
            .where(
                UsageRow.status == OPEN,
                UsageRow.server_id != self._server_id,
                UsageRow.server_id.not_in(alive),
            )
            .order_by(UsageRow.usage_id)
            .limit(ROWS_AT_ONCE)
            # Another server is at those that are locked.
            .with_for_update(skip_locked=True)
        )
        rows = (await session.execute(lost)).all()
        if not rows:
            return 0
        quotas = QuotaBook(session)
        owners = [
            ((row.quota_owner_id, row.key_id) if row.key_id else (row.quota_owner_id,), row)
            for row in rows
        ]
        await quotas.lock((owner, row.period) for owner_ids, row in owners for owner in owner_ids)
        for owner_ids, row in owners:
            quotas.change(owner_ids, row.period, 0, -row.pages_reserved)
        await session.execute(
            update(UsageRow)
            .where(UsageRow.usage_id.in_([row.usage_id for row in rows]), UsageRow.status == OPEN)
            .values(status=LOST, pages_reserved=0, server_id=None)
        )
        await quotas.write()
        return len(rows)

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await self.renew()
                await self.sweep()
            except DatabaseUnavailable:
                self._metrics.database_errors.inc()
            except Exception as error:
                # Without the lease this server would be taken for dead: go on, whatever it was.
                self._metrics.database_errors.inc()
                log.error("sweep_failed", error=str(getattr(error, "orig", error))[:200])


def _is_dead(now: datetime) -> ColumnElement[bool]:
    return ServerRow.lease_expire_time <= now
