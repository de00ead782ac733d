"""Measures how many chunks end in a short time."""

from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 0.5
MOST_REMEMBERED = 4096


class Pace:
    """How many chunks ended in this process within the last moments."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Remember nothing yet; `clock` returns seconds."""
        self._clock = clock
        self._ends = deque[float](maxlen=MOST_REMEMBERED)

    def ended(self) -> None:
        """Count a chunk."""
        self._ends.append(self._clock())

    def within(self, seconds: float) -> float:
        """Return how many will end within some time if it goes on like this."""
        begin = self._clock() - WINDOW_SECONDS
        while self._ends and self._ends[0] < begin:
            self._ends.popleft()
        return len(self._ends) * seconds / WINDOW_SECONDS
