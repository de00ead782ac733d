"""The thread behind the synchronous client."""

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator

import pytest

from ocr_grpc_client.portal import HANDED_OVER, Portal


@pytest.fixture
def portal():
    portal = Portal.enter()
    yield portal
    portal.leave()


class Numbers:
    """Counts, and tells how far it came and whether it was closed."""

    def __init__(self, end: int = 10**9) -> None:
        self.end, self.reached, self.closed = end, 0, threading.Event()

    async def generate(self) -> AsyncGenerator[int, None]:
        try:
            while self.reached < self.end:
                self.reached += 1
                yield self.reached
                await asyncio.sleep(0)
        finally:
            self.closed.set()


def test_everything_comes_in_its_order(portal):
    assert list(portal.iterate(Numbers(1000).generate())) == list(range(1, 1001))


def test_a_slow_reader_slows_the_generator(portal):
    numbers = Numbers()
    events = portal.iterate(numbers.generate())
    for _ in range(100):
        next(events)
    assert numbers.reached <= 100 + 2 * HANDED_OVER + 1
    events.close()
    assert numbers.closed.is_set()


def test_leaving_the_loop_closes_the_generator(portal):
    numbers = Numbers()
    for _ in portal.iterate(numbers.generate()):
        break
    gc.collect()
    assert numbers.closed.wait(10)


def test_what_came_before_an_error_is_not_lost(portal):
    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise ValueError("no more")

    events = portal.iterate(broken())
    assert (next(events), next(events)) == (1, 2)
    with pytest.raises(ValueError, match="no more"):
        next(events)


def test_a_generator_that_waits_is_closed_all_the_same(portal):
    closed = threading.Event()

    async def waiting() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    events = portal.iterate(waiting())
    assert next(events) == 1
    events.close()
    assert closed.is_set()


def test_whoever_waits_when_the_last_client_leaves_is_told():
    portal = Portal.enter()
    waits, told = threading.Event(), []

    async def waiting() -> AsyncGenerator[int, None]:
        yield 1
        waits.set()
        await asyncio.Event().wait()

    events, left_open = portal.iterate(waiting()), portal.iterate(Numbers().generate())
    next(left_open)

    def read() -> None:
        try:
            list(events)
        except RuntimeError as error:
            told.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    assert waits.wait(10)
    portal.leave()
    reader.join(10)
    assert told == ["The client is closed."]
    left_open.close()
    with pytest.raises(RuntimeError, match="closed"):
        portal.run(asyncio.sleep(0))


def test_the_thread_ends_with_its_last_user():
    first, second = Portal.enter(), Portal.enter()
    assert first is second
    first.leave()
    assert second.run(asyncio.sleep(0, "alive")) == "alive"
    second.leave()
    names = [thread.name for thread in threading.enumerate()]
    assert "ocr-grpc-client" not in names
