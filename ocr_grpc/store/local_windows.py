"""Sliding windows in memory: what Redis would count, counted for this process alone.

The same arithmetic as the `limits` library runs on Redis. Its own storage in memory walks over all
keys whenever one is counted, in threads; here a count takes microseconds however many there are.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from time import monotonic
from typing import NamedTuple

WINDOW_SECONDS = 60
MAX_KEYS = 100_000
"""Callers choose their addresses; past this many the one unused for longest is forgotten."""


class WindowCounts(NamedTuple):
    """The two counters of a sliding window; each weighs less the nearer it is to its end."""

    previous: int
    previous_seconds: float
    """Until it does not count any more."""
    current: int
    current_seconds: float
    """Until it does not count any more, a window after it became the previous one."""

    def free(self, limit: int) -> int:
        """Return how many more calls fit."""
        used = floor(self.previous * self.previous_seconds / WINDOW_SECONDS) + self.current
        return max(0, limit - used)

    def seconds_until_empty(self) -> float:
        """Return when as many calls fit as if there had been none."""
        count, seconds = (
            (self.current, self.current_seconds)
            if self.current
            else (self.previous, self.previous_seconds)
        )
        # A counter weighs nothing once less than one call of it is left.
        return max(0.0, seconds - WINDOW_SECONDS / count) if count else 0.0

    def seconds_until_free(self, limit: int) -> float:
        """Return when one more call fits."""
        if self.free(limit):
            return 0.0
        if self.current >= limit:  # as the previous one it begins to weigh less at once
            fraction = limit / self.current
            return self.current_seconds - WINDOW_SECONDS * fraction
        weight_seconds = (limit - self.current) * WINDOW_SECONDS / self.previous
        return self.previous_seconds - weight_seconds


@dataclass(slots=True)
class _Window:
    end: float
    """When the current counter becomes the previous one."""
    current: int = 0
    previous: int = 0

    def move(self, now: float) -> None:
        while now >= self.end:
            self.previous, self.current = self.current, 0
            self.end += WINDOW_SECONDS

    def counts(self, now: float) -> WindowCounts:
        left = self.end - now
        return WindowCounts(self.previous, left, self.current, left + WINDOW_SECONDS)


class LocalWindows:
    """Counts calls by key in a sliding minute. Not for several threads."""

    def __init__(self, clock: Callable[[], float] = monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        """The one unused for longest comes first."""

    def __len__(self) -> int:
        return len(self._windows)

    def take(self, key: str, limit: int) -> tuple[bool, WindowCounts]:
        """Count one call if it fits; return whether it did, and the counters after it."""
        now = self._clock()
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(now + WINDOW_SECONDS)
            self._forget(now)
        else:
            self._windows.move_to_end(key)
            if now >= window.end + 2 * WINDOW_SECONDS:
                window.previous = window.current = 0
                window.end = now + WINDOW_SECONDS
            window.move(now)
        allowed = window.counts(now).free(limit) > 0
        window.current += allowed
        return allowed, window.counts(now)

    def clear(self, key: str) -> None:
        """Forget what was counted."""
        self._windows.pop(key, None)

    def _forget(self, now: float) -> None:
        """Drop what does not count any more: two keys for each new one, so that none piles up."""
        for _ in range(2):
            key, oldest = next(iter(self._windows.items()))
            over = len(self._windows) > self._max_keys
            if not over and now < oldest.end + WINDOW_SECONDS:
                break
            del self._windows[key]
