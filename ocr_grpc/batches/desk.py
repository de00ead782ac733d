"""The one task of a process that writes what happens to chunks, many at a time.

While a transaction runs the next one gathers, so a page costs a share of one commit. Whoever waits
for an operation hears of it once it is durable. If the answer to a COMMIT is lost the operations
are written again; each of them changes nothing the second time.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from ocr_grpc.batches.entries import Entries
from ocr_grpc.batches.errors import LeaseLost
from ocr_grpc.batches.operations import (
    End,
    EndedPage,
    Fail,
    Fetched,
    Held,
    Operation,
    Pages,
    Plan,
    PutBack,
    Suspect,
    Take,
    Token,
    Work,
)
from ocr_grpc.batches.sheet import Sheet
from ocr_grpc.errors import OcrError
from ocr_grpc.metering.entries import Reservation
from ocr_grpc.metering.months import period_of, seconds_to_next_month
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.batches import ChunkRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.news import News
from ocr_grpc.telemetry.metrics import Metrics

log = structlog.get_logger()

MAX_OPERATIONS = 128
RETRY_SECONDS = 0.5


class Desk:
    """Writes what happens to chunks. One for the process: `start` it, `close` it at the end."""

    def __init__(self, database: Database, news: News, metrics: Metrics, worker_id: str) -> None:
        self._database = database
        self._news = news
        self._metrics = metrics
        self._worker_id = worker_id
        self._waiting: deque[Operation] = deque()
        self._work = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_for_ever())

    async def close(self, drain_seconds: float = 5.0) -> None:
        """Write what waits, for so long at most, and stop. May be called twice."""
        self._closing = True
        self._work.set()
        if not self._task:
            return
        await asyncio.wait([self._task], timeout=drain_seconds)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        for each in self._waiting:
            each.done.cancel()
        self._waiting.clear()

    async def take(self, chunk_id: int) -> Work | None:
        """Take a chunk up for this process; None if there is nothing to do about it."""
        return await self._ask(lambda done: Take(chunk_id, self._worker_id, done))

    async def fetched(self, token: Token, file_id: str, file_name: str, size_bytes: int) -> None:
        """Note where the bytes of a document are.

        Raises:
            LeaseLost: somebody else has the chunk, or it was cancelled; the same for all below.
        """
        await self._ask(lambda done: Fetched(token, file_id, file_name, size_bytes, done))

    async def plan(self, token: Token, reservation: Reservation, page_count: int) -> str:
        """Cut an opened document into chunks, and reserve its pages; return those of this chunk.

        Args:
            token: of the chunk that opened it.
            reservation: the pages asked for, and who pays.
            page_count: how many pages the document has.

        Raises:
            QuotaExceeded: fewer pages are left.
        """
        now = utc_now()
        return await self._ask(
            lambda done: Plan(
                token,
                reservation,
                new_id(),
                page_count,
                period_of(now),
                seconds_to_next_month(now),
                done,
            )
        )

    async def pages(self, token: Token, pages: list[EndedPage]) -> None:
        """Write pages that ended: their results, their events and their charges."""
        await self._ask(lambda done: Pages(token, pages, done))

    async def suspect(self, token: Token, page: int) -> None:
        """Note what is read next, 0 for the opening, by a chunk that may kill its process."""
        await self._ask(lambda done: Suspect(token, page, done))

    async def fail(self, token: Token, error: OcrError) -> None:
        """Close a document that cannot be read as a whole."""
        await self._ask(lambda done: Fail(token, error.reason, error.message, done))

    async def put_back(self, token: Token, delay: timedelta, error: bool) -> None:
        """Have the chunk wait again, for so long; `error`: because of one that may pass."""
        await self._ask(lambda done: PutBack(token, delay, error, done))

    async def end(
        self,
        token: Token,
        pages: list[EndedPage] | None = None,
        dead: OcrError | None = None,
    ) -> None:
        """Close the chunk; if it is given up, with what is left of it as failed pages."""
        reason, message = (dead.reason, dead.message) if dead else ("", "")
        await self._ask(lambda done: End(token, reason, message, pages or [], done))
        if dead:
            self._metrics.batch_dead_letters.inc()

    async def _ask(self, operation: "Callable[[asyncio.Future[Any]], Operation]") -> Any:
        if self._task is None or self._closing:
            raise DatabaseUnavailable
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(operation(done))
        self._work.set()
        return await done

    async def _write_for_ever(self) -> None:
        while not (self._closing and not self._waiting):
            await self._work.wait()
            count = min(len(self._waiting), MAX_OPERATIONS)
            operations = [self._waiting.popleft() for _ in range(count)]
            operations = [each for each in operations if not each.done.done()]
            left = await self._written(operations)
            self._waiting.extendleft(reversed(left))
            if left:
                await asyncio.sleep(RETRY_SECONDS)
            elif not self._waiting and not self._closing:
                self._work.clear()

    async def _written(self, operations: list[Operation]) -> list[Operation]:
        """Write operations and return those that must be tried again."""
        if not operations:
            return []
        try:
            answers = await self._commit(operations)
        except DatabaseUnavailable:
            self._metrics.database_errors.inc()
            return operations
        except Exception as error:
            if len(operations) == 1:
                cause = str(getattr(error, "orig", error))[:200]
                log.error("batch_not_written", kind=type(operations[0]).__name__, error=cause)
                _tell(operations[0], error)
                return []
        else:
            for operation, answer in zip(operations, answers, strict=True):
                _tell(operation, answer)
            return []
        # One of them is bad; alone it fails nobody else.
        for at, each in enumerate(operations):
            if await self._written([each]):
                return operations[at:]
        return []

    async def _commit(self, operations: list[Operation]) -> list[Any]:
        async with self._database.write() as session:
            sheet = Sheet(session, self._news, await self._database.now(session))
            await _lock(sheet, operations)
            entries = Entries(sheet)
            await entries.read_done([each for each in operations if isinstance(each, Take)])
            answers = [await _apply(entries, sheet, each) for each in operations]
            await sheet.write()
        self._metrics.batch_pages.inc(entries.pages_read)
        self._metrics.batch_commits.inc()
        return answers


async def _lock(sheet: Sheet, operations: list[Operation]) -> None:
    takes = [each.chunk_id for each in operations if isinstance(each, Take)]
    tokens = [each.token for each in operations if not isinstance(each, Take)]
    batch_ids = {token.batch_id for token in tokens}
    document_ids = {token.document_id for token in tokens}
    if takes:
        known = select(ChunkRow.batch_id, ChunkRow.document_id)
        rows = await sheet.session.execute(known.where(ChunkRow.chunk_id.in_(takes)))
        for batch_id, document_id in rows:
            batch_ids.add(batch_id)
            document_ids.add(document_id)
    owners = [
        (owner, each.period)
        for each in operations
        if isinstance(each, Plan)
        for owner in each.reservation.owner_ids
    ]
    chunk_ids = [*takes, *(token.chunk_id for token in tokens)]
    await sheet.lock(batch_ids, document_ids, chunk_ids, owners)


async def _apply(entries: Entries, sheet: Sheet, asked: Operation) -> Any:
    """Return the answer to an operation, or the error that it is answered with."""
    if isinstance(asked, Take):
        return entries.take(asked)
    if not _is_good(sheet, asked):
        return LeaseLost()
    try:
        return await entries.held(asked)
    except OcrError as error:
        return error


def _is_good(sheet: Sheet, asked: Held) -> bool:
    """Return whether the chunk is still with whoever asks."""
    token = asked.token
    chunk = sheet.chunks.get(token.chunk_id)
    is_held = chunk is not None and chunk.state == "running" and chunk.attempt == token.attempt
    return is_held and token.batch_id in sheet.batches and token.document_id in sheet.documents


def _tell(operation: Operation, answer: Any) -> None:
    if operation.done.done():
        return  # whoever asked was cancelled
    if isinstance(answer, Exception):
        operation.done.set_exception(answer)
    else:
        operation.done.set_result(answer)
