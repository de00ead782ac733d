"""Batches and their documents as their owner sees them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.names import possible_id
from ocr_grpc.batches.errors import BatchNotFound, DocumentNotFound
from ocr_grpc.store.batches import BatchRow, DocumentRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import InvalidPageToken
from ocr_grpc.store.paging import decoded, encoded, older_than, one_page, page_size_of

MAX_NUMBER_DIGITS = 9


class BatchQueries:
    """Reads. One that was deleted, or is somebody else's, is not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, user_id: str, batch_id: str) -> BatchRow:
        """Return one batch.

        Raises:
            BatchNotFound: the user has none of that id.
        """
        async with self._database.read() as session:
            return await owned_batch(session, user_id, batch_id)

    async def list(
        self, user_id: str, state: str, page_size: int, page_token: str
    ) -> tuple[list[BatchRow], str]:
        """Return a page of a user's batches, the newest first, and the token of the next.

        Args:
            user_id: whose.
            state: only those that stand there. Empty: all.
            page_size: 0 for 50, at most 500.
            page_token: of the page before. Empty for the first.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        asked = select(BatchRow).where(
            BatchRow.user_id == user_id,
            BatchRow.delete_time.is_(None),
            *older_than(page_token, BatchRow.create_time, BatchRow.batch_id),
        )
        if state:
            asked = asked.where(BatchRow.state == state)
        newest = asked.order_by(BatchRow.create_time.desc(), BatchRow.batch_id.desc())
        async with self._database.read() as session:
            rows = (await session.execute(newest.limit(size + 1))).scalars().all()
        return one_page(rows, size, lambda row: encoded(row.create_time.isoformat(), row.batch_id))

    async def documents(
        self, user_id: str, batch_id: str, state: str, page_size: int, page_token: str
    ) -> tuple["list[DocumentRow]", str]:
        """Return a page of the documents of a batch in their order, and the token of the next.

        Raises:
            BatchNotFound: the user has none of that id.
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        asked = select(DocumentRow).where(
            DocumentRow.batch_id == batch_id, DocumentRow.number > _number_in(page_token)
        )
        if state:
            asked = asked.where(DocumentRow.state == state)
        async with self._database.read() as session:
            await owned_batch(session, user_id, batch_id)
            in_order = asked.order_by(DocumentRow.number).limit(size + 1)
            rows = (await session.execute(in_order)).scalars().all()
        return one_page(rows, size, lambda row: encoded(str(row.number)))

    async def document(self, user_id: str, batch_id: str, document_id: str) -> DocumentRow:
        """Return one document.

        Raises:
            BatchNotFound: the user has no such batch.
            DocumentNotFound: it has no such document.
        """
        async with self._database.read() as session:
            await owned_batch(session, user_id, batch_id)
            asked = select(DocumentRow).where(
                DocumentRow.document_id == possible_id(document_id),
                DocumentRow.batch_id == batch_id,
            )
            row = (await session.execute(asked)).scalar_one_or_none()
        if row is None:
            raise DocumentNotFound(document_id)
        return row


async def owned_batch(session: AsyncSession, user_id: str, batch_id: str) -> BatchRow:
    """Return a batch of a user.

    Raises:
        BatchNotFound: the user has none of that id, or not any more.
    """
    asked = select(BatchRow).where(
        BatchRow.batch_id == possible_id(batch_id),
        BatchRow.user_id == user_id,
        BatchRow.delete_time.is_(None),
    )
    row = (await session.execute(asked)).scalar_one_or_none()
    if row is None:
        raise BatchNotFound(batch_id)
    return row


def _number_in(page_token: str) -> int:
    """Return the number of the last document of the page before; 0 for the first page."""
    if not page_token:
        return 0
    (number,) = decoded(page_token, 1)
    if not (number.isascii() and number.isdigit()) or len(number) > MAX_NUMBER_DIGITS:
        raise InvalidPageToken
    return int(number)
