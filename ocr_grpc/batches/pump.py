"""Hands waiting chunks out, fairly: a few at a time, so that the dispatcher's queue is never long.

Any number of processes may run one; on PostgreSQL each round is done by one of them. Beside that it
looks from time to time for chunks that got lost on their way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches import waiting
from ocr_grpc.batches.dispatcher import Dispatcher, Handout
from ocr_grpc.batches.pace import Pace
from ocr_grpc.batches.shares import AHEAD_SECONDS, Room, Shares
from ocr_grpc.batches.sheet import NEW_WORK
from ocr_grpc.batches.workers import Workers
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.store.news import News

log = structlog.get_logger()

LEADER_LOCK = 0x6F63725F70756D70
"""Held by the process that hands out, for the time of its transaction."""

_LEAD = text(f"SELECT pg_try_advisory_xact_lock({LEADER_LOCK}), clock_timestamp()")

BACKSTOP_SECONDS = 1.0
"""How often to look without news: chunks that wait for a while are nobody's news."""

PAUSE_SECONDS = 0.02
"""The least between two rounds: what happens meanwhile is one round and not many. Only chunks that
end within milliseconds come faster, and of these enough are prefetched."""

FOLLOW_SECONDS = 0.05
"""How soon to look again when another process handed out; twice as long each time it does still."""

MOST_FOLLOWED = 5
"""So many times; then the backstop is as soon."""

MOST_PREFETCHED = 2
"""For each slot."""

SWEEP_SECONDS = 30.0
LOST_SECONDS = 60.0
"""How long nothing was heard of a chunk that is looked for. If it is not lost nothing happens."""

MOST_LOST = 1000
USERS_AT_ONCE = 64

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
HEAD_START_SECONDS = 60
"""How much earlier a user's only chunk counts as handed out. Those behind it pass in the end."""


