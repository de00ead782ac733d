"""Keeps the results of extractions in Redis for all servers, sealed: the oldest go first.

The bound does not depend on what Redis does when it is full. A sorted set names all entries by when
they end, another one by whose they are, a hash has their sizes and the sum; each change is one
script, so servers cannot come between. If Redis itself throws out one of the three, all entries
go, and the count begins anew. While a script runs Redis answers nobody, those who count calls
included: so none looks at all entries, whatever their number, unless one of the three was lost.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

from redis.exceptions import ResponseError

from ocr_grpc.store.errors import SealBroken
from ocr_grpc.store.redis_link import RedisGone, RedisLink
from ocr_grpc.store.result_cache import ENTRY_SHARE, ROOM_SHARE, Room
from ocr_grpc.store.sealing import Seal

KEY_PREFIX = "ocr:{results}:"
"""The braces keep all keys on one machine of a cluster, as a script needs it."""

INDEX, SIZES, OWNERS = KEY_PREFIX + "index", KEY_PREFIX + "sizes", KEY_PREFIX + "owners"

MAX_ENTRY_BYTES = 2 * 1024 * 1024
"""A larger value may take longer than a question to Redis may, and would pass for a Redis gone."""

MAX_READS = 8
"""Values on their way from Redis: three times in memory, and not yet counted."""

MAX_WRITES = 8
"""Values on their way to Redis; what comes meanwhile is not kept."""

DROPS_AT_ONCE = 1000
"""Entries that one script forgets, and owners and keys that it is told."""

ENTRY_BYTES = 512
"""What Redis needs for an entry beside its value, about."""

_COMMON = """
local prefix, at_once, index, sizes, owners = ARGV[1], ARGV[2], KEYS[1], KEYS[2], KEYS[3]
local function discount(key)
    local entry = redis.call('HGET', sizes, key)
    redis.call('ZREM', index, key)
    redis.call('HDEL', sizes, key)
    if entry then
        local size, owner = string.match(entry, '(%d+):(.*)')
        redis.call('HINCRBY', sizes, '', -size)
        redis.call('ZREM', owners, owner .. ':' .. key)
    end
end
local function drop(keys)
    for _, key in ipairs(keys) do
        redis.call('DEL', prefix .. key)
        discount(key)
    end
