"""The events of a batch as they happen: those in the database, then those that news tell of."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.errors import BatchDeleted, BatchNotFound, TooManyWatchers
from ocr_grpc.batches.queries import owned_batch
from ocr_grpc.batches.sheet import ENDED
from ocr_grpc.errors import OcrError
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

MAX_WATCHERS = 50
"""Of one user at this process: each holds a portion of events, and reads some at all news."""

BATCHES_AT_ONCE = 500

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


@dataclass(eq=False, slots=True)
class _Watcher:
    """Somebody who watches.

    Attributes:
        position: the last event that was sent.
        woken: set when there may be more.
    """

    user_id: str
    position: int
    interruption: Interruption
    woken: asyncio.Event


class Watching:
    """Sends the events of batches to any number of watchers."""

    def __init__(
        self,
        database: Database,
        news: News,
        poll_seconds: float = POLL_SECONDS,
        max_watchers: int = MAX_WATCHERS,
    ) -> None:
        """Listen to the news about batches, and look without any every so many seconds."""
        self._database = database
        self._poll_seconds = poll_seconds
        self._max_watchers = max_watchers
        self._watchers: dict[str, set[_Watcher]] = {}
        """By batch."""
        self._of_users: Counter[str] = Counter()
        self._poll: asyncio.Task[None] | None = None
        news.subscribe(self._heard)

    @property
    def watchers(self) -> int:
        """How many there are."""
        return self._of_users.total()

    def interrupt(self) -> None:
        """End all watching now, each with an error that says why; for a shutdown."""
        for watcher in [each for some in self._watchers.values() for each in some]:
            watcher.interruption.end(ShuttingDown())

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
            TooManyWatchers: the user watches as many as anybody may.
            BatchDeleted: it was deleted meanwhile.
            OcrError: what interrupts it.
        """
        limit = PORTION_WITH_PAGES if pages else PORTION
        watcher = _Watcher(user_id, after_sequence, interruption, asyncio.Event())
        with self._counted(batch_id, watcher):
            await self._check(user_id, batch_id, after_sequence)
            while True:
                watcher.woken.clear()  # before reading: news from now on tell of what may be missed
                position = watcher.position
                portion, batch = await self._portion(user_id, batch_id, position, limit, pages)
                for watched in portion:
                    _raise_if_ended(interruption)
                    yield watched
                    watcher.position = watched.event.sequence
                if batch.state in FINAL_STATES and watcher.position >= batch.last_sequence:
                    return
                if len(portion) < limit:
                    await asyncio.sleep(GATHER_SECONDS)
                    await watcher.woken.wait()
                _raise_if_ended(interruption)

    @contextmanager
    def _counted(self, batch_id: str, watcher: _Watcher) -> Generator[None, None, None]:
        """Have a watcher woken by news about its batch, and by its interruption."""
        if self._of_users[watcher.user_id] >= self._max_watchers:
            raise TooManyWatchers(self._max_watchers)
        watcher.interruption.future.add_done_callback(lambda _: watcher.woken.set())
        watchers = self._watchers.setdefault(batch_id, set())
        watchers.add(watcher)
        self._of_users[watcher.user_id] += 1
        if self._poll is None:
            self._poll = asyncio.create_task(self._poll_while_watched())
        try:
            yield
        finally:
            self._of_users[watcher.user_id] -= 1
            if not self._of_users[watcher.user_id]:
                del self._of_users[watcher.user_id]
            watchers.discard(watcher)
            if not watchers and self._watchers.get(batch_id) is watchers:
                del self._watchers[batch_id]
            if not self._watchers and self._poll:
                self._poll.cancel()
                self._poll = None

    async def _poll_while_watched(self) -> None:
        """Look for all watchers together what is new, should news have been lost."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            batch_ids = sorted(self._watchers)
            for start in range(0, len(batch_ids), BATCHES_AT_ONCE):
                with suppress(OcrError):  # the database does not answer now
                    await self._look_at(batch_ids[start : start + BATCHES_AT_ONCE])

    async def _look_at(self, batch_ids: list[str]) -> None:
        """Wake those for whom there is something: events, the end of a batch, or no batch."""
        asked = select(BatchRow.batch_id, BatchRow.last_sequence, BatchRow.state).where(
            BatchRow.batch_id.in_(batch_ids), BatchRow.delete_time.is_(None)
        )
        async with self._database.read() as session:
            found = {row.batch_id: row for row in await session.execute(asked)}
        for batch_id in batch_ids:
            row = found.get(batch_id)
            for watcher in self._watchers.get(batch_id, ()):
                if row is None or row.state in FINAL_STATES or row.last_sequence > watcher.position:
                    watcher.woken.set()

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

    def _heard(self, news: str | None) -> None:
        if news is None:
            waiting = [each for some in self._watchers.values() for each in some]
        else:
            waiting = list(self._watchers.get(news.removeprefix(ENDED), ()))
        for watcher in waiting:
            watcher.woken.set()


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
