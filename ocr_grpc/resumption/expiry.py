"""Forgets extractions once their time is over, document first, row last."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, delete, func, select

from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import BlobsUnavailable
from ocr_grpc.store.resumption import KeptExtractionRow
from ocr_grpc.store.retention import Portion

log = structlog.get_logger()

EXTRACTIONS_AT_ONCE = 500

EVENTS_AT_ONCE = 20_000
"""Nobody else writes to SQLite while they are deleted."""


class Expiry:
    """Deletes what has expired; a `Rule` of the retention job. `close` it at the end."""

    kinds: Sequence[str] = ("kept_streams",)

    def __init__(self, database: Database, blobs: Blobs) -> None:
        """Take what knows the time, and where documents are."""
        self._database = database
        self._blobs = blobs
        self._tasks: set[asyncio.Task[object]] = set()
        self._closed = False

    async def close(self) -> None:
        """Stop; what is left is found by the job, on any server."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def delete_soon(self, extraction_id: str) -> None:
        """Delete the document of an extraction, and not its events; at the latest it expires."""
        self._spawn(self._delete_document(extraction_id))

    async def remove(self, now: datetime) -> Portion:
        """Delete extractions that have expired.

        Their documents go first and outside of the transaction, as a store may take its time. One
        that has expired stays so, whatever is asked of it: nobody reads it meanwhile.

        Raises:
            BlobsUnavailable: their documents cannot be deleted; they stay for the next time.
            DatabaseUnavailable: the database does not answer.
        """
        found, more = await self._expired(now)
        if not found:
            return Portion()
        await self._blobs.delete(found)
        row = KeptExtractionRow
        gone = delete(row).where(row.extraction_id.in_(found), row.expire_time <= now)
        async with self._database.write() as session:
            done = cast("CursorResult[Any]", await session.execute(gone))
        return Portion({self.kinds[0]: done.rowcount}, more)

    async def due(self, now: datetime) -> Mapping[str, int]:
        """See `Rule`."""
        count = select(func.count()).where(KeptExtractionRow.expire_time <= now)
        async with self._database.read() as session:
            return {self.kinds[0]: (await session.execute(count)).scalar_one()}

    async def _expired(self, now: datetime) -> tuple[list[str], bool]:
        """Return expired extractions that can go in one transaction, and whether there are more."""
        row = KeptExtractionRow
        expired = (
            select(row.extraction_id, row.last_sequence)
            .where(row.expire_time <= now)
            .order_by(row.expire_time)
            .limit(EXTRACTIONS_AT_ONCE)
        )
        async with self._database.read() as session:
            rows = (await session.execute(expired)).all()
        found: list[str] = []
        event_count = 0
        for extraction_id, last_sequence in rows:
            event_count += last_sequence
            if found and event_count > EVENTS_AT_ONCE:
                return found, True
            found.append(extraction_id)
        return found, len(found) == EXTRACTIONS_AT_ONCE

    async def _delete_document(self, extraction_id: str) -> None:
        try:
            await self._blobs.delete([extraction_id])
        except BlobsUnavailable:
            log.warning("documents_not_deleted", count=1)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
