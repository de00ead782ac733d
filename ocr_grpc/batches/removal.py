"""Removes one batch, a few rows at a time.

Nobody else writes meanwhile on SQLite, and on PostgreSQL no statement may take long, so what goes
with one statement is bounded, whatever batches and documents there are. Foreign keys would remove
the same rows, but all at once.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from sqlalchemy import ColumnElement, CursorResult, Row, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.files import Files
from ocr_grpc.store.base import Base
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, EventRow, PageRow
from ocr_grpc.store.database import Database

PAGES_AT_ONCE = 2_000
"""Each with its whole result."""

ROWS_AT_ONCE = 10_000
DOCUMENTS_AT_ONCE = 50

Named: TypeAlias = Row[str, str | None]
"""The id of a document, and that of its file."""


class Removal:
    """Removes batches that were deleted."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    async def remove(self, batch_id: str) -> bool:
        """Remove a batch with all that hangs on it; return False if another process does it.

        It can be stopped at any moment: what is left is removed the next time.

        Raises:
            DatabaseUnavailable: the database does not answer.
            BlobsUnavailable: the store for documents does not; their sweep finds the files.
        """
        while documents := await self._some_documents(batch_id):
            if not await self._remove_documents(batch_id, documents):
                return False
        events = select(EventRow.sequence).where(EventRow.batch_id == batch_id)
        events = events.order_by(EventRow.sequence).limit(ROWS_AT_ONCE)
        chunks = select(ChunkRow.chunk_id).where(ChunkRow.batch_id == batch_id).limit(ROWS_AT_ONCE)
        mine = EventRow.batch_id == batch_id, EventRow.sequence.in_(events)
        return (
            await self._in_portions(batch_id, EventRow, *mine)
            and await self._in_portions(batch_id, ChunkRow, ChunkRow.chunk_id.in_(chunks))
            and await self._once(batch_id, BatchRow, BatchRow.batch_id == batch_id) > 0
        )

    async def _some_documents(self, batch_id: str) -> Sequence[Named]:
        some = select(DocumentRow.document_id, DocumentRow.file_id)
        some = some.where(DocumentRow.batch_id == batch_id).limit(DOCUMENTS_AT_ONCE)
        async with self._database.read() as session:
            return (await session.execute(some)).all()

    async def _remove_documents(self, batch_id: str, documents: Sequence[Named]) -> bool:
        ids = [document_id for document_id, _ in documents]
        key = PageRow.document_id, PageRow.page_number
        pages = select(*key).where(PageRow.document_id.in_(ids)).limit(PAGES_AT_ONCE)
        if not await self._in_portions(batch_id, PageRow, tuple_(*key).in_(pages)):
            return False
        if await self._once(batch_id, DocumentRow, DocumentRow.document_id.in_(ids)) < 0:
            return False
        await self._files.release([file_id for _, file_id in documents if file_id])
        return True

    async def _in_portions(
        self, batch_id: str, kind: type[Base], *which: ColumnElement[bool]
    ) -> bool:
        """Remove rows, of which `which` names some at a time; return False if others do it."""
        while count := await self._once(batch_id, kind, *which):
            if count < 0:
                return False
        return True

    async def _once(self, batch_id: str, kind: type[Base], *which: ColumnElement[bool]) -> int:
        """Remove rows in one transaction; return how many, or -1 if others remove this batch."""
        async with self._database.write() as session:
            if not await _is_ours(session, batch_id):
                return -1
            # Nothing of it is in this session; asking for that would have every key returned.
            removed = delete(kind).where(*which).execution_options(synchronize_session=False)
            return cast("CursorResult[Any]", await session.execute(removed)).rowcount


async def _is_ours(session: AsyncSession, batch_id: str) -> bool:
    """Keep others from a batch until the transaction ends; return False if they came first."""
    batch = select(BatchRow.batch_id).where(BatchRow.batch_id == batch_id)
    return await session.scalar(batch.with_for_update(skip_locked=True)) is not None
