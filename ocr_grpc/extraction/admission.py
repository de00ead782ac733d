"""Bounds how many extractions there are at once, and knows who is waiting."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from ocr_grpc.extraction.errors import MemoryFull, QueueFull

RETRY_AFTER_SECONDS = 5.0


class Admission:
    """Counts extractions, of everybody and of each caller, and what they hold in memory."""

    def __init__(self, limit: int, limit_per_caller: int, limit_bytes: int) -> None:
        self._limit = limit
        self._limit_per_caller = limit_per_caller
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._of_caller: Counter[str] = Counter()
        self._waiting = 0

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
        if self._of_caller.total() >= self._limit:
            raise QueueFull(self._limit, "all callers", "MAX_EXTRACTIONS", RETRY_AFTER_SECONDS)
        if self._of_caller[caller] >= self._limit_per_caller:
            raise QueueFull(
                self._limit_per_caller,
                "this caller",
                "MAX_EXTRACTIONS_PER_CALLER",
                RETRY_AFTER_SECONDS,
            )
        if held_bytes and self._held_bytes + held_bytes > self._limit_bytes:
            raise MemoryFull(self._limit_bytes, RETRY_AFTER_SECONDS)
        self._of_caller[caller] += 1
        self._held_bytes += held_bytes
        try:
            yield
        finally:
            self._held_bytes -= held_bytes
            self._of_caller[caller] -= 1
            if not self._of_caller[caller]:
                del self._of_caller[caller]

    def queue(self) -> "Place":
        """Return a place at the end of the queue for a first page."""
        return Place(self)

    @property
    def waiting(self) -> int:
        """Return how many extractions have not begun their first page."""
        return self._waiting

    def change_waiting(self, by: int) -> None:
        """Count a place taken or left; called by `Place` alone."""
        self._waiting += by


class Place:
    """One extraction's place in the queue, until it is left."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._left = False
        self.ahead = admission.waiting
        """How many stood in the queue before this one when it came."""
        admission.change_waiting(1)

    def leave(self) -> None:
        """Say that the first page began, or that nobody wants it any more. May be called again."""
        if not self._left:
            self._left = True
            self._admission.change_waiting(-1)
