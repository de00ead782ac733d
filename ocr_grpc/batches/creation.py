"""Makes batches: all of one or nothing, and one for each request id."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.names import possible_id
from ocr_grpc.accounts.principal import Principal
from ocr_grpc.batches.errors import UploadNotFound
from ocr_grpc.batches.files import FETCHED_STAYS
from ocr_grpc.batches.kept_bytes import stored_bytes
from ocr_grpc.batches.limits import BatchLimits
from ocr_grpc.batches.new_batch import NewBatch, NewDocument
from ocr_grpc.batches.new_rows import Beside, NewRows, file_row, made_rows
from ocr_grpc.batches.request_ids import Fingerprint, claimed, made_before
from ocr_grpc.batches.sheet import NEW_WORK
from ocr_grpc.errors import InvalidOption, fields_within
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import UNDER_WAY, BatchRow, ChunkRow, DocumentRow, FileRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.new_rows import table_of
from ocr_grpc.store.news import News
from ocr_grpc.store.sealing import Seal

WRITES_AT_ONCE = 16
"""Files that are written side by side: a remote store takes some 50 ms for each."""


class BlobStore(Protocol):
    """Where the bytes of documents lie; `Blobs` is one."""

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Write a blob."""
        ...


class Creation:
    """Makes batches. Any number at a time."""

    def __init__(
        self,
        database: Database,
        news: News,
        seal: Seal,
        blobs: BlobStore,
        fetcher: Fetcher,
        check_options: Callable[[ExtractOptions], None],
        limits: BatchLimits,
    ) -> None:
        """Take what is needed.

        Args:
            database: where batches are.
            news: of batches.
            seal: for what the database must not show.
            blobs: where documents lie.
            fetcher: knows which URLs may be asked.
            check_options: refuses options that can never be honoured; see `Extractor.check`.
            limits: what batches may ask for.
        """
        self._database = database
        self._news = news
        self._seal = seal
        self._blobs = blobs
        self._fetcher = fetcher
        self._check_options = check_options
        self._limits = limits

    async def create(
        self, principal: Principal, wanted: NewBatch, call_id: str, retry_id: str = ""
    ) -> BatchRow:
        """Return a new batch, or the one that the first call with this request id made.

        Args:
            principal: its owner.
            wanted: what is asked for.
            call_id: as in `x-request-id`.
            retry_id: the same for all attempts of one call; counts where there is no request id.

        Raises:
            InvalidOption: something can never be honoured; the error names the field.
            RequestIdReused: the request id stands for another batch.
            BatchNotFound: the batch that was made with this request id is deleted.
            PriorityNotAllowed: the role of the owner does not go that high.
            UploadNotFound: one of the uploads is not there, or somebody else's.
            TooManyBatches: too many documents of the owner wait already.
            UploadsFull: the owner has too many bytes stored.
            BlobsUnavailable: the documents cannot be kept.
        """
        user_id = principal.user_id
        request_id = wanted.request_id or retry_id
        self._limits.check(wanted)
        async with self._database.read() as session:
            named = await _named(session, user_id, wanted) if request_id else {}
            fingerprint = Fingerprint.of(wanted, named)
            if made := await made_before(session, user_id, request_id, fingerprint):
                return made
            priority = self._limits.priority_for(principal.role, wanted.priority)
            self._check_documents(wanted)
            await self._check_waiting(session, user_id, len(wanted.documents))
            uploads = await _uploads(session, user_id, wanted)
        hours = wanted.retention_hours or self._limits.batch_retention_hours
        files = await self._kept(user_id, wanted)
        beside = Beside(self._seal, principal, priority, hours, call_id)
        rows = await asyncio.to_thread(made_rows, beside, wanted, files, uploads)
        async with self._database.write() as session:
            if request_id:
                made = await claimed(session, rows.batch, request_id, fingerprint)
                if made:
                    return made
            # Once more, as others may have come since; some at the same moment pass together.
            await self._check_waiting(session, user_id, len(wanted.documents))
            await _uploads(session, user_id, wanted, lock=True)
            await self._write(session, rows)
        return rows.batch

    def _check_documents(self, wanted: NewBatch) -> None:
        """Refuse what can be seen to be wrong without a document.

        Raises:
            InvalidOption: naming the field.
        """
        good: set[ExtractOptions] = set()
        self._check(wanted.options, good)
        for document in wanted.documents:
            with fields_within(document.path):
                if document.options:
                    self._check(document.options, good)
            if document.url:
                self._fetcher.check(document.url, f"{document.path}.url")

    def _check(self, options: ExtractOptions, good: set[ExtractOptions]) -> None:
        """Refuse options; a thousand documents mostly have the same."""
        if options in good:
            return
        if options.page_image_side_px:
            raise InvalidOption(
                "Pictures of pages come in streams alone.", field="options.page_image_side_px"
            )
        self._check_options(options)
        good.add(options)

    async def _check_waiting(self, session: AsyncSession, user_id: str, more: int) -> None:
        asked = select(func.count()).where(
            DocumentRow.user_id == user_id, DocumentRow.state.in_(UNDER_WAY)
        )
        self._limits.check_waiting((await session.execute(asked)).scalar_one(), more)

    async def _kept(self, user_id: str, wanted: NewBatch) -> dict[int, FileRow]:
        """Write the documents that came with the request; return their files by number.

        The rows come first: a sweep finds by them what is left where no batch came of it.
        """
        inline = [document for document in wanted.documents if document.content]
        if not inline:
            return {}
        expire_time = utc_now() + FETCHED_STAYS
        rows = await asyncio.to_thread(
            lambda: {each.number: file_row(user_id, each, expire_time) for each in inline}
        )
        async with self._database.write() as session:
            more = sum(row.size_bytes for row in rows.values())
            self._limits.check_stored(await stored_bytes(session, user_id), more)
            session.add_all(rows.values())
        some = asyncio.Semaphore(WRITES_AT_ONCE)

        async def write(document: NewDocument) -> None:
            async with some:
                await self._blobs.put_bytes(rows[document.number].file_id, document.content)

        try:
            async with asyncio.TaskGroup() as group:
                for document in inline:
                    group.create_task(write(document))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # the others were cancelled for it
        return rows

    async def _write(self, session: AsyncSession, rows: NewRows) -> None:
        session.add(rows.batch)
        await session.flush()
        await session.execute(table_of(DocumentRow).insert(), rows.documents)
        await session.execute(table_of(ChunkRow).insert(), rows.chunks)
        await self._news.note(session, NEW_WORK)
        await self._news.note(session, rows.batch.batch_id)


