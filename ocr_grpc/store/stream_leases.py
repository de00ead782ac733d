"""Leases in Redis: a sorted set for each owner, scored by when each lease is over."""

from collections.abc import Sequence
from typing import Any

from ocr_grpc.store.redis_link import RedisLink

KEY_PREFIX = "ocr:streams:"
LEASE_SECONDS = 15.0
LEASES_AT_ONCE = 100

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1])
"""

_TAKE = (
    _NOW
    + """
for place, key in ipairs(KEYS) do
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    local others = redis.call('ZCARD', key)
    if redis.call('ZSCORE', key, ARGV[2]) then others = others - 1 end
    if others >= tonumber(ARGV[2 + place]) then return place end
end
for _, key in ipairs(KEYS) do
    redis.call('ZADD', key, now + lease, ARGV[2])
    redis.call('PEXPIRE', key, lease)
end
return 0
"""
)

# Adds leases that are gone, too: what runs is counted, even if Redis was restarted.
_RENEW = (
    _NOW
    + """
for place, key in ipairs(KEYS) do
    redis.call('ZADD', key, now + lease, ARGV[1 + place])
    redis.call('PEXPIRE', key, lease)
end
"""
)

_DROP = "for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end"


class StreamLeases:
    """Counts leases by owner; each step is one script, so servers cannot come between."""

    def __init__(self, link: RedisLink, lease_seconds: float = LEASE_SECONDS) -> None:
        self._link = link
        self._milliseconds = round(lease_seconds * 1000)
        self._take: Any = link.client.register_script(_TAKE)
        self._renew: Any = link.client.register_script(_RENEW)
        self._drop: Any = link.client.register_script(_DROP)

    async def take(self, lease: str, limits: Sequence[tuple[str, int]]) -> int | None:
        """Take a lease with all owners or with none.

        Args:
            lease: a name never used before.
            limits: ids of the owners, and how many leases each may have.

        Returns:
            The place of the owner that has too many, None if the lease was taken.

        Raises:
            RedisGone: Redis does not answer; the lease may have been taken.
        """
        keys = [KEY_PREFIX + owner for owner, _ in limits]
        values = [self._milliseconds, lease, *(limit for _, limit in limits)]
        place: int = await self._link.ask(lambda: self._take(keys, values))
        return place - 1 if place else None

    async def renew(self, leases: Sequence[tuple[str, str]]) -> None:
        """Renew leases, each given with one of its owners.

        Raises:
            RedisGone: Redis does not answer.
        """
        for start in range(0, len(leases), LEASES_AT_ONCE):
            some = leases[start : start + LEASES_AT_ONCE]
            keys = [KEY_PREFIX + owner for _, owner in some]
            values = [self._milliseconds, *(lease for lease, _ in some)]
            await self._link.ask(lambda keys=keys, values=values: self._renew(keys, values))

    async def drop(self, lease: str, owners: Sequence[str]) -> None:
        """Give a lease back.

        Raises:
            RedisGone: Redis does not answer.
        """
        keys = [KEY_PREFIX + owner for owner in owners]
        await self._link.ask(lambda: self._drop(keys, [lease]))