class Pump:
    """Hands chunks out. `start` it, and `close` it."""

    def __init__(
        self,
        database: Database,
        news: News,
        dispatcher: Dispatcher,
        workers: Workers,
        sweep_seconds: float = SWEEP_SECONDS,
        lost_seconds: float = LOST_SECONDS,
    ) -> None:
        """Hand out nothing yet.

        Args:
            database: where chunks wait.
            news: of batches; it tells of new work.
            dispatcher: what carries chunks; it tells of chunks of this process that ended.
            workers: all slots.
            sweep_seconds: how often to look for lost chunks.
            lost_seconds: how long nothing must have been heard of them.
        """
        self._database = database
        self._dispatcher = dispatcher
        self._workers = workers
        self._sweep_seconds = sweep_seconds
        self._lost = timedelta(seconds=lost_seconds)
        self._woken = asyncio.Event()
        self._pace = Pace(lambda: asyncio.get_running_loop().time())
        self._idle = True
        self._rounds_of_others = 0
        """How many there were since this process had its own."""
        self._after = ""
        """The user who had the last turn."""
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe = news.subscribe(self._heard)

    def start(self) -> None:
        """Begin to hand out."""
        self._dispatcher.on_ended = self._ended
        self._tasks = [
            asyncio.create_task(self._pump_for_ever()),
            asyncio.create_task(self._sweep_for_ever()),
        ]

    async def close(self) -> None:
        """Hand out nothing more. Other processes do."""
        self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def wake(self) -> None:
        """Have it look soon: there is new work, or room."""
        self._woken.set()

    def _heard(self, news: str | None) -> None:
        if news is None or news == NEW_WORK:
            self.wake()

    def _ended(self) -> None:
        self._pace.ended()
        self.wake()

    def _wake_later(self) -> None:
        """Look again soon, as this process may know what the one that hands out did not see.

        Everybody hears of new work, but only this process of its chunks that ended.
        """
        if self._rounds_of_others < MOST_FOLLOWED:
            seconds = FOLLOW_SECONDS * 2**self._rounds_of_others
            asyncio.get_running_loop().call_later(seconds, self.wake)
        self._rounds_of_others += 1

    async def _pump_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self._woken.clear()
            began = clock()
            await self._tried("chunks_not_handed_out", self.hand_out)
            # Half of the time at most, however many things happen.
            await asyncio.sleep(min(max(PAUSE_SECONDS, clock() - began), BACKSTOP_SECONDS))
            with suppress(TimeoutError):
                async with asyncio.timeout(BACKSTOP_SECONDS):
                    await self._woken.wait()

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_seconds)
            await self._tried("lost_chunks_not_found", self.find_lost)

    async def _tried(self, event: str, work: Callable[[], Awaitable[int]]) -> None:
        try:
            await work()
        except DatabaseUnavailable:
            pass  # logged where it was met
        except Exception as error:
            # Without this nothing would move any more: go on, whatever it was.
            kind = type(getattr(error, "orig", error)).__name__
            log.error(event, kind=kind, error=str(getattr(error, "orig", error))[:200])

    async def hand_out(self) -> int:
        """Hand out what there is room for, and return how many chunks.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        if self._idle:
            # Most of the time nothing waits, and asking takes no turn from anybody who writes.
            async with self._database.read() as session:
                if not await waiting.anything_waits(session):
                    return 0
        async with self._database.write() as session:
            now = await self._leads(session)
            if now is None:
                self._wake_later()
                return 0
            self._rounds_of_others = 0
            handouts = await self._choose(session, now)
            if handouts:
                await self._dispatcher.enqueue(session, handouts)
        self._idle = not handouts
        return len(handouts)

    async def find_lost(self) -> int:
        """Send chunks again that nobody has heard of; return how many were looked at.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        # By all processes: whoever comes second finds these chunks on their way.
        async with self._database.write() as session:
            before = await self._database.now(session) - self._lost
            found = await waiting.chunks_without_progress(session, before, MOST_LOST)
            # In one order: two processes that send the same chunks must not wait for each other.
            lost = [Handout(*each) for each in sorted(found)]
            await self._dispatcher.enqueue_lost(session, lost)
        return len(found)

    async def _leads(self, session: AsyncSession) -> datetime | None:
        """Return the time if this process does it until the end of the transaction, else None."""
        if self._database.is_sqlite:
            return utc_now()
        leads, now = (await session.execute(_LEAD)).one()
        return now if leads else None

    async def _choose(self, session: AsyncSession, now: datetime) -> list[Handout]:
        """Choose chunks, and note that they are on their way."""
        room = self._room(await self._workers.capacity(session, now))
        flying, has_alone = await waiting.in_flight(session)
        if sum(each.count for each in flying.values()) >= room.of_all:
            return []
        users = USERS_AT_ONCE + 2 * room.of_all
        asked = await waiting.users_waiting(session, self._after, users)
        shares = Shares(room, flying, asked)
        lines: dict[str, deque[waiting.WaitingChunk]] = {}
        handouts: list[Handout] = []
        while (user_id := shares.next()) is not None:
            if user_id not in lines:
                most = shares.most(user_id)
                ready = await waiting.chunks_ready(session, user_id, most, now, not has_alone)
                lines[user_id] = deque(ready)
            line = lines[user_id]
            while line and line[0].alone and has_alone:
                line.popleft()  # it would hold a slot, and wait
            if not line:
                continue
            chunk = line.popleft()
            has_alone = has_alone or chunk.alone
            turn = _turn(now, is_first=shares.count(user_id) == 0)
            handouts.append(Handout(chunk.chunk_id, chunk.alone, chunk.attempt > 0, turn))
            shares.give(user_id)
            shares.put(user_id, line[0].weight if line else chunk.weight)
            self._after = user_id
        if handouts:
            await waiting.mark_queued(session, [each.chunk_id for each in handouts], now)
        elif len(asked) == users:
            self._after = asked[-1]  # none of these could be served: look at others
        return handouts

    def _room(self, capacity: int) -> Room:
        """Return the room there is: see `shares.py`."""
        # Other processes are as fast as this one, as far as this one knows.
        processes = capacity / self._workers.slots if self._workers.slots else 1.0
        ahead = int(self._pace.within(AHEAD_SECONDS) * processes)
        return Room(capacity, min(ahead, MOST_PREFETCHED * capacity))


def _turn(now: datetime, is_first: bool) -> int:
    """Return what is greater for chunks that go first: older ones, and first ones of their user."""
    seconds = int((now - EPOCH).total_seconds())
    return (HEAD_START_SECONDS if is_first else 0) - seconds
