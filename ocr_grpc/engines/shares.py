"""Which of several servers a worker takes the next page of, while there are more than it admits.

A server that was refused asks again some moments later; one whose page just ended sends the next at
once, and would never leave room for the other.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from ocr_grpc.engines.rest import Rest

LATE_SECONDS = 0.5
"""How much later than its rest ends a server may ask again, on its way and busy as it is."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """That of a server that was refused.

    Attributes:
        since: when it was refused first without a success since.
        rest: of the server, which begins with each refusal as this one does.
        until: so long a place is kept for it; one that still wants it asks sooner.
    """

    since: float
    rest: Rest
    until: float


class Shares:
    """Counts the pages of each server, and remembers who was refused."""

    def __init__(self) -> None:
        self._held = Counter[str]()
        self._wishes: dict[str, _Wish] = {}

    def may_enter(self, server: str) -> bool:
        """Return whether no other server is before this one: with fewer pages, or refused first."""
        now = self._forget_old_wishes()
        own = self._wishes.get(server)
        rank = self._held[server], own.since if own else now
        return all(
            rank <= (self._held[other], wish.since)
            for other, wish in self._wishes.items()
            if other != server
        )

    def refuse(self, server: str) -> None:
        """Remember that a server was sent away."""
        now = self._forget_old_wishes()
        wish = self._wishes.get(server)
        since, rest = (wish.since, wish.rest) if wish else (now, Rest())
        rest.begin()
        self._wishes[server] = _Wish(since, rest, now + rest.seconds + LATE_SECONDS)

    def _forget_old_wishes(self) -> float:
        now = monotonic()
        self._wishes = {name: wish for name, wish in self._wishes.items() if wish.until > now}
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
