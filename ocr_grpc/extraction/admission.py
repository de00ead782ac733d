"""Bounds how many extractions there are at once, and says when one that was refused may come."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

from ocr_grpc.extraction.errors import MemoryFull, QueueFull
from ocr_grpc.extraction.places import Place, Places

__all__ = ["Admission", "Place"]

LEAST_RETRY_SECONDS = 1.0
MOST_RETRY_SECONDS = 60.0
FIRST_GUESS_SECONDS = 5.0
"""How long an extraction takes, before any has ended."""

NEWEST_SHARE = 0.1
"""How much the last extraction that ended counts in the mean of how long they take."""


class Admission:
    """Counts extractions, of everybody and of each caller, and what they hold in memory."""

    def __init__(
        self,
        limit: int,
        limit_per_caller: int,
        limit_bytes: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Admit the first.

        Args:
            limit: most extractions at once.
            limit_per_caller: most of one caller.
            limit_bytes: most that they hold in memory together.
            clock: returns seconds that never go back.
        """
        self._limit = limit
        self._limit_per_caller = limit_per_caller
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._clock = clock
        self._all = _UnderWay()
        self._of_caller: dict[str, _UnderWay] = {}
        self._mean_seconds = FIRST_GUESS_SECONDS
        self._places = Places()

    @contextmanager
    def admitted(self, caller: str, held_bytes: int) -> Generator[None, None, None]:
        """Count one extraction for as long as the block lasts.

        Args:
            caller: who asked.
            held_bytes: what its request holds in memory for as long.

        Raises:
            QueueFull: there are too many already.
            MemoryFull: together they would hold too much.
        """
        self._check(caller, held_bytes)
        own = self._of_caller.setdefault(caller, _UnderWay())
        began = self._clock()
        self._all.add(began)
        own.add(began)
        self._held_bytes += held_bytes
        try:
            yield
        finally:
            self._held_bytes -= held_bytes
            self._all.remove(began)
            own.remove(began)
            if not own.count:
                del self._of_caller[caller]
            lasted = self._clock() - began
            self._mean_seconds += NEWEST_SHARE * (lasted - self._mean_seconds)

    def queue(self, caller: str, priority: int = 0, weight: float = 1.0) -> Place:
        """Return a place in the queue for a first page; see `Places.take`."""
        return self._places.take(caller, priority, weight)

    @property
    def waiting(self) -> int:
        """Return how many extractions have not begun their first page."""
        return self._places.waiting

    def _check(self, caller: str, held_bytes: int) -> None:
        if self._all.count >= self._limit:
            setting, seconds = "MAX_EXTRACTIONS", self._until_one_ends(self._all)
            raise QueueFull(self._limit, "all callers", setting, seconds)
        own = self._of_caller.get(caller)
        if own and own.count >= self._limit_per_caller:
            setting, seconds = "MAX_EXTRACTIONS_PER_CALLER", self._until_one_ends(own)
            raise QueueFull(self._limit_per_caller, "this caller", setting, seconds)
        if held_bytes and self._held_bytes + held_bytes > self._limit_bytes:
            raise MemoryFull(self._limit_bytes, self._until_one_ends(self._all))

    def _until_one_ends(self, some: "_UnderWay") -> float:
        """Return after how many seconds one of them will probably have ended.

        Of n that take t seconds each, one ends every t / n (Little, A Proof for the Queuing
        Formula L = λW, 1961). Where those under way are older than what ended lately ever became,
        they are long documents, and their own age says more.
        """
        if not some.count:
            return LEAST_RETRY_SECONDS
        seconds = max(self._mean_seconds, some.mean_age(self._clock())) / some.count
        return round(min(MOST_RETRY_SECONDS, max(LEAST_RETRY_SECONDS, seconds)), 1)


class _UnderWay:
    """Some extractions that have begun and not ended."""

    def __init__(self) -> None:
        self.count = 0
        self._sum_of_begins = 0.0

    def add(self, began: float) -> None:
        self.count += 1
        self._sum_of_begins += began

    def remove(self, began: float) -> None:
        self.count -= 1
        # From nothing anew each time, so that no rounding error stays for good.
        self._sum_of_begins = self._sum_of_begins - began if self.count else 0.0

    def mean_age(self, now: float) -> float:
        return now - self._sum_of_begins / self.count
