"""Work that may block, away from the event loop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run what may wait for long, or for ever, in a thread of its own.

    asyncio's own threads are few, so sources that wait would keep all others waiting; and programs
    wait for them before they end. Whoever is cancelled here leaves the thread to itself.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            report(done.set_exception, error)
        else:
            report(done.set_result, result)

    def report(tell: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(lambda: done.done() or tell(what))

    begin(run)
    return await done


def begin(work: Callable[[], object]) -> None:
    """Run something in a thread, and do not wait for it."""
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="ocr-grpc-source", daemon=True).start()
