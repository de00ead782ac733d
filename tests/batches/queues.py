"""What tests of dispatchers and of the pump share."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

from ocr_grpc.batches.dispatcher import Dispatcher, Handle, Handout
from ocr_grpc.batches.memory_queue import MemoryDispatcher
from ocr_grpc.batches.postgresql_queue import PostgresqlDispatcher
from ocr_grpc.store.database import Database

PATIENCE_SECONDS = 60.0


async def until(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def dispatcher_for(
    database: Database, slots: int = 4, grace_seconds: float = 0.0, takeover_seconds: float = 15
) -> MemoryDispatcher | PostgresqlDispatcher:
    if database.is_sqlite:
        return MemoryDispatcher(slots, grace_seconds)
    return PostgresqlDispatcher(database, slots, grace_seconds, takeover_seconds)


async def send(database: Database, dispatcher: Dispatcher, *handouts: Handout) -> None:
    async with database.write() as session:
        await dispatcher.enqueue(session, handouts)


@asynccontextmanager
async def running(dispatcher: Dispatcher, handle: Handle):
    task = asyncio.create_task(dispatcher.run(handle))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


class Workbench:
    """A handler whose chunks end when a test says so."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.now: set[int] = set()
        self.cancelled: list[int] = []
        self.ended: list[int] = []
        self.gate = asyncio.Event()

    async def __call__(self, chunk_id: int) -> None:
        self.begun.append(chunk_id)
        self.now.add(chunk_id)
        try:
            await self.gate.wait()
            self.ended.append(chunk_id)
        except asyncio.CancelledError:
            self.cancelled.append(chunk_id)
            raise
        finally:
            self.now.discard(chunk_id)


class Outbox:
    """A dispatcher that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[Handout] = []
        self.lost: list[Handout] = []
        self.on_ended: Callable[[], None] = lambda: None

    async def enqueue(self, session, handouts: Sequence[Handout]) -> None:
        self.sent += handouts

    async def enqueue_lost(self, session, handouts: Sequence[Handout]) -> None:
        self.lost += handouts

    async def run(self, handle: Handle) -> None:
        await asyncio.Event().wait()

    def taken(self) -> Iterator[int]:
        """Yield what was sent since it was asked last."""
        sent, self.sent = self.sent, []
        yield from (each.chunk_id for each in sent)
