"""A thread with an event loop, for those who have none."""

import asyncio
import atexit
import concurrent.futures
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import aclosing, suppress
from typing import Any, Generic, TypeVar

from .calls import CLOSED

T = TypeVar("T")

HANDED_OVER = 16
"""How many events wait for their reader at most; then the stream does."""


class Portal:
    """Runs coroutines in a thread of its own.

    All synchronous clients of a process share one: gRPC's asyncio logs errors that mean nothing
    when several event loops run at once. The thread ends with the last of the clients.
    """

    # Collecting garbage closes generators, at any moment and so under the lock, too.
    _lock = threading.RLock()
    _shared: "Portal | None" = None

    def __init__(self) -> None:
        self._users = 0
        self._ended = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ocr-grpc-client", daemon=True)

    @classmethod
    def enter(cls) -> "Portal":
        """Return the portal of this process. Whoever got it calls `leave` once."""
        with cls._lock:
            if cls._shared is None:
                cls._shared = cls()
                cls._shared._thread.start()
                # Generators that are left open wait for the thread when the interpreter ends.
                atexit.register(cls._shared._end_at_exit)
            cls._shared._users += 1
            return cls._shared

    def leave(self) -> None:
        """Give the portal back."""
        with self._lock:
            self._users -= 1
            is_last = self._users == 0 and self._retire()
        if is_last:
            self._end()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end. An interrupt cancels it.

        Raises:
            RuntimeError: the portal has ended.
        """
        with self._lock:
            if self._ended:
                work.close()
                raise RuntimeError(CLOSED)
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            if self._ended:
                raise RuntimeError(CLOSED) from None
            raise
        finally:
            future.cancel()  # changes nothing in one that has ended

    def iterate(self, events: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """Yield what an asynchronous generator does, a bounded number ahead; closing closes it."""
        hand_over = _HandOver(events)
        try:
            while taken := self.run(hand_over.take()):
                yield from taken
        finally:
            # Garbage is collected in any thread, even in this one.
            if threading.current_thread() is self._thread:
                hand_over.cancel()
            else:
                with suppress(RuntimeError):  # ended, and with it everything in it
                    self.run(hand_over.close())

    def _end_at_exit(self) -> None:
        with self._lock:
            is_open = self._retire()
        if is_open:
            self._end()

    def _retire(self) -> bool:
        """Take no more work; return whether it did. The lock is held."""
        was_open, self._ended = not self._ended, True
        if type(self)._shared is self:
            type(self)._shared = None
        return was_open

    def _end(self) -> None:
        atexit.unregister(self._end_at_exit)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(_cancel_others())
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
            self._task.add_done_callback(_seen)  # whoever left it open does not look
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


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _seen(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()
