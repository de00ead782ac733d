"""Ends batches before their time: cancelled or deleted by their owners."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.names import possible_id
from ocr_grpc.batches.errors import BatchNotFound
from ocr_grpc.batches.sheet import ENDED, Sheet
from ocr_grpc.store.batches import UNDER_WAY, BatchRow, ChunkRow, DocumentRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.news import News

UNFINISHED = ("waiting", "queued", "running")
"""States of chunks that somebody may still work on."""


class Ending:
    """Cancels and deletes batches. What was written counts; nothing more is."""

    def __init__(self, database: Database, news: News) -> None:
        self._database = database
        self._news = news

    async def cancel(self, user_id: str, batch_id: str) -> BatchRow:
        """End a batch and return it with the counts it keeps; one that has ended stays as it is.

        Raises:
            BatchNotFound: there is none, or it is somebody else's.
        """
        async with self._database.write() as session:
            sheet, batch = await self._locked(session, user_id, batch_id)
            if batch.state in UNDER_WAY:
                await self._cancel(sheet, batch)
                await sheet.write()
        return batch

    async def delete(self, user_id: str, batch_id: str) -> None:
        """Cancel a batch if it has not ended, and have it gone for everybody.

        Its rows and files are removed by `Purge`, of the retention job.

        Raises:
            BatchNotFound: there is none, or it is somebody else's.
        """
        async with self._database.write() as session:
            sheet, batch = await self._locked(session, user_id, batch_id)
            if batch.state in UNDER_WAY:
                await self._cancel(sheet, batch)
            else:
                await _stop_chunks(sheet, batch)  # one may be closing yet
            batch.delete_time = sheet.now
            sheet.tell(ENDED + batch_id)
            await sheet.write()

    async def _locked(
        self, session: AsyncSession, user_id: str, batch_id: str
    ) -> tuple[Sheet, BatchRow]:
        """Return a batch, and all of it that can still change, kept from others."""
        sheet = Sheet(session, self._news, await self._database.now(session))
        await sheet.lock([possible_id(batch_id)], [], [])
        batch = sheet.batches.get(batch_id)
        if batch is None or batch.user_id != user_id or batch.delete_time:
            raise BatchNotFound(batch_id)
        return sheet, batch

    async def _cancel(self, sheet: Sheet, batch: BatchRow) -> None:
        mine = DocumentRow.batch_id == batch.batch_id, DocumentRow.state.in_(UNDER_WAY)
        await sheet.lock_documents(select(DocumentRow).where(*mine))
        await _stop_chunks(sheet, batch)
        await sheet.lock_usage()
        for document in sheet.documents.values():
            sheet.cancel_document(batch, document)
        sheet.finish_batch(batch, "cancelled")
        sheet.tell(ENDED + batch.batch_id)


async def _stop_chunks(sheet: Sheet, batch: BatchRow) -> None:
    """Have nobody write for a batch any more."""
    chunks = ChunkRow.batch_id == batch.batch_id, ChunkRow.state.in_(UNFINISHED)
    await sheet.session.execute(
        update(ChunkRow).where(*chunks).values(state="cancelled", worker_id=None)
    )
