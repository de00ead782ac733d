"""Runs a blocking engine on one thread and hands its lines to the event loop as they come."""

import asyncio
import resource
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter, process_time
from typing import Self

from ocr_grpc.engines.engine import Engine, EngineDescription, PageImage, ReadCancelled, ReadOptions
from ocr_grpc.engines.page_read import ReadTimes
from ocr_grpc.model import Line

STOP_SECONDS = 2.0
"""How long a cancelled engine may take to notice; it promises half a second."""


class EngineStuck(Exception):
    """The engine did not stop when told to; only the end of its process will stop it."""


class EngineThread:
    """One engine on one thread. Reads of several callers at once would wait for each other.

    The lines of a page wait in an unbounded queue: they are bounded by the page, and an engine must
    never wait for a slow reader of its results.
    """

    def __init__(self, engine: Engine, executor: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._executor = executor

    @classmethod
    async def load(cls, load: Callable[[], Engine]) -> Self:
        """Load an engine on the thread that it will read on, as engines may demand."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="engine")
        engine = await asyncio.get_running_loop().run_in_executor(executor, load)
        return cls(engine, executor)

    @property
    def description(self) -> EngineDescription:
        """Return what the engine is."""
        return self._engine.describe()

    async def read(
        self, page: PageImage, options: ReadOptions
    ) -> AsyncGenerator[list[Line] | ReadTimes, None]:
        """Yield the batches of lines of a page, and at last what it took.

        Closing the iterator early stops the engine and waits until it has stopped.

        Raises:
            EngineStuck: it did not stop.
        """
        cancellation = threading.Event()
        loop = asyncio.get_running_loop()
        batches: asyncio.Queue[list[Line] | None] = asyncio.Queue()

        def work() -> ReadTimes:
            wall, cpu = perf_counter(), _processor_seconds()
            try:
                for lines in self._engine.read(page, options, cancellation):
                    loop.call_soon_threadsafe(batches.put_nowait, lines)
            finally:
                loop.call_soon_threadsafe(batches.put_nowait, None)
            return ReadTimes(
                perf_counter() - wall, _processor_seconds() - cpu, self._engine.alphabet(options)
            )

        reading = self._executor.submit(work)
        try:
            while (lines := await batches.get()) is not None:
                yield lines
            yield await asyncio.wrap_future(reading)
        finally:
            cancellation.set()
            await _stopped(reading)


def _processor_seconds() -> float:
    """Return what this process has used, with programs that it ran and that ended.

    That of the thread would leave out what a runtime computes on threads of its own.
    """
    programs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + programs.ru_utime + programs.ru_stime


async def _stopped(reading: Future[ReadTimes]) -> None:
    """Wait until the engine has left the page.

    Shielded, because a second cancellation must not let the next page in beside this one.
    """
    done = asyncio.wrap_future(reading)
    # If this is cancelled nobody waits for it any more, and that is no news.
    done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        await asyncio.wait_for(asyncio.shield(done), STOP_SECONDS)
    except TimeoutError:
        raise EngineStuck from None
    except ReadCancelled:
        pass
    except Exception:  # noqa: S110 - a failed read was raised to the reader of the iterator
        pass
