"""The model's server learns at once that nobody wants its answer any more."""

import asyncio
from contextlib import aclosing

import pytest

from tests.engines.vlm.answers import (
    hangs,
    writes_counting,
)
from tests.engines.vlm.server import serving
from tests.engines.vlm.support import (
    a_read,
    engine_for,
    outcome,
    until,
)


@pytest.mark.parametrize(
    "slow",
    [hangs(head=False), hangs(), hangs(after=("Some",)), writes_counting("a ", "b ")],
    ids=["before-the-answer", "before-the-first-token", "amid-the-text", "while-text-comes"],
)
async def test_the_server_is_hung_up_when_the_caller_goes(tmp_path, slow):
    async with serving(slow) as server, engine_for(server) as vlm:
        before = asyncio.all_tasks()
        reading = asyncio.create_task(outcome(vlm, a_read(tmp_path)))
        call = await server.called()
        reading.cancel()
        await asyncio.wait({reading})
        assert reading.cancelled()
        await until(call.hung_up)
        await until(call.ended)
        await asyncio.sleep(0)
        left = {task for task in asyncio.all_tasks() - before if "server.py" not in repr(task)}
        assert not left
        assert vlm.ready_workers == 16, "Who hangs up says nothing about the server."


async def test_the_server_is_hung_up_when_nobody_reads_on(tmp_path):
    async with serving(hangs(after=("Some text.\n\n",))) as server, engine_for(server) as vlm:
        async with aclosing(vlm.read(a_read(tmp_path))) as parts:
            await anext(parts)
        await until(server.calls[0].hung_up)


async def test_closing_the_engine_hangs_up_all_calls(tmp_path):
    async with serving(hangs()) as server:
        async with engine_for(server) as vlm:
            reading = asyncio.create_task(outcome(vlm, a_read(tmp_path)))
            call = await server.called()
        await until(call.hung_up)
        assert (await reading).error
