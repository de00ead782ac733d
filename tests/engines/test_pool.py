"""Whose turn it is, and what happens when no worker comes back."""

import asyncio
import os
import signal
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.errors import EngineUnavailable, PageTimedOut, WorkerLost
from ocr_grpc.engines.local_worker import WorkerSettings
from ocr_grpc.engines.page_read import PageRead, ReadBegan, ReadTimes
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.model import PageGeometry, RenderedPage
from tests.engines import machines
from tests.engines.machines import BLACK


def settings(folder: Path, start_seconds: float = 30) -> WorkerSettings:
    return WorkerSettings(EngineChoice("null"), folder, folder, 2**31, start_seconds)


def page(folder: Path, caller: str = "a") -> PageRead:
    path = folder / "page"
    path.write_bytes(bytes(100))
    rendered = RenderedPage(path, PageGeometry(10, 10, 0), 1)
    return PageRead(rendered, ReadOptions(), caller, "e", 1, 10)


async def read(pool: EnginePool, what: PageRead) -> list:
    async with aclosing(pool.read(what)) as parts:
        return [part async for part in parts]


async def test_pages_are_read_by_whoever_is_free(folder):
    pool = EnginePool(settings(folder), 2)
    await pool.start()
    try:
        results = await asyncio.gather(*(read(pool, page(folder)) for _ in range(10)))
    finally:
        await pool.close()
    assert all(isinstance(parts[-1], ReadTimes) for parts in results)


async def test_a_pool_whose_workers_cannot_start_says_so(folder, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineUnavailable):
        await EnginePool(settings(folder, start_seconds=0.5), 1).start()


async def test_pages_that_wait_are_told_when_no_worker_comes_back(folder, monkeypatch):
    pool = EnginePool(settings(folder, start_seconds=5), 1)
    await pool.start()
    try:
        monkeypatch.setattr(sys, "executable", "/bin/false")

        os.kill(pool.worker_pids[0], signal.SIGKILL)
        gone = asyncio.Event()
        pool.on_ready_change = lambda ready: gone.set()
        await asyncio.wait_for(gone.wait(), 30)
        began = time.monotonic()
        reads = [read(pool, page(folder, caller)) for caller in "abcabc"]
        results = await asyncio.gather(*reads, return_exceptions=True)
        assert all(isinstance(result, EngineUnavailable) for result in results)
        # All of them wait for the same worker, not one after another.
        assert time.monotonic() - began < 9
    finally:
        await pool.close()


async def test_a_worker_that_does_not_answer_is_lost_and_its_page_can_be_read_again(folder):
    async with machines.pool(folder, engine="hang", local=1) as pool:
        stopped = pool.worker_pids[0]
        parts = pool.parts(machines.page(folder, BLACK, timeout_seconds=2))
        assert isinstance(await anext(parts), ReadBegan)
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(WorkerLost) as lost:
            [part async for part in parts]
        assert lost.value.began
        assert len(await machines.read_at_last(pool, machines.page(folder))) == 5
        assert pool.worker_pids != [stopped]


async def test_a_worker_that_was_stopped_before_its_page_says_nothing_about_the_page(folder):
    async with machines.pool(folder, local=1) as pool:
        os.kill(pool.worker_pids[0], signal.SIGSTOP)
        with pytest.raises(WorkerLost) as lost:
            await read(pool, machines.page(folder, timeout_seconds=1))
        assert not lost.value.began
        assert len(await machines.read_at_last(pool, machines.page(folder))) == 5


async def test_a_page_over_which_the_engine_hangs_has_itself_to_blame(folder):
    async with machines.pool(folder, engine="hang", local=1) as pool:
        with pytest.raises(PageTimedOut):
            await read(pool, machines.page(folder, BLACK, timeout_seconds=1))


async def test_a_worker_that_grows_far_beyond_its_bound_is_ended_while_it_reads(folder):
    small = WorkerSettings(EngineChoice("hang"), folder, folder, 2**20, 120)
    pool = EnginePool(small, 1)
    await pool.start()
    try:
        began = False
        while not began:  # unless it was ended before the page came
            with pytest.raises(WorkerLost) as lost:
                await read(pool, machines.page(folder, BLACK))
            began = lost.value.began
    finally:
        await pool.close()


async def test_pools_of_two_engines_share_a_folder(folder):
    async with (
        machines.pool(folder, engine="null", local=1) as one,
        machines.pool(folder, engine="empty", local=1) as other,
    ):
        assert len(await read(one, machines.page(folder))) == 5
        assert len(await read(other, machines.page(folder))) == 1


async def test_a_worker_that_fails_in_a_new_way_is_started_again(folder, monkeypatch):
    pool = EnginePool(settings(folder, start_seconds=120), 1)
    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(sys, "executable", 7)  # no program has a number for a name
        starting = asyncio.create_task(pool.start())
        await machines.until(lambda: "engine_worker_failed" in [log["event"] for log in logs])
    try:
        await starting
        assert len(await machines.read_at_last(pool, machines.page(folder))) == 5
    finally:
        await pool.close()
