"""How the events of several pages become one stream."""

import asyncio
from contextlib import aclosing

import pytest

from ocr_grpc.extraction.events import Delta, PageFinished, PageOutcome, Provenance
from ocr_grpc.extraction.options import Mode
from ocr_grpc.extraction.page_stream import merged


def merge(numbers, read, pages_at_once, interrupted=None):
    never = asyncio.get_running_loop().create_future()
    return merged(numbers, read, lambda: pages_at_once, interrupted or never)


class Pages:
    """Pages of three deltas that count how many of them are under way."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.open = 0
        self.most_open = 0

    async def read(self, number):
        self.begun.append(number)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            for part in "abc":
                await asyncio.sleep(0.001)
                yield Delta(number, part, ())
            yield PageFinished(number, PageOutcome.OK, Provenance(Mode.AUTO))
        finally:
            self.open -= 1


async def test_the_events_of_each_page_stay_in_order():
    stream = merge(range(1, 8), Pages().read, 3)
    events = [event async for event in stream]
    for number in range(1, 8):
        own = [event for event in events if event.page_number == number]
        assert [event.text for event in own] == ["a", "b", "c", ""]
        assert isinstance(own[-1], PageFinished)


async def test_no_more_pages_are_under_way_than_allowed():
    pages = Pages()
    assert len([event async for event in merge(range(1, 20), pages.read, 3)]) == 19 * 4
    assert pages.most_open == 3


async def test_a_slow_consumer_stops_new_pages_and_not_those_under_way():
    pages = Pages()
    async with aclosing(merge(range(1, 100), pages.read, 4)) as stream:
        await anext(stream)
        await asyncio.sleep(0.1)
        assert pages.begun == [1, 2, 3, 4]
        assert pages.open == 0


async def test_closing_early_stops_every_page():
    pages = Pages()
    async with aclosing(merge(range(1, 100), pages.read, 4)) as stream:
        await anext(stream)
        assert pages.open
    assert pages.open == 0


async def test_an_unexpected_error_of_a_page_ends_the_stream_and_the_other_pages():
    pages = Pages()

    async def read(number):
        if number == 2:
            raise ZeroDivisionError
        async for event in pages.read(number):
            yield event

    with pytest.raises(ZeroDivisionError):
        [event async for event in merge(range(1, 100), read, 4)]
    assert pages.open == 0


async def test_an_interruption_ends_the_stream_with_its_error():
    pages, interrupted = Pages(), asyncio.get_running_loop().create_future()
    stream = merge(range(1, 100), pages.read, 4, interrupted)
    await anext(stream)
    interrupted.set_result(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        [event async for event in stream]
    assert pages.open == 0


async def test_workers_that_join_are_used_by_a_document_that_is_under_way():
    window, pages = [2], Pages()
    never = asyncio.get_running_loop().create_future()
    async with aclosing(merged(range(1, 41), pages.read, lambda: window[0], never)) as events:
        async for event in events:
            if isinstance(event, PageFinished) and event.page_number == 4:
                assert pages.most_open <= 2
                window[0] = 8
    assert pages.most_open > 4
