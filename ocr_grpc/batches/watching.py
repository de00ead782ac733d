"""The events of a batch as they happen: those in the database, then those that news tell of."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.errors import BatchDeleted, BatchNotFound
from ocr_grpc.batches.queries import owned_batch
from ocr_grpc.batches.sheet import ENDED
from ocr_grpc.extraction.errors import SequenceOutOfRange, ShuttingDown
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.store.batches import BatchRow, DocumentRow, EventRow, PageRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.news import News

PORTION = 200
"""Events that are read at a time."""

PORTION_WITH_PAGES = 16
"""The same if whole pages come with them, some 10 KB each and up to a thousand times that."""

POLL_SECONDS = 2.0
"""How often to look without news: one may be lost with a connection."""

GATHER_SECONDS = 0.1
"""The least time between two looks: while pages end by the hundred, each look finds several."""

FINAL_STATES = frozenset({"finished", "cancelled"})

_IS_ITS_PAGE = and_(
    EventRow.kind == "page_finished",
    PageRow.document_id == EventRow.document_id,
    PageRow.page_number == EventRow.page_number,
)


@dataclass(frozen=True, slots=True)
class PageEnd:
    """How a page ended.

    Attributes:
        outcome: `ok`, `degraded` or `failed`. Empty if its document is being read anew.
        result: the whole page, if it was asked for; see `rpc/page_results.py`.
    """

    outcome: str
    reason: str
    result: bytes | None


@dataclass(frozen=True, slots=True)
class WatchedEvent:
    """An event, with what it is about as that is now.

    Attributes:
        document: of `document_started` and `document_finished`.
        page: of `page_finished`.
        batch: as it was when the event was read.
    """

    event: EventRow
    batch: BatchRow
    document: DocumentRow | None = None
    page: PageEnd | None = None


class Watching:
    """Sends the events of batches to any number of watchers."""

    def __init__(self, database: Database, news: News, poll_seconds: float = POLL_SECONDS) -> None:
        """Listen to the news about batches, and look without any every so many seconds."""
        self._database = database
        self._poll_seconds = poll_seconds
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._running: set[Interruption] = set()
        news.subscribe(self._heard)

    @property
    def watchers(self) -> int:
        """How many there are."""
        return len(self._running)

    def interrupt(self) -> None:
        """End all watching now, each with an error that says why; for a shutdown."""
        for interruption in tuple(self._running):
            interruption.end(ShuttingDown())

    async def events(
        self,
        user_id: str,
        batch_id: str,
        after_sequence: int,
        pages: bool,
        interruption: Interruption,
    ) -> AsyncGenerator[WatchedEvent, None]:
        """Yield the events after a number, without gaps, until the batch has ended.

        Args:
            user_id: the owner.
            batch_id: of which batch.
            after_sequence: the last event that is known. 0: none.
            pages: whether whole pages come with their events.
            interruption: ends it with an error.

        Raises:
            BatchNotFound: the user has none of that id.
            SequenceOutOfRange: there never was such an event.
            BatchDeleted: it was deleted meanwhile.
            OcrError: what interrupts it.
        """
        await self._check(user_id, batch_id, after_sequence)
        limit = PORTION_WITH_PAGES if pages else PORTION
        position = after_sequence
        with self._awake(batch_id, interruption) as woken:
            while True:
                woken.clear()  # before reading: news from now on tell of what may not be read
                portion, batch = await self._portion(user_id, batch_id, position, limit, pages)
                for watched in portion:
                    _raise_if_ended(interruption)
                    yield watched
                    position = watched.event.sequence
                if batch.state in FINAL_STATES and position >= batch.last_sequence:
                    return
                if len(portion) < limit:
                    await self._wait(woken)
                _raise_if_ended(interruption)

    @contextmanager
    def _awake(
        self, batch_id: str, interruption: Interruption
    ) -> Generator[asyncio.Event, None, None]:
        """Yield what is set by news about a batch, and by the interruption."""
        woken = asyncio.Event()
        interruption.future.add_done_callback(lambda _: woken.set())
        waiting = self._waiting.setdefault(batch_id, set())
        waiting.add(woken)
        self._running.add(interruption)
        try:
            yield woken
        finally:
            self._running.discard(interruption)
            waiting.discard(woken)
            if not waiting and self._waiting.get(batch_id) is waiting:
                del self._waiting[batch_id]

    async def _check(self, user_id: str, batch_id: str, after_sequence: int) -> None:
        async with self._database.read() as session:
            batch = await owned_batch(session, user_id, batch_id)
        if not 0 <= after_sequence <= batch.last_sequence:
            raise SequenceOutOfRange(after_sequence, batch.last_sequence)

    async def _portion(
        self, user_id: str, batch_id: str, position: int, limit: int, pages: bool
    ) -> tuple[list[WatchedEvent], BatchRow]:
        """Return the next events, and the batch as it is after them.

        Raises:
            BatchDeleted: it is gone.
        """
        asked = (
            select(EventRow, PageRow.outcome, PageRow.reason)
            .outerjoin(PageRow, _IS_ITS_PAGE)
            .where(EventRow.batch_id == batch_id, EventRow.sequence > position)
            .order_by(EventRow.sequence)
            .limit(limit)
        )
        if pages:
            asked = asked.add_columns(PageRow.result)
        async with self._database.read() as session:
            rows = (await session.execute(asked)).all()
            documents = await _documents_of(session, [row[0] for row in rows])
            # After the events, so that `finished` comes with a batch that is.
            try:
                batch = await owned_batch(session, user_id, batch_id)
            except BatchNotFound:
                raise BatchDeleted from None
        return [_watched(row, batch, documents) for row in rows], batch

    async def _wait(self, woken: asyncio.Event) -> None:
        """Wait for news, but not for ever: some may be lost."""
        await asyncio.sleep(GATHER_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):
                await woken.wait()

    def _heard(self, news: str | None) -> None:
        if news is None:
            waiting = [each for some in self._waiting.values() for each in some]
        else:
            waiting = list(self._waiting.get(news.removeprefix(ENDED), ()))
        for woken in waiting:
            woken.set()


async def _documents_of(session: AsyncSession, events: list[EventRow]) -> dict[str, DocumentRow]:
    """Return the documents that began or ended."""
    ids = {event.document_id for event in events if event.kind.startswith("document_")}
    if not ids:
        return {}
    rows = await session.execute(select(DocumentRow).where(DocumentRow.document_id.in_(ids)))
    return {row.document_id: row for row in rows.scalars()}


def _watched(
    row: Row[*tuple[EventRow, str, str]], batch: BatchRow, documents: dict[str, DocumentRow]
) -> WatchedEvent:
    event, outcome, reason, *result = row
    page = None
    if event.kind == "page_finished":
        page = PageEnd(outcome or "", reason or "", result[0] if result else None)
    document = documents.get(event.document_id or "")
    return WatchedEvent(event, batch, document, page)


def _raise_if_ended(interruption: Interruption) -> None:
    if interruption.future.done():
        raise interruption.future.result()
