"""Runs a service until the process is told to stop."""

import asyncio
import os
import signal
from typing import Protocol

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Service(Protocol):
    """What a process is for."""

    async def start(self) -> None:
        """Start; cancelled, it leaves nothing behind."""
        ...

    async def stop(self) -> None:
        """Let what is under way end, and close everything."""
        ...


async def run_until_stopped(
    service: Service, most_seconds: float, on_ready: "asyncio.Future[None] | None" = None
) -> None:
    """Run a service until SIGTERM or SIGINT.

    Args:
        service: started and stopped here.
        most_seconds: what stopping may take before the process just ends.
        on_ready: gets a result once it is started; never if it is stopped before.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    if not await _started_before(stop, service, most_seconds):
        return
    if on_ready:
        on_ready.set_result(None)
    await stop.wait()
    _end_within(most_seconds)
    await service.stop()


def _end_within(most_seconds: float) -> None:
    """Have the process just end at a second signal, or after a while, whatever hangs."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, os._exit, 1)
    loop.call_later(most_seconds, os._exit, 1)


async def _started_before(stop: asyncio.Event, service: Service, most_seconds: float) -> bool:
    """Start, unless told to stop meanwhile: loading engines takes seconds."""
    starting = asyncio.create_task(service.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    if not starting.done():
        _end_within(most_seconds)
        starting.cancel()
        await asyncio.wait({starting})
        return False
    await starting
    return True


async def cancelled(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait until it has ended; for exit stacks."""
    task.cancel()
    await asyncio.wait({task})
