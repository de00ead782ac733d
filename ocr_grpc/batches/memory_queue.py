"""Delivers chunks inside one process, over SQLite. Nothing of it is kept: at a start all chunks
that have not ended are handed out anew.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.ports import RepositoryPort
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ocr_grpc.batches.deliveries import ALONE, CHUNK, Deliveries
from ocr_grpc.batches.dispatcher import Handout
from ocr_grpc.batches.queue_names import BUILDERS

LONG = timedelta(hours=1)
"""Nobody else could take a chunk over, and the queue tells at once when there is one."""

FORGET_SECONDS = 10.0


class MemoryDispatcher(Deliveries):
    """A dispatcher for one process."""

    def __init__(self, slots: int, grace_seconds: float) -> None:
        """Run nothing yet; see `Deliveries`."""
        super().__init__(slots, grace_seconds, LONG, timedelta(seconds=30), FORGET_SECONDS)
        self._queue = InMemoryQueries(InMemoryDriver(), *BUILDERS)
        self._carried = Counter[int]()
        """How many deliveries of a chunk there are."""
        self._puts: set[asyncio.Task[None]] = set()

    async def enqueue(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """See `Dispatcher`."""
        # After the commit: a handler that came first would find the chunk still waiting.
        loop = asyncio.get_running_loop()

        def committed(_: Session) -> None:
            self._carried.update(each.chunk_id for each in handouts)
            put = loop.create_task(self._put(handouts))
            self._puts.add(put)
            put.add_done_callback(self._puts.discard)

        if handouts:
            event.listen(session.sync_session, "after_commit", committed, once=True)

    async def enqueue_lost(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """See `Dispatcher`."""
        lost = [each for each in handouts if not self._carried[each.chunk_id]]
        await self.enqueue(session, lost)

    async def _put(self, handouts: Sequence[Handout]) -> None:
        await self._queue.enqueue(
            [ALONE if each.alone else CHUNK for each in handouts],
            [str(each.chunk_id).encode() for each in handouts],
            [each.turn for each in handouts],
        )

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[RepositoryPort]:
        yield self._queue

    async def _forget(self, queue: RepositoryPort) -> None:
        await self._queue.clear_queue_log()

    def _over(self, chunk_id: int) -> None:
        self._carried[chunk_id] -= 1
        if self._carried[chunk_id] <= 0:
            del self._carried[chunk_id]
