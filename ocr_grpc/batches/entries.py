"""What each operation does to the rows of its transaction."""

from typing import Any

from sqlalchemy import delete, or_, select

from ocr_grpc.batches.chunk_rows import count_crash, further_chunk, is_page_of, work_of
from ocr_grpc.batches.errors import GivenUp, WorkerCrashed
from ocr_grpc.batches.operations import (
    End,
    EndedPage,
    Fail,
    Fetched,
    Held,
    Pages,
    Plan,
    PutBack,
    Suspect,
    Take,
    Work,
)
from ocr_grpc.batches.page_sets import CHUNK_PAGES, chunks_of, written
from ocr_grpc.batches.sheet import NEW_WORK, USAGE_COLUMNS, Sheet, owners_of
from ocr_grpc.metering.errors import QuotaExceeded
from ocr_grpc.metering.operations import Account
from ocr_grpc.metering.rows import open_row
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, PageRow
from ocr_grpc.store.metering import UsageRow
from ocr_grpc.store.new_rows import insert_new, table_of


class Entries:
    """Applies operations to a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._done: dict[str, set[int]] = {}
        self.pages_read = 0

    async def read_done(self, takes: list[Take]) -> None:
        """Read which pages of the chunks to be taken up ended already."""
        chunks = (self._sheet.chunks.get(each.chunk_id) for each in takes)
        # Most chunks are taken up once, so there is nothing of them.
        begun = [is_page_of(chunk) for chunk in chunks if chunk and chunk.pages and chunk.attempt]
        if begun:
            asked = select(PageRow.document_id, PageRow.page_number).where(or_(*begun))
            for document_id, number in await self._sheet.session.execute(asked):
                self._done.setdefault(document_id, set()).add(number)

    def take(self, asked: Take) -> Work | None:
        """Take a chunk up, whoever had it before; None if there is nothing to do about it now."""
        sheet = self._sheet
        chunk = sheet.chunks.get(asked.chunk_id)
        if chunk is None or chunk.state not in ("queued", "running"):
            return None
        batch, document = sheet.batches.get(chunk.batch_id), sheet.documents.get(chunk.document_id)
        if batch is None or document is None:
            return None  # it is being removed
        if chunk.state == "running" and chunk.worker_id != asked.worker_id:
            was_alone = chunk.alone
            count_crash(chunk)
            if chunk.alone and not was_alone:
                self._set_apart(chunk)
                return None
        chunk.state, chunk.worker_id, chunk.progress_time = "running", asked.worker_id, sheet.now
        chunk.attempt += 1
        return work_of(batch, document, chunk, frozenset(self._done.get(document.document_id, ())))

    def _set_apart(self, chunk: ChunkRow) -> None:
        """Have a chunk that was delivered beside others handed out alone."""
        chunk.state, chunk.worker_id, chunk.progress_time = "waiting", None, self._sheet.now
        chunk.attempt += 1  # whoever had it, should it live, writes nothing more
        self._sheet.tell(NEW_WORK)

    async def held(self, asked: Held) -> Any:
        """Apply an operation of somebody whose token was found to be good; return the answer."""
        chunk = self._sheet.chunks[asked.token.chunk_id]
        document = self._sheet.documents[chunk.document_id]
        batch = self._sheet.batches[chunk.batch_id]
        chunk.progress_time = self._sheet.now
        match asked:
            case Fetched():
                document.file_id, document.size_bytes = asked.file_id, asked.size_bytes
                document.file_name = document.file_name or asked.file_name
            case Plan():
                return await self._plan(asked, batch, document, chunk)
            case Pages():
                await self._pages(batch, document, asked.pages)
                chunk.crashes = 0  # who gets on is not what kills its process
            case Suspect():
                if chunk.suspect_page != asked.page:
                    chunk.suspect_page, chunk.suspect_crashes = asked.page, 0
            case Fail():
                await self._fail(asked, batch, document, chunk)
            case PutBack():
                chunk.state, chunk.worker_id = "waiting", None
                chunk.errors += asked.error
                chunk.run_after = self._sheet.now + asked.delay if asked.delay else None
                self._sheet.tell(NEW_WORK)
            case End():
                await self._end(asked, batch, document, chunk)
        return None

    async def _plan(
        self, asked: Plan, batch: BatchRow, document: DocumentRow, chunk: ChunkRow
    ) -> str:
        """Cut a document into chunks and reserve its pages.

        Raises:
            QuotaExceeded: fewer are left.
        """
        sheet, reservation = self._sheet, asked.reservation
        if chunk.pages:
            return chunk.pages  # written already, and the answer to the COMMIT was lost
        for subject, owner_id, limit in reservation.limits:
            left = sheet.quotas[owner_id, asked.period].left_of(limit)
            if reservation.page_count > left:
                wait_seconds = asked.seconds_to_next_month
                raise QuotaExceeded(subject, limit, left, reservation.page_count, wait_seconds)
        count = reservation.page_count
        sheet.quotas.change(reservation.owner_ids, asked.period, 0, count)
        account = Account(asked.usage_id, reservation, asked.period, count)
        # Of no server: the sweep of dead ones leaves it alone, as any process may go on with it.
        usage = UsageRow(**open_row(account, "") | {"server_id": None})
        sheet.session.add(usage)
        sheet.usage[usage.usage_id] = usage
        document.usage_id, document.kind = usage.usage_id, reservation.kind
        document.document_page_count, document.page_count = asked.document_page_count, count
        first, *others = chunks_of(reservation.pages, CHUNK_PAGES)
        chunk.pages = written(first)
        if others:
            rows = [further_chunk(chunk, written(part)) for part in others]
            await sheet.session.execute(table_of(ChunkRow).insert(), rows)
            sheet.tell(NEW_WORK)
        sheet.start(batch, document)
        return chunk.pages

    async def _pages(self, batch: BatchRow, document: DocumentRow, pages: list[EndedPage]) -> None:
        """Write pages, each once: the result, the event and the charge."""
        sheet = self._sheet
        rows = [
            {
                "document_id": document.document_id,
                "page_number": page.number,
                "outcome": page.outcome,
                "reason": page.reason,
                "result": page.result,
            }
            for page in sorted(pages, key=lambda page: page.number)
        ]
        new = {number for _, number in await insert_new(sheet.session, PageRow, rows)}
        usage = sheet.usage_of(document)
        for page in pages:
            if page.number not in new:
                continue
            for row in (batch, document):
                _count(row, page)
            if usage is not None:
                self._charge(usage, page)
            sheet.event(batch, "page_finished", document.document_id, page.number)
        self.pages_read += len(new)
        await self._finish_if_whole(batch, document)

    def _charge(self, usage: UsageRow, page: EndedPage) -> None:
        """Charge a page that was read; one that failed only gives its reservation back."""
        read = page.outcome != "failed"
        reserved = min(1, usage.pages_reserved)
        self._sheet.quotas.change(owners_of(usage), usage.period, int(read), -reserved)
        usage.pages_reserved -= reserved
        if read:
            usage.pages += 1
            _add_usage(usage, page)

    async def _finish_if_whole(self, batch: BatchRow, document: DocumentRow) -> None:
        """Close a document all of whose pages ended."""
        ended = document.pages_ok + document.pages_degraded + document.pages_failed
        if document.state != "reading" or ended < document.page_count:
            return
        reason = message = ""
        if not document.pages_ok + document.pages_degraded:
            asked = select(PageRow.reason).where(PageRow.document_id == document.document_id)
            found = await self._sheet.session.execute(asked.order_by(PageRow.page_number).limit(1))
            reason, message = found.scalar_one(), "No page of it could be read."
        self._sheet.finish_document(batch, document, reason, message)

    async def _fail(
        self, asked: Fail, batch: BatchRow, document: DocumentRow, chunk: ChunkRow
    ) -> None:
        chunk.state, chunk.worker_id = "done", None
        self._sheet.finish_document(batch, document, asked.reason, asked.message)

    async def _end(
        self, asked: End, batch: BatchRow, document: DocumentRow, chunk: ChunkRow
    ) -> None:
        chunk.state, chunk.worker_id = "dead" if asked.dead else "done", None
        chunk.reason, chunk.suspect_page, chunk.suspect_crashes = asked.dead, None, 0
        if asked.pages:
            await self._pages(batch, document, asked.pages)
        elif asked.dead and not chunk.pages:
            self._sheet.finish_document(batch, document, asked.dead, asked.message)
        else:
            # Of a dead letter that was sent again everything may have ended before.
            await self._finish_if_whole(batch, document)


async def take_back(
    sheet: Sheet, batch: BatchRow, document: DocumentRow, numbers: list[int]
) -> int:
    """Forget those of some pages that were given up, to be read again; return how many."""
    given_up = (WorkerCrashed.reason, GivenUp.reason)
    failed = delete(PageRow).where(
        PageRow.document_id == document.document_id,
        PageRow.page_number.in_(numbers),
        PageRow.reason.in_(given_up),
    )
    count = len((await sheet.session.execute(failed.returning(PageRow.page_number))).all())
    for row in (batch, document):
        row.pages_failed -= count
    return count


def _count(row: BatchRow | DocumentRow, page: EndedPage) -> None:
    name = f"pages_{page.outcome}"
    setattr(row, name, getattr(row, name) + 1)
    if page.outcome != "failed":
        _add_usage(row, page)


def _add_usage(row: BatchRow | DocumentRow | UsageRow, page: EndedPage) -> None:
    for name in USAGE_COLUMNS:
        setattr(row, name, getattr(row, name) + getattr(page.usage, name))