end
local function of(owner, limit)
    -- All begin with the owner and a colon, which a semicolon comes after.
    local first, last = '[' .. owner .. ':', '(' .. owner .. ';'
    local keys = {}
    local members = redis.call('ZRANGE', owners, first, last, 'BYLEX', 'LIMIT', 0, limit)
    for place, member in ipairs(members) do keys[place] = string.sub(member, #owner + 2) end
    return keys
end
local function used() return tonumber(redis.call('HGET', sizes, '') or '0') end
local there = redis.call('EXISTS', index, sizes, owners)
if there == 1 or there == 2 then
    drop(redis.call('ZRANGE', index, 0, -1))
    for _, member in ipairs(redis.call('ZRANGE', owners, 0, -1)) do
        redis.call('DEL', prefix .. string.match(member, ':(.*)'))
    end
    redis.call('DEL', index, sizes, owners)
end
"""

_KEEP = (
    _COMMON
    + """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key, owner, value, size = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local lasts, limit = tonumber(ARGV[7]), tonumber(ARGV[8])
-- Before any other change: only the first is refused by a Redis that is full.
redis.call('SET', prefix .. key, value, 'PX', lasts)
discount(key)
redis.call('ZADD', index, now + lasts, key)
redis.call('ZADD', owners, 0, owner .. ':' .. key)
redis.call('HSET', sizes, key, size .. ':' .. owner)
redis.call('HINCRBY', sizes, '', size)
drop(redis.call('ZRANGE', index, '-inf', now, 'BYSCORE', 'LIMIT', 0, at_once))
while used() > limit and redis.call('ZCARD', index) > 0 do
    drop(redis.call('ZRANGE', index, 0, 0))
end
for _, name in ipairs(KEYS) do
    if redis.call('PTTL', name) < lasts then redis.call('PEXPIRE', name, lasts) end
end
return {used(), 0}
"""
)

_DROP = (
    _COMMON
    + """
local left = tonumber(at_once)
for place = 3, #ARGV do
    if redis.call('HEXISTS', sizes, ARGV[place]) == 1 then drop({ARGV[place]}) end
    local mine = of(ARGV[place], left)
    drop(mine)
    left = left - #mine
    if left == 0 then return {used(), 1} end
end
return {used(), 0}
"""
)


class RedisResults:
    """`Results` in Redis. When it is gone nothing is found and nothing is kept."""

    def __init__(self, link: RedisLink, seal: Seal, limit_bytes: int, seconds: float) -> None:
        """Take what is needed.

        Args:
            link: for the cache alone: a large value must not hold up who counts calls.
            seal: of the installation; Redis is not shown what documents say.
            limit_bytes: what all entries may have together, whichever server they are of.
            seconds: how long each is kept.
        """
        self._link = link
        self._seal = seal
        self._limit_bytes = limit_bytes
        self._milliseconds = max(1, round(seconds * 1000))
        self._reading = asyncio.Semaphore(MAX_READS)
        self._held = Room(limit_bytes - limit_bytes // ROOM_SHARE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_forget: set[str] = set()
        self._keep: Any = link.client.register_script(_KEEP)
        self._drop: Any = link.client.register_script(_DROP)
        self.max_entry_bytes = min(limit_bytes // ENTRY_SHARE, MAX_ENTRY_BYTES)
        self.used_bytes = 0
        """In Redis, when this server last changed something there."""

    @asynccontextmanager
    async def holding(self, key: bytes) -> AsyncGenerator[bytes | None, None]:
        """Look a value up; it is in the memory of this process until the block is left."""
        async with self._reading:
            value = await self._found(key)
            size_bytes = sys.getsizeof(value) if value else 0
            has_room = self._held.take(size_bytes)
        if not has_room:
            value = None
            yield None  # slow readers hold so much already that this one is read anew
            return
        try:
            yield value
        finally:
            self._held.give(size_bytes)

    def keep(self, key: bytes, owner: str, value: bytes) -> None:
        """Keep a value as soon as Redis takes it."""
        fits = len(value) <= self.max_entry_bytes
        if fits and not self._link.gone and len(self._tasks) < MAX_WRITES:
            self._soon(self._write(key, owner, value))

    def remove(self, key: bytes) -> None:
        """Forget a value soon."""
        self.forget(key.hex())

    def forget(self, owner: str) -> None:
        """Forget all values of an owner soon."""
        self._to_forget.add(owner)
        if len(self._to_forget) == 1:
            self._soon(self._forget())

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.close()

    async def _found(self, key: bytes) -> bytes | None:
        try:
            sealed: bytes | None = await self._link.ask(
                lambda: self._link.client.get(KEY_PREFIX + key.hex())
            )
        except RedisGone:
            return None
        if sealed is None:
            return None
        try:
            opened = await asyncio.to_thread(self._seal.open, sealed)
        except SealBroken:
            opened = b""
        # The key is sealed in: whoever can write to Redis cannot put one answer for another.
        if not opened.startswith(key):
            self.remove(key)
            return None
        return opened[len(key) :]

    async def _write(self, key: bytes, owner: str, value: bytes) -> None:
        sealed = await asyncio.to_thread(self._seal.seal, key + value)
        size_bytes = len(sealed) + ENTRY_BYTES
        sizes = size_bytes, self._milliseconds, self._limit_bytes
        await self._ran(self._keep, [key.hex(), owner, sealed, *sizes])

    async def _forget(self) -> None:
        await asyncio.sleep(0)  # what is to be forgotten at once goes together
        while self._to_forget:
            some = list(islice(self._to_forget, DROPS_AT_ONCE))
            self._to_forget.difference_update(some)
            while await self._ran(self._drop, some):
                pass  # others were answered in between

    async def _ran(self, script: Any, arguments: Sequence[object]) -> bool:
        """Run a script; return whether it left something to be done."""
        keys, words = [INDEX, SIZES, OWNERS], [KEY_PREFIX, DROPS_AT_ONCE, *arguments]

        async def question() -> tuple[int, int]:
            try:
                used_bytes, more = await script(keys=keys, args=words)
            except ResponseError:
                # It is full, or may not: that is no reason to call it gone.
                return self.used_bytes, 0
            return int(used_bytes), int(more)

        try:
            self.used_bytes, more = await self._link.ask(question)
        except RedisGone:
            return False  # it ends by itself, in `seconds` at most
        return bool(more)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
