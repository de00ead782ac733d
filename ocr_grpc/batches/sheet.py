"""The rows of batches that one transaction changes, and what it tells others about it.

All who change them lock in one order, batches, documents, chunks, usage, quotas, each by its key,
so that none waits for one that waits for it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches import notices
from ocr_grpc.metering.entries import PageUsage
from ocr_grpc.metering.quota_book import OwnerPeriod, QuotaBook
from ocr_grpc.store.base import Base
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, EventRow
from ocr_grpc.store.metering import OPEN, UsageRow
from ocr_grpc.store.new_rows import table_of
from ocr_grpc.store.news import News
from ocr_grpc.webhooks.outbox import Notice, announce

CHANNEL = "ocr_grpc_batches"
"""Of the news about batches."""

NEW_WORK = "+"
"""News that a chunk waits."""

ENDED = "!"
"""Before the id of a batch that was cancelled or deleted: stop working on it."""

USAGE_COLUMNS = tuple(PageUsage().as_columns())

Row = TypeVar("Row", bound=Base)


class Sheet:
    """Rows that nobody else can change until the transaction ends."""

    def __init__(self, session: AsyncSession, news: News, now: datetime) -> None:
        self.session = session
        self.now = now
        self.batches: dict[str, BatchRow] = {}
        self.documents: dict[str, DocumentRow] = {}
        self.chunks: dict[int, ChunkRow] = {}
        self.usage: dict[str, UsageRow] = {}
        self.quotas = QuotaBook(session)
        self._news = news
        self._told: dict[str, None] = {}
        self._events: list[dict[str, Any]] = []
        self._notices: list[Notice] = []

    async def lock(
        self,
        batch_ids: Iterable[str],
        document_ids: Iterable[str],
        chunk_ids: Iterable[int],
        owners: Iterable[OwnerPeriod] = (),
    ) -> None:
        """Read rows and keep others from them; once. Those that are gone are left out.

        Args:
            batch_ids: of batches.
            document_ids: of documents; their rows in the ledger and quotas are locked too.
            chunk_ids: of chunks.
            owners: of further quotas, whose documents have no row in the ledger yet.
        """
        batches = select(BatchRow).where(BatchRow.batch_id.in_(set(batch_ids)))
        documents = select(DocumentRow).where(DocumentRow.document_id.in_(set(document_ids)))
        chunks = select(ChunkRow).where(ChunkRow.chunk_id.in_(set(chunk_ids)))
        for row in await self._locked(batches.order_by(BatchRow.batch_id)):
            self.batches[row.batch_id] = row
        await self.lock_documents(documents)
        for row in await self._locked(chunks.order_by(ChunkRow.chunk_id)):
            self.chunks[row.chunk_id] = row
        await self.lock_usage(owners)

    async def lock_documents(self, documents: Select[DocumentRow]) -> None:
        """Read documents and keep others from them; a part of `lock`."""
        for row in await self._locked(documents.order_by(DocumentRow.document_id)):
            self.documents[row.document_id] = row

    async def lock_usage(self, owners: Iterable[OwnerPeriod] = ()) -> None:
        """Read the ledger's rows of the documents, and their quotas; the last part of `lock`."""
        ids = {row.usage_id for row in self.documents.values() if row.usage_id}
        if ids:
            rows = select(UsageRow).where(UsageRow.usage_id.in_(ids), UsageRow.status == OPEN)
            for row in await self._locked(rows.order_by(UsageRow.usage_id)):
                self.usage[row.usage_id] = row
        known = {(owner, row.period) for row in self.usage.values() for owner in owners_of(row)}
        await self.quotas.lock(known | set(owners))

    def usage_of(self, document: DocumentRow) -> UsageRow | None:
        """Return the open row of a document in the ledger, None if it is closed or was swept."""
        return self.usage.get(document.usage_id or "")

    def event(
        self, batch: BatchRow, kind: str, document_id: str | None = None, page: int | None = None
    ) -> None:
        """Add the next event of a batch."""
        batch.last_sequence += 1
        self._events.append(
            {
                "batch_id": batch.batch_id,
                "sequence": batch.last_sequence,
                "create_time": self.now,
                "kind": kind,
                "document_id": document_id,
                "page_number": page,
                "progress": progress_of(batch),
            }
        )
        self.tell(batch.batch_id)

    def tell(self, news: str) -> None:
        """Have other processes told once this is committed."""
        self._told[news] = None

    def start(self, batch: BatchRow, document: DocumentRow) -> None:
        """Say that a document was opened and has its pages."""
        if batch.state == "waiting":
            batch.state = "reading"
        document.state = "reading"
        document.start_time = self.now
        batch.pages += document.page_count
        self.event(batch, "document_started", document.document_id)

    def finish_document(
        self, batch: BatchRow, document: DocumentRow, reason: str = "", message: str = ""
    ) -> None:
        """Close a document all of whose pages ended, or that failed as a whole."""
        read = document.pages_ok + document.pages_degraded
        document.state = "finished" if read else "failed"
        document.finish_time = self.now
        if not read:
            document.reason, document.message = reason[:64], message
        if read:
            batch.documents_finished += 1
        else:
            batch.documents_failed += 1
        self._close_usage(document, "OK" if read else "INVALID_ARGUMENT", document.reason)
        if batch.state == "waiting":
            batch.state = "reading"
        self.event(batch, "document_finished", document.document_id)
        self._notices.append(notices.of_document(document, self.now))
        if documents_ended(batch) == batch.documents:
            self.finish_batch(batch, "finished")

    def cancel_document(self, batch: BatchRow, document: DocumentRow) -> None:
        """Close a document of a batch that is cancelled."""
        document.state, document.finish_time = "cancelled", self.now
        batch.documents_cancelled += 1
        self._close_usage(document, "CANCELLED", "")

    def finish_batch(self, batch: BatchRow, state: str) -> None:
        """Close a batch."""
        batch.state, batch.finish_time = state, self.now
        batch.expire_time = self.now + timedelta(hours=batch.retention_hours)
        self.event(batch, "finished")
        self._notices.append(notices.of_batch(batch, self.now))

    async def write(self) -> None:
        """Write everything, at the end of the transaction."""
        await self.session.flush()
        await self.quotas.write()
        if self._events:
            await self.session.execute(table_of(EventRow).insert(), self._events)
        await announce(self.session, self._notices)
        for news in self._told:
            await self._news.note(self.session, news)

    def _close_usage(self, document: DocumentRow, status: str, reason: str) -> None:
        usage = self.usage_of(document)
        if usage is None:
            return
        self.quotas.change(owners_of(usage), usage.period, 0, -usage.pages_reserved)
        usage.status, usage.reason, usage.pages_reserved = status, reason, 0
        began = document.start_time or usage.create_time
        usage.duration_seconds = (self.now - began).total_seconds()

    async def _locked(self, rows: Select[Row]) -> Sequence[Row]:
        return (await self.session.execute(rows.with_for_update())).scalars().all()


def owners_of(usage: UsageRow) -> tuple[str, ...]:
    """Return whose quotas a row of the ledger draws on."""
    owner = usage.quota_owner_id or usage.user_id or ""
    return (owner, usage.key_id) if usage.key_id else (owner,)


def documents_ended(batch: BatchRow) -> int:
    """Return how many documents of a batch have ended."""
    return batch.documents_finished + batch.documents_failed + batch.documents_cancelled


def progress_of(batch: BatchRow) -> list[int]:
    """Return the counts of a batch, in the order of the fields of `BatchProgress`."""
    return [
        batch.documents,
        batch.documents_finished,
        batch.documents_failed,
        batch.documents_cancelled,
        batch.pages,
        batch.pages_ok,
        batch.pages_degraded,
        batch.pages_failed,
    ]
