"""A thread with an event loop, for those who have none."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import aclosing
from typing import Any, Generic, TypeVar

T = TypeVar("T")

HANDED_OVER = 16
"""How many events wait for their reader at most; then the stream does."""


class Portal:
    """Runs coroutines in a thread of its own.

    All synchronous clients of a process share one: gRPC's asyncio logs errors that mean nothing
    when several event loops run at once. The thread ends with the last of the clients.
    """

    _lock = threading.Lock()
    _shared: "Portal | None" = None

    def __init__(self) -> None:
        self._users = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ocr-grpc-client", daemon=True)

    @classmethod
    def enter(cls) -> "Portal":
        """Return the portal of this process. Whoever got it calls `leave` once."""
        with cls._lock:
            if cls._shared is None:
                cls._shared = cls()
                cls._shared._thread.start()
            cls._shared._users += 1
            return cls._shared

    def leave(self) -> None:
        """Give the portal back."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            type(self)._shared = None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end. An interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()  # changes nothing in one that has ended

    def iterate(self, events: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """Yield what an asynchronous generator does, a bounded number ahead; closing closes it."""
        hand_over = _HandOver(events)
        try:
            while taken := self.run(hand_over.take()):
                yield from taken
        finally:
            if (
                threading.current_thread() is self._thread
            ):  # collected as garbage, of all places here
                hand_over.cancel()
            else:
                self.run(hand_over.close())

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


class _HandOver(Generic[T]):
    """A bounded queue between a generator, which a task runs, and its reader."""

    def __init__(self, events: AsyncGenerator[T, None]) -> None:
        self._events = events
        self._queue: asyncio.Queue[T] = asyncio.Queue(HANDED_OVER)
        self._task: asyncio.Task[None] | None = None

    async def take(self) -> list[T]:
        """Return what has come, at least one; nothing at the end.

        Raises:
            BaseException: what the generator raised, after all that came before.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        if self._queue.empty() and not self._task.done():
            getting = asyncio.create_task(self._queue.get())
            try:
                await asyncio.wait([getting, self._task], return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    return [getting.result(), *self._waiting()]
            finally:
                getting.cancel()
        return self._waiting() or await self._end()

    def cancel(self) -> None:
        """Have the generator closed, without waiting for it."""
        if self._task:
            self._task.cancel()

    async def close(self) -> None:
        """Close the generator."""
        self.cancel()
        if self._task:
            await asyncio.wait([self._task])
        await self._events.aclose()

    async def _run(self) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                await self._queue.put(event)

    def _waiting(self) -> list[T]:
        taken: list[T] = []
        while not self._queue.empty():
            taken.append(self._queue.get_nowait())
        return taken

    async def _end(self) -> list[T]:
        """Wait for the end of the generator and raise what it raised."""
        if self._task:
            await self._task
        return self._waiting()
