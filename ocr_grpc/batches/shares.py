"""Decides whose chunk is handed out next. Pure: it knows numbers, no database.

How many chunks are on their way or with a process ("in flight"), and why:

- All slots of all processes together are the capacity. As many chunks are in flight, and no more:
  whatever waits in the queue of the dispatcher waits in the order it came, and a newcomer would
  wait behind it. In the tables nobody stands behind anybody.
- One user has at most the capacity without one slot, so that a newcomer starts at once and not when
  a chunk of a minute has ended. A single slot is anybody's.
- But a slot is idle from the end of a chunk until the next one came: two transactions. This does
  not matter after a chunk of seconds, and is most of the time after one of milliseconds. So chunks
  are prefetched, as many as end within `AHEAD_SECONDS`: with slow chunks that is none. A newcomer
  then waits behind prefetched chunks, and may find the spare slot taken by one of them, for about
  that long, as chunks end at that pace.
- Should chunks become slow all of a sudden, the prefetched ones are at most twice as many as there
  are slots, and a newcomer is put before them (`Handout.turn`): it waits for one chunk to end.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SPARE = 1
"""Slots that one user never has when there are several slots."""

AHEAD_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Flight:
    """What a user has in flight."""

    count: int
    weight: float
    """The mean of its chunks there."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be in flight.

    Attributes:
        capacity: the slots of all processes.
        prefetch: chunks beyond that.
    """

    capacity: int
    prefetch: int = 0

    @property
    def of_all(self) -> int:
        """What all users may have."""
        return self.capacity + self.prefetch

    @property
    def of_one(self) -> int:
        """What one user may have."""
        return max(1, self.capacity - SPARE) + self.prefetch


class Shares:
    """Gives free room away, one chunk at a time, to who has the least in flight for its weight."""

    def __init__(self, room: Room, flying: Mapping[str, Flight], waiting: Iterable[str]) -> None:
        """Begin.

        Args:
            room: how much may be in flight.
            flying: what is, by user.
            waiting: the users with chunks that wait; among equals the first goes first.
        """
        self._of_one = room.of_one
        self.free = max(0, room.of_all - sum(each.count for each in flying.values()))
        self._counts = {user_id: each.count for user_id, each in flying.items()}
        self._line: list[tuple[float, int, str]] = []
        """A heap of the users that may have one more."""
        self._places = 0
        for user_id in waiting:
            flight = flying.get(user_id)
            self.put(user_id, flight.weight if flight else 1.0)

    def put(self, user_id: str, weight: float) -> None:
        """Have a user stand in line, with the weight of its next chunk."""
        count = self.count(user_id)
        if count < self._of_one:
            self._places += 1
            heapq.heappush(self._line, (count / weight, self._places, user_id))

    def next(self) -> str | None:
        """Take out whose turn it is; None if nobody may have anything."""
        if not self.free or not self._line:
            return None
        return heapq.heappop(self._line)[2]

    def give(self, user_id: str) -> None:
        """Count a chunk of a user as in flight."""
        self._counts[user_id] = self.count(user_id) + 1
        self.free -= 1

    def count(self, user_id: str) -> int:
        """Return what a user has in flight."""
        return self._counts.get(user_id, 0)

    def most(self, user_id: str) -> int:
        """Return how many more a user could get."""
        return min(self.free, self._of_one - self.count(user_id))
