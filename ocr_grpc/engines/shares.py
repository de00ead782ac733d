"""Which of several servers a worker takes the next page of, while there are more than it admits.

A server that was refused asks again some moments later; one whose page just ended sends the next at
once, and would never leave room for the other.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic

WISH_SECONDS = 2.0
"""So long a place is kept for a server that was refused; one that still wants it asks sooner."""


class Shares:
    """Counts the pages of each server, and remembers who was refused."""

    def __init__(self) -> None:
        self._held = Counter[str]()
        self._wishes: dict[str, tuple[float, float]] = {}
        """Of each server that was refused: since when without a success, and the last time."""

    def may_enter(self, server: str) -> bool:
        """Return whether no other server is before this one: with fewer pages, or refused first."""
        now = self._forget_old_wishes()
        rank = self._held[server], self._wishes.get(server, (now, now))[0]
        return all(
            rank <= (self._held[other], since)
            for other, (since, _) in self._wishes.items()
            if other != server
        )

    def refuse(self, server: str) -> None:
        """Remember that a server was sent away."""
        now = self._forget_old_wishes()
        since, _ = self._wishes.get(server, (now, now))
        self._wishes[server] = since, now

    def _forget_old_wishes(self) -> float:
        now = monotonic()
        self._wishes = {
            name: (since, last)
            for name, (since, last) in self._wishes.items()
            if last > now - WISH_SECONDS
        }
        return now

    @contextmanager
    def entered(self, server: str) -> Generator[None, None, None]:
        """Count a page for as long as the block lasts."""
        self._wishes.pop(server, None)
        self._held[server] += 1
        try:
            yield
        finally:
            self._held[server] -= 1
            if not self._held[server]:
                del self._held[server]
