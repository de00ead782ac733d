"""Lets go of the documents of batches that have ended: results stay, what they came from does not.

Only chunks that were given up can be read again, so only their documents are kept for a while. With
the document go the address it was fetched from, and its password.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.files import Files, has_dead_chunk
from ocr_grpc.extraction.kept_options import without_password
from ocr_grpc.store.batches import UNDER_WAY, BatchRow, ChunkRow, DocumentRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import SealBroken
from ocr_grpc.store.sealing import Seal

BATCHES_AT_ONCE = 100


class Sources:
    """Releases the documents of batches. Several processes may do it at once."""

    def __init__(
        self,
        database: Database,
        files: Files,
        seal: Seal,
        documents: timedelta = timedelta(0),
        dead_letters: timedelta = timedelta(days=7),
    ) -> None:
        """Take what is needed.

        Args:
            database: where batches are.
            files: their documents.
            seal: of their options, in which passwords are.
            documents: how long they stay once their batch has ended.
            dead_letters: how long those of chunks that were given up do.
        """
        self._database = database
        self._files = files
        self._seal = seal
        self._documents = documents
        self._dead_letters = dead_letters
        self.more = False
        """Whether the last `release` left some for the next."""

    async def release(self, now: datetime) -> int:
        """Let go of documents of some batches; return how many documents.

        Raises:
            DatabaseUnavailable: the database does not answer.
            BlobsUnavailable: the store for documents does not; the sweep of files finds them.
        """
        asked = select(BatchRow.batch_id).where(*self._ended(now)).order_by(BatchRow.finish_time)
        async with self._database.read() as session:
            some = asked.limit(BATCHES_AT_ONCE)
            batch_ids = (await session.execute(some)).scalars().all()
        self.more = len(batch_ids) == BATCHES_AT_ONCE
        count = 0
        for batch_id in batch_ids:
            file_ids = await self._let_go(batch_id, now)
            await self._files.release(file_ids, spare_uploads=True)
            count += len(file_ids)
        return count

    async def bury(self, now: datetime) -> int:
        """End the time in which chunks that were given up can be sent again; return how many.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        over = self._buried(now)
        asked = select(ChunkRow.batch_id).where(*over).distinct().limit(BATCHES_AT_ONCE)
        async with self._database.read() as session:
            batch_ids = (await session.execute(asked)).scalars().all()
        count = 0
        for batch_id in batch_ids:
            async with self._database.write() as session:
                # As whoever sends one again does, and then it is not over.
                mine = ChunkRow.batch_id == batch_id, *over
                if not await _is_ours(session, batch_id, self._finished(now, self._dead_letters)):
                    continue
                ended = update(ChunkRow).where(*mine).values(state="cancelled")
                ended = ended.execution_options(synchronize_session=False)
                count += cast("CursorResult[Any]", await session.execute(ended)).rowcount
                again = update(BatchRow).where(BatchRow.batch_id == batch_id)
                await session.execute(again.values(release_time=None))
        return count

    async def due(self, now: datetime) -> Mapping[str, int]:
        """Return how many documents could go, and how many chunks that were given up."""
        documents = (
            select(func.count(DocumentRow.document_id))
            .join(BatchRow, BatchRow.batch_id == DocumentRow.batch_id)
            .where(*self._ended(now), ~has_dead_chunk())
        )
        chunks = select(func.count(ChunkRow.chunk_id)).where(*self._buried(now))
        async with self._database.read() as session:
            return {
                "batch_documents": await session.scalar(documents) or 0,
                "dead_letters": await session.scalar(chunks) or 0,
            }

    async def _let_go(self, batch_id: str, now: datetime) -> Sequence[str]:
        """Note that a batch needs its documents no more; return their files."""
        ended = self._ended(now)
        async with self._database.write() as session:
            batch = await _locked(session, batch_id, ended)
            if batch is None:
                return []
            batch.release_time = now
            batch.options = await asyncio.to_thread(self._without_password, batch.options)
            free = DocumentRow.batch_id == batch_id, ~has_dead_chunk()
            asked = select(DocumentRow.file_id).where(*free, DocumentRow.file_id.is_not(None))
            file_ids = (await session.execute(asked)).scalars().all()
            emptied = update(DocumentRow).where(*free).values(url=None, options=None)
            await session.execute(emptied.execution_options(synchronize_session=False))
        return [file_id for file_id in file_ids if file_id]

    def _without_password(self, sealed: bytes) -> bytes:
        try:
            return without_password(self._seal, sealed)
        except SealBroken:
            return sealed

    def _ended(self, now: datetime) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions for batches whose documents can go."""
        return BatchRow.release_time.is_(None), *self._finished(now, self._documents)

    def _finished(self, now: datetime, ago: timedelta) -> tuple[ColumnElement[bool], ...]:
        return (
            BatchRow.finish_time <= now - ago,
            BatchRow.state.not_in(UNDER_WAY),
            BatchRow.delete_time.is_(None),
        )

    def _buried(self, now: datetime) -> tuple[ColumnElement[bool], ...]:
        batch = exists().where(
            BatchRow.batch_id == ChunkRow.batch_id, *self._finished(now, self._dead_letters)
        )
        return ChunkRow.state == "dead", batch


async def _locked(
    session: AsyncSession, batch_id: str, conditions: Sequence[ColumnElement[bool]]
) -> BatchRow | None:
    """Return a batch that nobody else changes until the transaction ends, if it still is so."""
    mine = select(BatchRow).where(BatchRow.batch_id == batch_id, *conditions)
    return (await session.execute(mine.with_for_update(skip_locked=True))).scalar_one_or_none()


async def _is_ours(
    session: AsyncSession, batch_id: str, conditions: Sequence[ColumnElement[bool]]
) -> bool:
    return await _locked(session, batch_id, conditions) is not None
