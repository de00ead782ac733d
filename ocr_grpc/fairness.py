"""A fixed number of slots that callers take turns at, so that no caller can starve another."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ocr_grpc.turns import Turns, stride

Waiter = asyncio.Future[None]


class FairSlots:
    """Slots for scarce things such as reader processes or engine workers.

    A smaller `priority` goes first, always. Within a priority the callers that wait take turns, one
    of weight 2 twice as often as one of weight 1: a caller with a thousand waiters and one with a
    single waiter, alike in weight, get every second slot each. So do the jobs of one caller.
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
        self._lines: dict[int, _Line] = {}

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
        return sum(line.waiting for line in self._lines.values())

    @property
    def contended(self) -> bool:
        """Whether somebody waits who may have a slot; a holder may want to give one back early."""
        return any(line.turns for line in self._lines.values())

    def waiting_before(self, priority: int = 0) -> int:
        """Return how many waiters there are of this priority or a more urgent one."""
        return sum(line.waiting for queued, line in self._lines.items() if queued <= priority)

    async def acquire(
        self, caller: str, priority: int = 0, weight: float = 1.0, job: str = ""
    ) -> None:
        """Wait for a slot; each success must be followed by one `release`.

        Cancelling the wait leaks nothing, even if the slot was granted in the same moment.

        Args:
            caller: whose turn it uses.
            priority: smaller goes first.
            weight: of the caller beside others.
            job: what it is for; the jobs of a caller take turns at the turns of that caller.

        Raises:
            ValueError: the weight is not above 0.
        """
        stride(weight)  # refuses it here, before it stands in line
        waiter: Waiter = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(priority, _Line())
        line.add(caller, job, waiter, weight)
        self._seat(caller)
        self._grant()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release(caller)
            else:
                self._forget(waiter, caller, job, priority)
            raise

    def release(self, caller: str) -> None:
        """Give a slot of this caller's back, to whoever's turn it is."""
        self._in_use -= 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._seat(caller)
        self._grant()

    def resize(self, capacity: int) -> None:
        """Change the number of slots; slots in use stay in use, whatever the new number."""
        self._capacity = capacity
        for caller in {caller for line in self._lines.values() for caller in line.queues}:
            self._seat(caller)
        self._grant()

    @asynccontextmanager
    async def slot(
        self, caller: str, priority: int = 0, weight: float = 1.0, job: str = ""
    ) -> AsyncGenerator[None]:
        """Hold a slot for the time of an `async with`; see `acquire`."""
        await self.acquire(caller, priority, weight, job)
        try:
            yield
        finally:
            self.release(caller)

    def _grant(self) -> None:
        while self._in_use < self._capacity:
            waited = [priority for priority, line in self._lines.items() if line.turns]
            if not waited:
                return
            line = self._lines[min(waited)]
            caller, granted = line.grant()
            if granted:
                self._in_use += 1
                self._held[caller] += 1
            self._seat(caller)

    def _seat(self, caller: str) -> None:
        """Let a caller have turns where it waits, as long as it holds no more than it may."""
        may_have = self._held[caller] < max(1, self._capacity - self._spare)
        for priority, line in list(self._lines.items()):
            if caller not in line.queues:
                line.turns.leave(caller)
            elif may_have:
                line.turns.join(caller)
            else:
                line.turns.pause(caller)
            if not line.queues:
                del self._lines[priority]

    def _forget(self, waiter: Waiter, caller: str, job: str, priority: int) -> None:
        line = self._lines.get(priority)
        if line is not None:  # else already passed over by `_grant`
            line.remove(caller, job, waiter)
            self._seat(caller)


class _Line:
    """Those who wait with one priority."""

    def __init__(self) -> None:
        self.turns = Turns[str]()
        """The callers that wait and may have a slot."""
        self.queues: dict[str, _Queue] = {}
        """All callers that wait."""
        self.waiting = 0

    def add(self, caller: str, job: str, waiter: Waiter, weight: float) -> None:
        self.queues.setdefault(caller, _Queue()).add(job, waiter, weight)
        self.waiting += 1

    def remove(self, caller: str, job: str, waiter: Waiter) -> None:
        """Take a waiter out, if it stands here at all."""
        queue = self.queues.get(caller)
        if queue is not None and queue.remove(job, waiter):
            self._one_less(caller)

    def grant(self) -> tuple[str, bool]:
        """Take the next waiter out; return whose it was, and whether it still wanted the slot."""
        caller = self.turns.next()
        assert caller is not None  # noqa: S101 - asked only where somebody has turns
        waiter, weight = self.queues[caller].pop()
        self._one_less(caller)
        if waiter.done():
            return caller, False  # cancelled, though its task has not run since: costs no turn
        self.turns.took(caller, weight)
        waiter.set_result(None)
        return caller, True

    def _one_less(self, caller: str) -> None:
        self.waiting -= 1
        if not self.queues[caller].jobs:
            del self.queues[caller]


class _Queue:
    """The waiters of one caller. Nobody here is granted: a future leaves in the same step."""

    def __init__(self) -> None:
        self.jobs: dict[str, OrderedDict[Waiter, float]] = {}
        """The waiters of each job in the order of their coming, with their weights."""
        self._turns = Turns[str]()

    def add(self, job: str, waiter: Waiter, weight: float) -> None:
        self.jobs.setdefault(job, OrderedDict())[waiter] = weight
        self._turns.join(job)

    def remove(self, job: str, waiter: Waiter) -> bool:
        """Take a waiter out; return whether it stood here."""
        own = self.jobs.get(job)
        if own is None or own.pop(waiter, None) is None:
            return False
        self._drop_if_empty(job)
        return True

    def pop(self) -> tuple[Waiter, float]:
        """Take out and return the waiter whose turn it is, with its weight."""
        job = self._turns.next()
        assert job is not None  # noqa: S101 - an empty queue is not kept
        waiter_and_weight = self.jobs[job].popitem(last=False)
        self._turns.took(job)
        self._drop_if_empty(job)
        return waiter_and_weight

    def _drop_if_empty(self, job: str) -> None:
        if not self.jobs[job]:
            del self.jobs[job]
            self._turns.leave(job)
