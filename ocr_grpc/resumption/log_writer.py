"""The one task that keeps events, those of many extractions in one transaction.

While a transaction runs the next one gathers, so an event costs a share of one fsync.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.errors import OcrError
from ocr_grpc.resumption.entries import KeptEvent
from ocr_grpc.resumption.fence import troubles_of
from ocr_grpc.resumption.log import Log
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.new_rows import insert_absent, table_of
from ocr_grpc.store.resumption import KeptEventRow, KeptExtractionRow

log = structlog.get_logger()

MAX_LOGS = 64
"""Logs in one transaction; each brings a few dozen events at most."""

WAIT_SECONDS = 10.0
"""What somebody whose events are to be kept waits for a database that is gone."""

RETRY_SECONDS = 0.25


@dataclass(eq=False, slots=True)
class _Write:
    """Events that somebody waits to see kept."""

    log: Log
    rows: list[dict[str, Any]]
    last_sequence: int
    ended: bool
    deadline: float
    done: "asyncio.Future[OcrError | None]"
    """What came of it; None: they are kept."""

    def answer(self, error: OcrError | None) -> None:
        if not self.done.done():
            self.done.set_result(error)


class LogWriter:
    """Writes the logs of this process, while `write_for_ever` runs."""

    def __init__(self, database: Database, retention: timedelta) -> None:
        """Take where to write, and how long an extraction is kept after its last event."""
        self._database = database
        self._retention = retention
        self._waiting: list[_Write] = []
        self._work = asyncio.Event()
        self._closed = False

    async def write(self, log: Log, events: Sequence[KeptEvent]) -> None:
        """Keep events of a log; see `Log.keep`."""
        if self._closed:
            raise DatabaseUnavailable
        loop = asyncio.get_running_loop()
        last = events[-1]
        rows = [_row(log, event) for event in events]
        deadline = loop.time() + WAIT_SECONDS
        write = _Write(log, rows, last.sequence, last.last, deadline, loop.create_future())
        self._waiting.append(write)
        self._work.set()
        if error := await write.done:
            raise error

    async def write_for_ever(self) -> None:
        """Write what comes. Whoever waits when this is cancelled is told that nothing was kept."""
        try:
            while True:
                await self._work.wait()
                wanted = [each for each in self._waiting if not each.done.done()][:MAX_LOGS]
                if wanted:
                    await self._try(wanted)
                self._waiting = [each for each in self._waiting if not each.done.done()]
                if not self._waiting:
                    self._work.clear()
        finally:
            self._closed = True
            for each in self._waiting:
                each.answer(DatabaseUnavailable())

    async def _try(self, wanted: list[_Write]) -> None:
        """Write, and tell everybody what came of it; later perhaps, if the database is gone."""
        try:
            async with self._database.write() as session:
                troubles = await self._write(session, wanted)
        except DatabaseUnavailable as error:
            now = asyncio.get_running_loop().time()
            for each in wanted:
                if now >= each.deadline:
                    each.answer(error)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception as error:
            log.error("events_not_kept", error=str(getattr(error, "orig", error))[:200])
            for each in wanted:
                each.answer(DatabaseUnavailable())
        else:
            for each, trouble in zip(wanted, troubles, strict=True):
                each.answer(trouble)

    async def _write(self, session: AsyncSession, wanted: list[_Write]) -> list[OcrError | None]:
        """Write what is not fenced off. Done twice, as an answer was lost, it changes nothing."""
        now = await self._database.now(session)
        troubles = await troubles_of(session, [each.log for each in wanted], now, lock=True)
        ours = [each for each, trouble in zip(wanted, troubles, strict=True) if not trouble]
        if not ours:
            return troubles
        table = table_of(KeptExtractionRow)
        columns: dict[str, Any] = {
            "last_sequence": bindparam("last"),
            "ended": bindparam("end"),
            "expire_time": now + self._retention,
        }
        statement = update(table).where(table.c.extraction_id == bindparam("id")).values(columns)
        values = [
            {"id": each.log.extraction_id, "last": each.last_sequence, "end": each.ended}
            for each in ours
        ]
        await session.execute(statement, values)
        await insert_absent(session, KeptEventRow, [row for each in ours for row in each.rows])
        return troubles


def _row(log: Log, event: KeptEvent) -> dict[str, Any]:
    return {
        "extraction_id": log.extraction_id,
        "sequence": event.sequence,
        "page_number": event.page_number,
        "kind": event.kind,
        "payload": event.stored(),
    }
