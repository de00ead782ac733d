"""Forgets extractions once their time is over, document first, row last."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import BlobsUnavailable
from ocr_grpc.store.resumption import KeptExtractionRow

log = structlog.get_logger()

EXTRACTIONS_AT_ONCE = 500
"""Of one sweep; the next one comes in seconds."""

EVENTS_OF_A_SWEEP = 20_000
"""Nobody else writes to SQLite while they are deleted."""


class Expiry:
    """Deletes what has expired. `close` it at the end."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        """Take what knows the time, and where documents are."""
        self._database = database
        self._blobs = blobs
        self._emptied: set[str] = set()
        """Expired extractions whose document is gone, so that their rows can go too."""
        self._tasks: set[asyncio.Task[object]] = set()
        self._closed = False

    async def close(self) -> None:
        """Stop; what is left is found by the next sweep of any server."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def delete_soon(self, extraction_id: str) -> None:
        """Delete the document of an extraction, and not its events; at the latest it expires."""
        self._spawn(self._delete_documents([extraction_id]))

    async def sweep(self, session: AsyncSession) -> int:
        """Delete extractions that have expired; return how many.

        Their documents go first and outside of the transaction, as a store may take its time: what
        one sweep finds, a later one deletes.
        """
        found = await self._expired(session)
        ready = [each for each in found if each in self._emptied]
        row = KeptExtractionRow
        await session.execute(delete(row).where(row.extraction_id.in_(ready)))
        self._emptied.clear()
        if full := [each for each in found if each not in ready]:
            self._spawn(self._empty(full))
        return len(ready)

    async def _expired(self, session: AsyncSession) -> list[str]:
        """Return expired extractions, no more than can go in one transaction."""
        row = KeptExtractionRow
        now = await self._database.now(session)
        expired = (
            select(row.extraction_id, row.last_sequence)
            .where(row.expire_time <= now)
            .order_by(row.expire_time)
            .limit(EXTRACTIONS_AT_ONCE)
            # Another server is at those that are locked.
            .with_for_update(skip_locked=True)
        )
        found: list[str] = []
        event_count = 0
        for extraction_id, last_sequence in await session.execute(expired):
            event_count += last_sequence
            if found and event_count > EVENTS_OF_A_SWEEP:
                break
            found.append(extraction_id)
        return found

    async def _empty(self, extraction_ids: list[str]) -> None:
        if await self._delete_documents(extraction_ids):
            self._emptied.update(extraction_ids)

    async def _delete_documents(self, extraction_ids: list[str]) -> bool:
        try:
            await self._blobs.delete(extraction_ids)
        except BlobsUnavailable:
            log.warning("documents_not_deleted", count=len(extraction_ids))
            return False
        return True

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
