"""A fixed number of slots that callers take turns at, so that no caller can starve another."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

Waiter = asyncio.Future[None]


class FairSlots:
    """Slots for scarce things such as reader processes or engine workers.

    A smaller `priority` goes first, always. Within a priority the callers that wait take turns:
    a caller with a thousand waiters and one with a single waiter get every second slot each.
    For use in one event loop only.
    """

    def __init__(self, capacity: int, spare: int = 0) -> None:
        """Make free slots.

        Args:
            capacity: how many; 0 lets everybody wait until `resize`.
            spare: so many are never all taken by one caller, so that others need not wait until
                its work ends. A single slot is anybody's.
        """
        self._capacity = capacity
        self._spare = spare
        self._in_use = 0
        self._held = Counter[str]()
        # Per priority, the waiting callers in the order of their turns. Nobody here is done: a
        # future leaves its queue in the same step that completes it.
        self._queues: dict[int, OrderedDict[str, deque[Waiter]]] = {}

    @property
    def capacity(self) -> int:
        """How many slots there are; more may be in use for a while after it was lowered."""
        return self._capacity

    @property
    def in_use(self) -> int:
        """How many slots are taken."""
        return self._in_use

    @property
    def waiting(self) -> int:
        """How many calls of `acquire` wait."""
        return sum(len(own) for turns in self._queues.values() for own in turns.values())

    @property
    def contended(self) -> bool:
        """Whether somebody waits who may have a slot; a holder may want to give one back early."""
        return self._next_turn() is not None

    def waiting_before(self, priority: int = 0) -> int:
        """Return how many waiters there are of this priority or a more urgent one."""
        return sum(
            len(own)
            for queued, turns in self._queues.items()
            if queued <= priority
            for own in turns.values()
        )

    async def acquire(self, caller: str, priority: int = 0) -> None:
        """Wait for a slot; each success must be followed by one `release`.

        Cancelling the wait leaks nothing, even if the slot was granted in the same moment.
        """
        waiter: Waiter = asyncio.get_running_loop().create_future()
        turns = self._queues.setdefault(priority, OrderedDict())
        turns.setdefault(caller, deque()).append(waiter)
        self._grant()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release(caller)
            else:
                self._forget(waiter, caller, priority)
            raise

    def release(self, caller: str) -> None:
        """Give a slot of this caller's back, to whoever's turn it is."""
        self._in_use -= 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._grant()

    def resize(self, capacity: int) -> None:
        """Change the number of slots; slots in use stay in use, whatever the new number."""
        self._capacity = capacity
        self._grant()

    @asynccontextmanager
    async def slot(self, caller: str, priority: int = 0) -> AsyncGenerator[None]:
        """Hold a slot for the time of an `async with`."""
        await self.acquire(caller, priority)
        try:
            yield
        finally:
            self.release(caller)

    def _grant(self) -> None:
        while self._in_use < self._capacity and (turn := self._next_turn()) is not None:
            priority, caller = turn
            turns = self._queues[priority]
            own = turns.pop(caller)
            waiter = own.popleft()
            if own:
                turns[caller] = own  # its next waiter has its turn after everybody else
            elif not turns:
                del self._queues[priority]
            if not waiter.done():
                self._in_use += 1
                self._held[caller] += 1
                waiter.set_result(None)

    def _next_turn(self) -> tuple[int, str] | None:
        """Return the priority and the caller whose turn it is; None if nobody may have a slot."""
        most = max(1, self._capacity - self._spare)
        for priority in sorted(self._queues):
            for caller in self._queues[priority]:
                if self._held[caller] < most:
                    return priority, caller
        return None

    def _forget(self, waiter: Waiter, caller: str, priority: int) -> None:
        turns = self._queues.get(priority)
        own = turns.get(caller) if turns is not None else None
        if turns is None or own is None or waiter not in own:
            return  # already passed over by `_grant`
        own.remove(waiter)
        if not own:
            del turns[caller]
        if not turns:
            del self._queues[priority]
