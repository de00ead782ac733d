"""What carries the numbers of chunks to the processes that work on them.

It may lose or double a delivery: the tables are the truth, a chunk is taken up once at a time, and
what was lost is found by the sweep of `pump.py`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

Handle = Callable[[int], Awaitable[None]]
"""Works on the chunk of this number to its end. Cancelled, it gives the chunk back."""


@dataclass(frozen=True, slots=True)
class Handout:
    """A chunk on its way to a process."""

    chunk_id: int
    alone: bool = False
    """Whether it may run beside no other such chunk, in whatever process."""
    taken_before: bool = False
    """Whether it ever was with a process: the last delivery may not be cleared away yet."""
    turn: int = 0
    """Who is handed out first of those that no slot is free for: the greatest."""


class Dispatcher(Protocol):
    """Delivers chunks. Many processes may put chunks in, and many take them out."""

    on_ended: Callable[[], None]
    """Called when a chunk of this process ended, so that somebody has a free slot."""

    async def enqueue(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """Send chunks on their way, if and when the transaction is committed.

        An older delivery of the same chunk is dropped.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        ...

    async def enqueue_lost(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """Do the same for those chunks that are neither on their way nor with a process.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        ...

    async def run(self, handle: Handle) -> None:
        """Have chunks worked on until this is cancelled, whatever happens to the database.

        When it is, no more chunks are taken; those under way may end within the grace, the rest is
        cancelled. It takes the grace and a few seconds more at most.
        """
        ...
