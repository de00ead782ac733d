"""Pages read on other machines: the same lines, no more than there is room for, and none lost."""

import asyncio
import socket
from contextlib import aclosing

import pytest

from ocr_grpc.engines.client import Address, EngineClient
from ocr_grpc.engines.deadlines import ON_ANOTHER_MACHINE
from ocr_grpc.engines.errors import PageDropped, PageTimedOut, WorkerBusy
from ocr_grpc.engines.page_read import ReadBegan, ReadTimes
from tests.engines.machines import (
    BLACK,
    files,
    machine,
    page,
    pool,
    read,
    read_at_last,
    until,
    whiten,
)
from tests.processes import free_ports


async def test_a_page_gives_the_same_lines_here_and_there(folder):
    what = page(folder, size=(2000, 1700))  # four chunks
    async with machine(folder) as there, pool(folder, there.port) as remote:
        lines = await read(remote, what)
        assert not files(folder)
    async with pool(folder, local=1) as local:
        expected = await read(local, what)
    assert lines[:-1] == expected[:-1]
    assert lines[0][0].words
    assert isinstance(lines[-1], ReadTimes)


async def test_a_machine_admits_one_page_more_than_it_reads(folder):
    async with (
        machine(folder, engine="hang") as there,
        pool(folder, there.port, engine="hang") as (server),
    ):
        assert server.ready_workers == 1
        held = [asyncio.create_task(read(server, page(folder, BLACK))) for _ in range(4)]
        await until(lambda: len(files(folder)) == 2)
        other = EngineClient(
            Address(f"127.0.0.1:{there.port}"), ON_ANOTHER_MACHINE, shares_spool=False
        )
        with pytest.raises(WorkerBusy):
            [part async for part in other.read(page(folder))]
        await other.close()
        while not all(task.done() for task in held):
            for path in files(folder):
                whiten(path)
            await asyncio.sleep(0.02)
        assert all(len(task.result()) == 5 for task in held)


async def test_a_page_that_kills_its_worker_is_dropped_and_the_machine_stays(folder):
    async with (
        machine(folder, engine="crash") as there,
        pool(folder, there.port, engine="crash") as server,
    ):
        with pytest.raises(PageDropped) as dropped:
            await read(server, page(folder, BLACK))
        assert dropped.value.began
        assert not server.troubles
        assert len(await read(server, page(folder))) == 5


async def test_a_page_that_takes_too_long_there_fails_and_the_machine_stays(folder):
    async with (
        machine(folder, engine="hang") as there,
        pool(folder, there.port, engine="hang") as server,
    ):
        with pytest.raises(PageTimedOut):
            await read(server, page(folder, BLACK, timeout_seconds=1))
        assert not server.troubles
        assert len(await read_at_last(server, page(folder))) == 5


async def test_a_page_that_nobody_wants_any_more_is_stopped_there_too(folder):
    async with (
        machine(folder, engine="hang") as there,
        pool(folder, there.port, engine="hang") as server,
    ):
        async with aclosing(server.parts(page(folder, BLACK))) as parts:
            assert isinstance(await anext(parts), ReadBegan)
        await until(lambda: not files(folder))
        assert len(await read_at_last(server, page(folder))) == 5


async def test_machines_join_and_leave_while_pages_are_read(folder):
    (later,) = free_ports(1)
    async with machine(folder) as first, pool(folder, first.port, later) as server:
        stop = asyncio.Event()
        results = []

        async def read_on() -> None:
            while not stop.is_set():
                results.append(await read(server, page(folder)))

        readers = [asyncio.create_task(read_on()) for _ in range(6)]
        async with machine(folder, engine_port=later, shutdown_grace_seconds=60) as second:
            await until(lambda: server.ready_workers == 2)
            before = len(results)
            await until(lambda: len(results) > before + 20)
            await until(lambda: second.pages)
        assert server.ready_workers == 1
        before = len(results)
        await until(lambda: len(results) > before + 5)
        stop.set()
        await asyncio.gather(*readers)  # none failed, and none was lost
        assert all(len(lines) == 5 for lines in results)


async def test_a_machine_with_another_engine_is_not_used(folder):
    async with (
        machine(folder, engine="empty") as there,
        pool(folder, there.port, start=False) as server,
    ):
        await until(lambda: server.troubles)
        assert "its engine is empty, ours null" in server.troubles[0]
        assert not server.ready_workers


async def test_a_machine_whose_name_is_gone_ends_its_pages_and_is_let_go(folder, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: list(found))
    async with (
        machine(folder, engine="hang") as there,
        pool(folder, there.port, host="engines.example.com", engine="hang") as server,
    ):
        held = asyncio.create_task(read(server, page(folder, BLACK)))
        await until(lambda: there.pages)
        found.clear()
        await until(lambda: not server.ready_workers)
        assert not held.done()
        await until(lambda: files(folder))
        whiten(files(folder)[0])
        assert len(await held) == 5
        found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)))
        assert len(await read(server, page(folder))) == 5
