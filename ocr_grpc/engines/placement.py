"""Which of several workers a page goes to, and what a worker is for that."""

import random
from collections.abc import AsyncGenerator, Iterable
from typing import Protocol, TypeVar

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.page_read import PageRead, ReadBegan, ReadTimes
from ocr_grpc.model import Line


class Placed(Protocol):
    """What tells where the next page goes."""

    @property
    def has_room(self) -> bool:
        """Return whether it may be given a page now."""
        ...

    @property
    def crowding(self) -> tuple[float, int]:
        """Return how busy it is, the pages of others included; the smaller is asked."""
        ...


class Worker(Placed, Protocol):
    """What a pool needs of a worker: a process of this machine, or another machine."""

    in_flight: int
    """How many pages of this pool it has; the pool counts."""

    description: EngineDescription | None
    """What its engine is; None for another machine that is not there."""

    @property
    def slots(self) -> int:
        """Return how many pages it reads at a time; 0 while it cannot be used."""
        ...

    @property
    def capacity(self) -> int:
        """Return how many pages it may be given at a time."""
        ...

    def refused(self) -> None:
        """Hear that it took no page."""
        ...

    def read(self, page: PageRead) -> AsyncGenerator[ReadBegan | list[Line] | ReadTimes]:
        """Yield what is read of a page; see `EngineClient.read`."""
        ...


AnyWorker = TypeVar("AnyWorker", bound=Placed)


def chosen(workers: Iterable[AnyWorker]) -> AnyWorker | None:
    """Return the less busy of two workers at random, of those that have room.

    Where several servers share a fleet, each asking the least busy of all would have them all ask
    the same one, as what they know is a little old. Source: Mitzenmacher, The Power of Two Choices
    in Randomized Load Balancing, IEEE TPDS 12(10), 2001.
    """
    roomy = [worker for worker in workers if worker.has_room]
    # A page does not wait behind another one while somebody is free.
    free = [worker for worker in roomy if worker.crowding[0] < 1] or roomy
    pair = random.sample(free, min(2, len(free)))
    return min(pair, key=lambda worker: worker.crowding, default=None)
