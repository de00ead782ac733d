"""Many pages before one server: turns, and leaving it alone when it is down."""

import asyncio

from ocr_grpc.engines.vlm.errors import UpstreamUnavailable
from tests.engines.vlm.answers import hangs, refuses, writes
from tests.engines.vlm.server import Exchange, ModelServer, serving
from tests.engines.vlm.support import a_read, engine_for, outcome, until, until_ready

DOWN = refuses("down", 503)


def short_pause(server: ModelServer):
    return engine_for(server, failures=1, pause_seconds=0.001)


async def test_no_more_pages_are_with_the_server_than_it_takes(tmp_path):
    busy, most = 0, 0
    two = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        if busy == 2:
            two.set()
        await two.wait()
        busy -= 1
        await writes("text")(exchange)

    async with serving(answer) as server, engine_for(server, llm_concurrency=2) as vlm:
        reads = await asyncio.gather(*(outcome(vlm, a_read(tmp_path)) for _ in range(6)))
    assert all(read.text == "text" for read in reads)
    assert most == 2


async def test_callers_take_turns(tmp_path):
    """One with many pages does not hold up another with one."""
    order: list[str] = []
    go = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        order.append(str(exchange.call.body["messages"]))
        await go.wait()
        await writes("text")(exchange)

    async with serving(answer) as server, engine_for(server, llm_concurrency=1) as vlm:
        reads = [
            asyncio.create_task(outcome(vlm, a_read(tmp_path, caller="many", prompt=f"many {n}")))
            for n in range(4)
        ]
        await server.called()
        reads.append(
            asyncio.create_task(outcome(vlm, a_read(tmp_path, caller="one", prompt="one")))
        )
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*reads)
    assert ["one" in asked for asked in order].index(True) <= 2


async def test_a_server_that_keeps_failing_is_left_alone(tmp_path):
    async with serving(DOWN) as server, engine_for(server, failures=3) as vlm:
        for _ in range(3):
            assert isinstance((await outcome(vlm, a_read(tmp_path))).error, UpstreamUnavailable)
        assert vlm.ready_workers == 0
        read = await outcome(vlm, a_read(tmp_path))
        assert isinstance(read.error, UpstreamUnavailable)
        assert read.error.spent.attempts == 0
        assert len(server.calls) == 3


async def test_a_server_that_is_left_alone_is_not_tried_again_within_a_page(tmp_path):
    async with serving(DOWN) as server, engine_for(server, failures=1, llm_retries=5) as vlm:
        read = await outcome(vlm, a_read(tmp_path))
        assert isinstance(read.error, UpstreamUnavailable)
        assert read.error.spent.attempts == 1
        assert len(server.calls) == 1


async def test_all_failures_of_one_page_count_as_one(tmp_path):
    busy = refuses("busy", 503, retry_after="0")
    async with serving(busy) as server, engine_for(server, failures=2, llm_retries=2) as vlm:
        await outcome(vlm, a_read(tmp_path))
        assert len(server.calls) == 3
        assert vlm.ready_workers == 16
        await outcome(vlm, a_read(tmp_path))
        assert vlm.ready_workers == 0


async def test_pages_that_a_server_fails_on_keep_nobody_else_from_it(tmp_path):
    fails = refuses("images_crop dim[2] expected 1024, got 640", 500, retry_after="0")
    async with serving(fails) as server, engine_for(server, failures=1, llm_retries=1) as vlm:
        for _ in range(2):
            assert isinstance((await outcome(vlm, a_read(tmp_path))).error, UpstreamUnavailable)
        assert vlm.ready_workers == 16
        server.answers = [writes("text")]
        assert (await outcome(vlm, a_read(tmp_path))).text == "text"


async def test_a_page_that_a_server_fails_on_shows_that_it_is_back(tmp_path):
    async with serving(DOWN, refuses("oops", 500)) as server, short_pause(server) as vlm:
        await outcome(vlm, a_read(tmp_path))
        await until_ready(vlm)
        await outcome(vlm, a_read(tmp_path))
        assert vlm.ready_workers == 16


async def test_one_page_tries_whether_the_server_is_back(tmp_path):
    back = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await back.wait()
        await writes("text")(exchange)

    async with serving(DOWN, answer) as server, short_pause(server) as vlm:
        await outcome(vlm, a_read(tmp_path))
        await until_ready(vlm)
        trying = asyncio.create_task(outcome(vlm, a_read(tmp_path)))
        await server.called(2)
        assert isinstance((await outcome(vlm, a_read(tmp_path))).error, UpstreamUnavailable)
        assert len(server.calls) == 2
        back.set()
        assert (await trying).text == "text"
        assert vlm.ready_workers == 16
        assert (await outcome(vlm, a_read(tmp_path))).text == "text"


async def test_a_page_whose_caller_goes_leaves_the_next_one_to_try(tmp_path):
    async with serving(DOWN, hangs(), writes("text")) as server, short_pause(server) as vlm:
        await outcome(vlm, a_read(tmp_path))
        await until_ready(vlm)
        trying = asyncio.create_task(outcome(vlm, a_read(tmp_path)))
        call = await server.called(2)
        assert vlm.ready_workers == 0
        trying.cancel()
        await until(call.hung_up)
        await asyncio.wait({trying})
        assert vlm.ready_workers == 1
        assert (await outcome(vlm, a_read(tmp_path))).text == "text"


async def test_a_server_that_refuses_single_pages_is_not_down(tmp_path):
    async with serving(refuses("bad image")) as server, engine_for(server, failures=1) as vlm:
        for _ in range(3):
            await outcome(vlm, a_read(tmp_path))
        assert vlm.ready_workers == 16
        assert len(server.calls) == 6
