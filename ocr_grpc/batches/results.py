"""What batches came to: of one document, or of all as one archive."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches import archives
from ocr_grpc.batches.errors import BatchDeleted, BatchNotFinished, DocumentNotFinished
from ocr_grpc.batches.queries import BatchQueries
from ocr_grpc.batches.result_names import safe_name
from ocr_grpc.batches.result_pieces import KeptPage, ResultCodec, ResultForm, result_pieces
from ocr_grpc.store.batches import UNDER_WAY, BatchRow, DocumentRow, PageRow
from ocr_grpc.store.database import Database

ROWS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way out.

    Attributes:
        file_name: fit for every system.
        pieces: its bytes, of at most 64 KiB each; close them.
    """

    file_name: str
    content_type: str
    pieces: AsyncGenerator[bytes, None]


class Results:
    """Writes results. Connections are held for a portion of rows, not for a slow reader."""

    def __init__(self, database: Database, queries: BatchQueries, codec: ResultCodec) -> None:
        self._database = database
        self._queries = queries
        self._codec = codec

    async def document(
        self, user_id: str, batch_id: str, document_id: str, form: ResultForm, partial: bool
    ) -> Download:
        """Return the result of one document; `partial` asks for what is there.

        The pieces raise BatchDeleted if the batch is deleted meanwhile.

        Raises:
            BatchNotFound, DocumentNotFound: the user has none of these.
            DocumentNotFinished: pages are missing.
        """
        document = await self._queries.document(user_id, batch_id, document_id)
        if document.state in UNDER_WAY and not partial:
            raise DocumentNotFinished
        name = f"{safe_name(document.file_name, 'document')}.{form.ending}"
        return Download(name, form.content_type, self._pieces_of(form, document))

    async def archive(
        self, user_id: str, batch_id: str, form: ResultForm, partial: bool
    ) -> Download:
        """Return the results of all documents that were read; `partial` asks for what is there.

        The pieces raise BatchDeleted if the batch is deleted meanwhile.

        Raises:
            BatchNotFound: the user has none of that id.
            BatchNotFinished: documents are missing.
        """
        batch = await self._queries.get(user_id, batch_id)
        if batch.state in UNDER_WAY and not partial:
            raise BatchNotFinished
        pieces = archives.zip_pieces(
            batch_id,
            form,
            self._documents(batch_id),
            lambda document: self._pieces_of(form, document),
            self._codec.listed,
        )
        name = f"{safe_name(batch.display_name, batch_id)}.zip"
        return Download(name, archives.CONTENT_TYPE, pieces)

    def _pieces_of(self, form: ResultForm, document: DocumentRow) -> AsyncGenerator[bytes, None]:
        return result_pieces(self._codec, form, document, partial(self._pages, document))

    async def _documents(self, batch_id: str) -> AsyncGenerator[DocumentRow, None]:
        last = 0
        while True:
            asked = select(DocumentRow).where(
                DocumentRow.batch_id == batch_id, DocumentRow.number > last
            )
            in_order = asked.order_by(DocumentRow.number).limit(ROWS_AT_ONCE)
            async with self._database.read() as session:
                rows = (await session.execute(in_order)).scalars().all()
                await _check_kept(session, batch_id)
            for row in rows:
                yield row
            if len(rows) < ROWS_AT_ONCE:
                return
            last = rows[-1].number

    async def _pages(self, document: DocumentRow) -> AsyncGenerator[KeptPage, None]:
        last = 0
        while True:
            asked = select(PageRow.page_number, PageRow.result).where(
                PageRow.document_id == document.document_id, PageRow.page_number > last
            )
            in_order = asked.order_by(PageRow.page_number).limit(ROWS_AT_ONCE)
            async with self._database.read() as session:
                rows = (await session.execute(in_order)).all()
                await _check_kept(session, document.batch_id)
            for row in rows:
                yield KeptPage(row.page_number, row.result)
            if len(rows) < ROWS_AT_ONCE:
                return
            last = rows[-1].page_number


async def _check_kept(session: AsyncSession, batch_id: str) -> None:
    """Refuse to go on with what was read before, if the batch is gone: rows may be missing.

    Raises:
        BatchDeleted: it is.
    """
    kept = select(BatchRow.batch_id).where(
        BatchRow.batch_id == batch_id, BatchRow.delete_time.is_(None)
    )
    if (await session.execute(kept)).first() is None:
        raise BatchDeleted
