"""Reads several pages of a document at once and merges their events into one stream."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from typing import cast

from ocr_grpc.extraction.events import Event, PageFinished

LOOK_SECONDS = 1.0
"""How long workers that joined may go unused by a document of which no page ends."""


async def merged(
    page_numbers: Iterable[int],
    read_page: Callable[[int], AsyncGenerator[Event, None]],
    pages_at_once: Callable[[], int],
    interrupted: asyncio.Future[Exception],
) -> AsyncGenerator[Event, None]:
    """Yield the events of all pages as they happen.

    A page begins only when the consumer has taken the last event of an earlier one, so at most
    `pages_at_once` pages of events exist, and a slow consumer slows the work. The pages under way
    run to their end all the same: a slow consumer must not hold a worker. The number is asked for
    before each page, as workers come and go while a long document is read.

    When `interrupted` is done, the stream ends with the error that is its result.

    Closing the iterator early cancels all reading and waits until it has stopped.
    """
    window = _Window(pages_at_once)
    arrivals = _Arrivals()

    async def read(page_number: int) -> None:
        async with aclosing(read_page(page_number)) as events:
            async for event in events:
                arrivals.put(event)

    async def feed() -> None:
        async with asyncio.TaskGroup() as group:
            for page_number in page_numbers:
                await window.enter()
                group.create_task(read(page_number))

    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            arrivals.put(RuntimeError("The reading of the pages was cancelled from outside."))
            return
        error = task.exception()
        while isinstance(error, BaseExceptionGroup):
            # One page's error ends all; those of the others are its consequences.
            error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
        arrivals.put(error)

    def interrupt(error: asyncio.Future[Exception]) -> None:
        if not error.cancelled():
            arrivals.put(error.result())

    feeder = asyncio.create_task(feed())
    feeder.add_done_callback(ended)
    interrupted.add_done_callback(interrupt)
    try:
        while (event := await arrivals.take()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event
            if isinstance(event, PageFinished):
                window.leave()
    finally:
        interrupted.remove_done_callback(interrupt)
        feeder.cancel()
        await asyncio.gather(feeder, return_exceptions=True)


class _Signal:
    """Wakes the one who waits. An `asyncio.Event` takes most of a kilobyte for its waiters alone,
    and of all streams that wait there are thousands.
    """

    __slots__ = ("_waiter",)

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None

    def wait(self) -> asyncio.Future[None]:
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def give(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


class _Arrivals:
    """A queue of what came of the pages. Unbounded, but never more than the events of all pages
    that are under way.
    """

    __slots__ = ("_came", "_new", "_old")

    def __init__(self) -> None:
        self._new: list[Event | BaseException | None] = []
        self._old: list[Event | BaseException | None] = []
        """The last is the oldest."""
        self._came = _Signal()

    def put(self, item: Event | BaseException | None) -> None:
        self._new.append(item)
        self._came.give()

    async def take(self) -> Event | BaseException | None:
        if not self._old:
            if not self._new:
                await self._came.wait()
            self._old, self._new = self._new[::-1], []
        return self._old.pop()


class _Window:
    """Lets so many pages be under way as there may be at the moment."""

    __slots__ = ("_left", "_size", "_under_way")

    def __init__(self, size: Callable[[], int]) -> None:
        self._size = size
        self._under_way = 0
        self._left = _Signal()

    async def enter(self) -> None:
        while self._under_way >= self._size():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), LOOK_SECONDS)
        self._under_way += 1

    def leave(self) -> None:
        self._under_way -= 1
        self._left.give()