async def _uploads(
    session: AsyncSession, user_id: str, wanted: NewBatch, lock: bool = False
) -> dict[str, FileRow]:
    """Return the uploads that are named, by id; `lock` keeps others from deleting them.

    Raises:
        UploadNotFound: one is not there.
    """
    if not any(document.upload_id for document in wanted.documents):
        return {}
    asked = _asked_for(user_id, wanted).where(
        FileRow.uploaded.is_(True), FileRow.expire_time > utc_now()
    )
    if lock:
        asked = asked.order_by(FileRow.file_id).with_for_update(read=True)
    found = {row.file_id: row for row in (await session.execute(asked)).scalars()}
    for document in wanted.documents:
        if document.upload_id and document.upload_id not in found:
            raise UploadNotFound(document.upload_id)
    return found


async def _named(session: AsyncSession, user_id: str, wanted: NewBatch) -> dict[str, FileRow]:
    """Return those of the uploads that are named whose rows are still there, by id.

    Of one that cannot be named any more there is a row as long as a batch uses it.
    """
    if not any(document.upload_id for document in wanted.documents):
        return {}
    rows = await session.execute(_asked_for(user_id, wanted))
    return {row.file_id: row for row in rows.scalars()}


def _asked_for(user_id: str, wanted: NewBatch) -> "Select[FileRow]":
    named = {each.upload_id for each in wanted.documents if possible_id(each.upload_id)}
    return select(FileRow).where(FileRow.file_id.in_(sorted(named)), FileRow.user_id == user_id)
