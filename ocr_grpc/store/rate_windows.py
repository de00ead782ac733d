"""Counts calls in sliding minutes: over all servers in Redis, or in memory for this one."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from ocr_grpc.store.local_windows import WINDOW_SECONDS, LocalWindows, WindowCounts
from ocr_grpc.store.redis_link import RedisGone, RedisLink
from ocr_grpc.telemetry.metrics import Metrics

KEY_PREFIX = "ocr:rate"
LIMITER = "rate"

CLOCK_SECONDS = 0.002
"""Redis counts in milliseconds: who waits until a call fits waits a little longer."""


@dataclass(frozen=True, slots=True)
class Window:
    """What became of a call that was counted.

    Attributes:
        allowed: whether it fits.
        limit: calls in a minute.
        remaining: how many more would fit now.
        reset_seconds: if it fits, until the window is as good as empty; if not, until one more
            call fits.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float


class RateWindows:
    """Counts calls by key. One for the whole server; close it at the end.

    When Redis does not answer, calls pass on what this server counted by itself: Redis being down
    must not take OCR down. What Redis lets through is counted here as well, so that its end does
    not give everybody a fresh minute.
    """

    def __init__(self, redis_url: str, metrics: Metrics) -> None:
        """Open nothing yet.

        Args:
            redis_url: empty for counting in memory.
            metrics: told when this server counts by itself although it should not.
        """
        self._local = LocalWindows()
        self._decisions = metrics.limits_local_decisions.labels(LIMITER)
        gauge = metrics.limits_local.labels(LIMITER)
        self._link = RedisLink(redis_url, gauge.set) if redis_url else None
        self._shared = _Shared(self._link) if self._link else None

    @property
    def is_shared(self) -> bool:
        """Whether Redis is configured."""
        return self._link is not None

    @property
    def degraded(self) -> bool:
        """Whether Redis is configured and does not answer."""
        return bool(self._link and self._link.gone)

    async def take(self, limit: int, *key: str) -> Window:
        """Count one call.

        Args:
            limit: calls in a minute, at least 1. Other limits have other counters.
            key: what is counted, such as `"login", user_name, address`. Any text: keys are hashed.
        """
        digest = _digest(key, limit)
        if self._shared:
            try:
                allowed, counts = await self._shared.take(digest, limit)
            except RedisGone:
                self._decisions.inc()
            else:
                if allowed:
                    self._local.take(digest, limit)
                return _window(allowed, limit, counts)
        allowed, counts = self._local.take(digest, limit)
        return _window(allowed, limit, counts)

    async def clear(self, limit: int, *key: str) -> None:
        """Forget the calls of a key, such as the failed logins before a good one."""
        digest = _digest(key, limit)
        self._local.clear(digest)
        if self._shared:
            try:
                await self._shared.clear(digest, limit)
            except RedisGone:
                self._decisions.inc()

    async def ping(self) -> None:
        """Ask Redis for nothing in particular; does nothing without one.

        Raises:
            RedisGone: it does not answer.
        """
        if self._link:
            await self._link.ping()

    async def close(self) -> None:
        """Close all connections."""
        if self._link:
            await self._link.close()


class _Shared:
    """The windows in Redis; each step is one script there, so servers cannot come between."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._storage = RedisStorage(
            "redis://",  # where it really is, the pool knows
            implementation="redispy",
            key_prefix=KEY_PREFIX,
            connection_pool=link.pool,
        )
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def take(self, digest: str, limit: int) -> tuple[bool, WindowCounts]:
        item = _item(limit)

        async def question() -> tuple[bool, WindowCounts]:
            allowed = await self._limiter.hit(item, digest)
            counts = await self._storage.get_sliding_window(item.key_for(digest), WINDOW_SECONDS)
            return allowed, WindowCounts(*counts)

        return await self._link.ask(question)

    async def clear(self, digest: str, limit: int) -> None:
        await self._link.ask(lambda: self._limiter.clear(_item(limit), digest))


@lru_cache(maxsize=1024)
def _item(limit: int) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(limit)


@lru_cache(maxsize=4096)
def _digest(key: tuple[str, ...], limit: int) -> str:
    """Return a key that no other parts can make, and that names nobody."""
    parts = f"{limit};" + "".join(f"{len(part)}:{part};" for part in key)
    return hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:40]


def _window(allowed: bool, limit: int, counts: WindowCounts) -> Window:
    if allowed:
        return Window(True, limit, counts.free(limit), counts.seconds_until_empty())
    # Another server may have made room meanwhile, so nothing is certain but that it was refused.
    seconds = max(0.0, counts.seconds_until_free(limit)) + CLOCK_SECONDS
    return Window(False, limit, 0, seconds)
