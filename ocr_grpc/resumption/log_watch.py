"""Looks after the logs of this process, also those to which nothing happens.

A stream whose extraction was resumed elsewhere must end soon, even while it waits for a page. And
an extraction whose page takes long must not expire meanwhile.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import select, update

from ocr_grpc.resumption.fence import troubles_of
from ocr_grpc.resumption.log import Log
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.resumption import KeptExtractionRow

log = structlog.get_logger()

LOOK_SECONDS = 1.0
ROWS_AT_ONCE = 500
RENEWALS = 3
"""How many times within its time an extraction without events is renewed."""


class LogWatch:
    """Watches logs from when they are opened until they are closed."""

    def __init__(self, database: Database, retention: timedelta) -> None:
        """Take how long an extraction is kept after its last event."""
        self._database = database
        self._retention = retention
        self._open: set[Log] = set()
        self._some = asyncio.Event()

    def opened(self, log: Log) -> None:
        """Watch a log from now on."""
        self._open.add(log)
        self._some.set()

    def closed(self, log: Log) -> None:
        """Watch it no longer."""
        self._open.discard(log)
        if not self._open:
            self._some.clear()

    async def watch_for_ever(self) -> None:
        """Look every second, while there is something to look at."""
        while True:
            await self._some.wait()
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except DatabaseUnavailable:
                continue  # it was logged; whoever keeps an event will notice
            except Exception as error:
                # Without the watch what is being read would expire: go on, whatever it was.
                log.error("resumable_not_watched", error=str(getattr(error, "orig", error))[:200])

    async def look(self) -> None:
        """Tell logs that were taken over, and renew extractions without events.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        logs = tuple(self._open)
        for first in range(0, len(logs), ROWS_AT_ONCE):
            await self._look_at(logs[first : first + ROWS_AT_ONCE])

    async def _look_at(self, logs: Sequence[Log]) -> None:
        row = KeptExtractionRow
        async with self._database.read() as session:
            now = await self._database.now(session)
            troubles = await troubles_of(session, logs, now)
            soon = now + self._retention * (RENEWALS - 1) / RENEWALS
            ids = [each.extraction_id for each in logs]
            old = select(row.extraction_id).where(
                row.extraction_id.in_(ids), row.expire_time < soon
            )
            due = set((await session.execute(old)).scalars())
        ours: list[Log] = []
        for each, trouble in zip(logs, troubles, strict=True):
            if trouble:
                each.lose(trouble)
            elif each.extraction_id in due:
                ours.append(each)
        if ours:
            await self._renew(ours)

    async def _renew(self, logs: list[Log]) -> None:
        row = KeptExtractionRow
        async with self._database.write() as session:
            now = await self._database.now(session)
            for each in sorted(logs, key=lambda each: each.extraction_id):
                mine = (row.extraction_id == each.extraction_id, row.attempt == each.attempt)
                statement = update(row).where(*mine, row.expire_time > now)
                await session.execute(statement.values(expire_time=now + self._retention))
