"""Chunks that were given up: administrators see them and can have them read again."""

from collections.abc import Sequence

from sqlalchemy import select

from ocr_grpc.accounts.audit import record
from ocr_grpc.accounts.principal import Actor
from ocr_grpc.batches.entries import take_back
from ocr_grpc.batches.errors import DeadLetterNotFound
from ocr_grpc.batches.page_sets import numbers_of
from ocr_grpc.batches.sheet import NEW_WORK, Sheet, owners_of
from ocr_grpc.metering.months import period_of
from ocr_grpc.store.base import new_id
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import OPEN, UsageRow
from ocr_grpc.store.news import News
from ocr_grpc.store.paging import decoded, encoded, one_page, page_size_of

MAX_DIGITS = 18

_WHOSE = (
    "user_id",
    "organization_id",
    "key_id",
    "method",
    "kind",
    "call_id",
    "extraction_id",
    "quota_owner_id",
)


class DeadLetters:
    """Lists chunks that were given up, and sends them again."""

    def __init__(self, database: Database, news: News) -> None:
        self._database = database
        self._news = news

    async def list(self, page_size: int, page_token: str) -> tuple[Sequence[ChunkRow], str]:
        """Return dead chunks, the newest first, and the token of the next page.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        asked = select(ChunkRow).where(ChunkRow.state == "dead").order_by(ChunkRow.chunk_id.desc())
        if page_token:
            last = _number(decoded(page_token, 1)[0])
            asked = asked.where(ChunkRow.chunk_id < last)
        async with self._database.read() as session:
            rows = (await session.execute(asked.limit(size + 1))).scalars().all()
        return one_page(rows, size, lambda row: encoded(str(row.chunk_id)))

    async def resend(self, dead_letter_id: str, actor: Actor) -> None:
        """Have a chunk read again; its document and its batch go on.

        Raises:
            DeadLetterNotFound: there is none, or its batch is gone.
        """
        chunk_id = _number(dead_letter_id)
        async with self._database.write() as session:
            sheet = Sheet(session, self._news, await self._database.now(session))
            known = select(ChunkRow.batch_id, ChunkRow.document_id)
            found = (await session.execute(known.where(ChunkRow.chunk_id == chunk_id))).first()
            batch_id, document_id = found or ("", "")
            await sheet.lock([batch_id], [document_id], [chunk_id])
            chunk, batch = sheet.chunks.get(chunk_id), sheet.batches.get(batch_id)
            if chunk is None or chunk.state != "dead" or batch is None or _is_over(batch):
                raise DeadLetterNotFound(dead_letter_id)
            await self._reopen(sheet, batch, sheet.documents[document_id], chunk)
            record(session, actor, "dead_letter.resent", batch.user_id, batch_id=batch_id)
            await sheet.write()

    async def _reopen(
        self, sheet: Sheet, batch: BatchRow, document: DocumentRow, chunk: ChunkRow
    ) -> None:
        if document.state == "finished":
            batch.documents_finished -= 1
        elif document.state == "failed":
            batch.documents_failed -= 1
        failed = await take_back(sheet, batch, document, numbers_of(chunk.pages))
        await self._reserve(sheet, document, failed)
        document.state = "reading" if document.page_count else "waiting"
        document.finish_time, document.reason, document.message = None, "", ""
        batch.state, batch.finish_time, batch.expire_time = "reading", None, None
        batch.release_time = None
        chunk.state, chunk.reason, chunk.alone = "waiting", "", True
        chunk.crashes = chunk.errors = chunk.suspect_crashes = 0
        chunk.suspect_page = chunk.run_after = None
        chunk.progress_time = sheet.now
        sheet.tell(NEW_WORK)

    async def _reserve(self, sheet: Sheet, document: DocumentRow, pages: int) -> None:
        """Open a row in the ledger for pages that are read again; the one before may be closed.

        Whatever the quota says: it is the administrator who has them read.
        """
        before = await sheet.session.get(UsageRow, document.usage_id or "")
        if before is None or not pages:
            return
        usage = sheet.usage_of(document)
        if usage is None:
            copied = {name: getattr(before, name) for name in _WHOSE}
            period = period_of(sheet.now)
            usage = UsageRow(
                **copied, usage_id=new_id(), status=OPEN, period=period, pages=0, pages_reserved=0
            )
            sheet.session.add(usage)
            document.usage_id = usage.usage_id
            await sheet.quotas.lock((owner, period) for owner in owners_of(usage))
        usage.pages_reserved += pages
        sheet.quotas.change(owners_of(usage), usage.period, 0, pages)


def _is_over(batch: BatchRow) -> bool:
    return batch.state == "cancelled" or batch.delete_time is not None


def _number(text: str) -> int:
    """Return the number of a chunk in an id or a token; 0, which none has, for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_number else 0
