"""Whose turn it is, and what happens when no worker comes back."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.engines.local_worker import WorkerSettings
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.model import PageGeometry, RenderedPage


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="ocr-") as name:
        yield Path(name)


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
    pool = EnginePool(settings(folder, start_seconds=2), 1)
    await pool.start()
    try:
        monkeypatch.setattr(sys, "executable", "/bin/false")

        os.kill(pool.worker_pids[0], signal.SIGKILL)
        gone = asyncio.Event()
        pool.on_ready_change = lambda ready: gone.set()
        await asyncio.wait_for(gone.wait(), 5)
        began = time.monotonic()
        reads = [read(pool, page(folder, caller)) for caller in "abcabc"]
        results = await asyncio.gather(*reads, return_exceptions=True)
        assert all(isinstance(result, EngineUnavailable) for result in results)
        # All of them wait for the same worker, not one after another.
        assert time.monotonic() - began < 4
    finally:
        await pool.close()
