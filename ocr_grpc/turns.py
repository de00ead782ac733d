"""Whose turn it is among several that wait, each as often as its weight says."""

import heapq
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)

_STRIDE_OF_ONE = 1 << 20
_FEW = 64
"""So few left-overs are not worth a sweep."""


def stride(weight: float) -> int:
    """Return how far one turn of this weight moves its owner back, in virtual time.

    Whole numbers, so that equal shares stay equal however many turns there were.

    Raises:
        ValueError: the weight is not above 0.
    """
    if not weight > 0:
        raise ValueError(f"A weight must be above 0, not {weight}.")
    return max(1, round(_STRIDE_OF_ONE / weight))


class Turn(NamedTuple):
    """When somebody is next; the smallest is first.

    Attributes:
        at: in virtual time.
        joined: who came first, among those with the same time.
    """

    at: int
    joined: int

    def after(self, strides: int) -> "Turn":
        """Return the turn so much virtual time later."""
        return Turn(self.at + strides, self.joined)


class Turns(Generic[Key]):
    """The order of turns among those that want one. Each step is O(log n).

    Who takes a turn moves back by its stride, the inverse of its weight. Who comes anew is next,
    together with whoever is served now: being away saves nothing up. Who comes back at once is not
    moved forward by it, nor back: it has the turn that it had.

    Source: strides from Waldspurger and Weihl, Stride Scheduling, MIT/LCS/TM-528, 1995; the virtual
    time of those who come and go from Goyal, Vin and Cheng, Start-time Fair Queueing, SIGCOMM 1996:
    it is the time of the last turn that was taken.
    """

    def __init__(self) -> None:
        self._now = 0
        self._joined = 0
        self._present: dict[Key, Turn] = {}
        # Entries whose turn is no longer the present one of their key are dead, and dropped late.
        self._heap: list[tuple[Turn, Key]] = []
        self._paused: dict[Key, Turn] = {}
        # The turns that those had who left; one that has passed means nothing any more.
        self._left: dict[Key, Turn] = {}
        self._sweep_at = _FEW

    def __len__(self) -> int:
        """Return how many want a turn."""
        return len(self._present)

    def turn(self, key: Key) -> Turn:
        """Return when somebody has its next turn, who must be present."""
        return self._present[key]

    def join(self, key: Key) -> None:
        """Let somebody have turns, anew or after a pause; nothing happens if it has already."""
        if key not in self._present:
            self._put(key, self._turn_of_comer(key))

    def pause(self, key: Key) -> None:
        """Pass somebody over until it joins. Its turn stays, but those that it misses are lost."""
        if key not in self._paused:
            self._paused[key] = self._present.pop(key, None) or self._turn_of_comer(key)

    def leave(self, key: Key) -> None:
        """Let somebody have no more turns; nothing happens if it has none."""
        turn = self._present.pop(key, None) or self._paused.pop(key, None)
        if turn is not None and turn.at > self._now:
            self._left[key] = turn
            self._forget_the_past()

    def next(self) -> Key | None:
        """Return whose turn it is, None if nobody wants one."""
        while self._heap:
            turn, key = self._heap[0]
            if self._present.get(key) == turn:
                return key
            heapq.heappop(self._heap)
        return None

    def took(self, key: Key, weight: float = 1.0) -> None:
        """Say that somebody present had its turn; it stays, for its next one."""
        turn = self._present[key]
        self._now = max(self._now, turn.at)
        self._put(key, turn.after(stride(weight)))

    def _turn_of_comer(self, key: Key) -> Turn:
        turn = self._paused.pop(key, None) or self._left.pop(key, None)
        if turn is None or turn.at < self._now:
            self._joined += 1
            return Turn(self._now, self._joined)
        return turn

    def _put(self, key: Key, turn: Turn) -> None:
        self._present[key] = turn
        if len(self._heap) > 2 * len(self._present) + _FEW:
            # Those who come and leave behind one who never has its turn would pile up.
            self._heap = [(turn, key) for key, turn in self._present.items()]
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, (turn, key))

    def _forget_the_past(self) -> None:
        if len(self._left) >= self._sweep_at:
            self._left = {key: turn for key, turn in self._left.items() if turn.at > self._now}
            self._sweep_at = max(_FEW, 2 * len(self._left))
