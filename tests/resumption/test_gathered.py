"""What comes while something is done waits, in order and within bounds."""

import asyncio

import pytest

from ocr_grpc.resumption.gathered import gathered


class Source:
    """Yields numbers, and says how far it came."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.given = 0
        self.closed = False
        self._count, self._error = count, error

    async def numbers(self):
        try:
            for number in range(self._count):
                self.given = number + 1
                yield number
                if number % 3 == 0:
                    await asyncio.sleep(0)
            if self._error:
                raise self._error
        finally:
            self.closed = True


async def test_everything_comes_once_and_in_order():
    batches = [batch async for batch in gathered(Source(100).numbers(), 8)]
    assert [number for batch in batches for number in batch] == list(range(100))
    assert all(batches)
    assert max(map(len, batches)) > 1


async def test_a_slow_consumer_holds_the_source_back():
    source = Source(1_000)
    batches = gathered(source.numbers(), 8)
    first = await anext(batches)
    for _ in range(100):
        await asyncio.sleep(0)
    assert source.given <= len(first) + 8
    await batches.aclose()
    assert source.closed


async def test_an_error_comes_after_what_came_before_it():
    numbers = []

    async def take() -> None:
        async for batch in gathered(Source(5, ValueError("broken")).numbers(), 2):
            numbers.extend(batch)

    with pytest.raises(ValueError, match="broken"):
        await take()
    assert numbers == [0, 1, 2, 3, 4]


async def test_nothing_at_all_is_nothing():
    assert [batch async for batch in gathered(Source(0).numbers(), 8)] == []
