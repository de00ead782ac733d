"""What a worker admits, whom it lets in first, and what it tells of itself."""

import asyncio
from contextlib import ExitStack, aclosing

import pytest

from ocr_grpc.engines.errors import WorkerBusy
from ocr_grpc.engines.load import Load, LoadBoard
from ocr_grpc.engines.wire import load_from_proto, load_to_proto


def refused(board: LoadBoard, server: str = "") -> bool:
    try:
        with board.admitted(server):
            return False
    except WorkerBusy:
        return True


def test_a_worker_admits_its_slots_and_one_page_more():
    board = LoadBoard(slots=2)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(board.admitted())
        assert board.load == Load(2, 3)
        assert refused(board)
    assert not refused(board)


@pytest.mark.parametrize("change", [lambda board: board.drain(), lambda board: board.resize(0)])
def test_a_worker_that_leaves_or_has_no_engine_admits_nothing(change):
    board = LoadBoard(slots=2)
    change(board)
    assert refused(board)
    assert not board.load.capacity


def test_a_server_that_was_refused_comes_before_one_that_has_pages():
    board = LoadBoard(slots=1)
    with board.admitted("greedy"):
        with board.admitted("greedy"):
            assert refused(board, "modest")
        assert refused(board, "greedy")  # there is room, but not for everybody
        with board.admitted("modest"):
            assert refused(board, "greedy")
        assert not refused(board, "greedy")


def test_servers_that_are_all_refused_take_turns():
    board = LoadBoard(slots=1)
    with ExitStack() as stack:
        for server in "aa":
            stack.enter_context(board.admitted(server))
        assert all(refused(board, server) for server in "bcd")
    order = [server for server in "dcb" * 3 if not refused(board, server)]
    assert order[:3] == ["b", "c", "d"]


async def test_a_watcher_hears_at_once_and_of_each_change_the_last():
    board = LoadBoard(slots=1)
    async with aclosing(board.watch()) as loads, asyncio.timeout(60):
        assert await anext(loads) == Load(1, 0)
        with board.admitted():
            assert await anext(loads) == Load(1, 1)
            board.resize(3)
            board.drain()
        assert await anext(loads) == Load(3, 0, draining=True)


async def test_who_waits_for_idleness_waits_for_the_last_page():
    board = LoadBoard(slots=1)
    with board.admitted():
        waiting = asyncio.create_task(board.idle())
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 60)


def test_a_load_survives_the_wire():
    load = Load(4, 5, draining=True)
    assert load_from_proto(load_to_proto(load)) == load


async def test_a_place_is_kept_for_a_moment_only_for_a_server_that_does_not_come_back():
    board = LoadBoard(slots=1)
    with board.admitted("here"), board.admitted("here"):
        assert refused(board, "elsewhere")
    refusals = 0
    async with asyncio.timeout(60):
        while refused(board, "here"):
            refusals += 1
            await asyncio.sleep(0.02)
    assert refusals < 50  # in steps of 20 ms and more: a second at most
