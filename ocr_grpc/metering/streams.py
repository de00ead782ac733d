"""How many extractions a caller has at once, over all servers.

With Redis each extraction is a lease in the set of its owner: taken by one script, renewed by one
task, dropped at the end. A server that dies stops renewing, and its leases are over in 15 s.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count

import structlog

from ocr_grpc.accounts.principal import Principal
from ocr_grpc.metering.errors import TooManyStreams
from ocr_grpc.store.redis_link import RedisGone, RedisLink
from ocr_grpc.store.stream_leases import LEASE_SECONDS, StreamLeases
from ocr_grpc.telemetry.metrics import Metrics

log = structlog.get_logger()

LIMITER = "streams"
RENEW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose extractions are counted: a user, or one API key."""

    scope: str
    owner_id: str
    limit: int

    @property
    def key(self) -> str:
        return f"{self.scope}:{self.owner_id}"


class Streams:
    """Counts extractions under way. One for the whole server: `start` it, `close` it at the end."""

    def __init__(
        self,
        redis_url: str,
        server_id: str,
        metrics: Metrics,
        renew_seconds: float = RENEW_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """Open nothing yet.

        Args:
            redis_url: empty for counting in memory.
            server_id: of this process, never used before.
            metrics: told when this server counts by itself although it should not.
            renew_seconds: how often leases are renewed.
            lease_seconds: how long a lease lives without that.
        """
        self._server_id = server_id
        self._renew_seconds = renew_seconds
        self._decisions = metrics.limits_local_decisions.labels(LIMITER)
        gauge = metrics.limits_local.labels(LIMITER)
        self._link = RedisLink(redis_url, gauge.set) if redis_url else None
        self._leases = StreamLeases(self._link, lease_seconds) if self._link else None
        self._numbers = count()
        self._local: Counter[str] = Counter()
        self._held: dict[str, list[_Owner]] = {}
        self._renewal: asyncio.Task[None] | None = None
        self._renewing = asyncio.Lock()
        self._releases: set[asyncio.Task[None]] = set()

    @property
    def degraded(self) -> bool:
        """Whether Redis is configured and does not answer."""
        return bool(self._link and self._link.gone)

    async def start(self) -> None:
        """Begin to renew leases."""
        if self._leases:
            self._renewal = asyncio.create_task(self._renew_for_ever(self._leases))

    @asynccontextmanager
    async def held(self, principal: Principal | None, caller_id: str) -> AsyncGenerator[None, None]:
        """Count an extraction as long as the block lasts.

        Args:
            principal: whose it is. None: nobody's, so nothing limits it.
            caller_id: whom fairness counts it for; it is in the log if the call is refused.

        Raises:
            TooManyStreams: the user, or the API key, has as many as allowed.
        """
        owners = _owners(principal)
        if not owners:
            yield
            return
        lease = f"{self._server_id}:{next(self._numbers)}"
        await self._take(lease, owners, caller_id)
        try:
            yield
        finally:
            await self._release(lease)

    async def close(self) -> None:
        """Drop all leases and close all connections."""
        if self._renewal:
            async with self._renewing:  # what was sent is on its way: let it be tidied up
                self._renewal.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewal
        for lease in list(self._held):
            self._release_soon(lease)
        if self._releases:
            await asyncio.wait(self._releases)
        if self._link:
            await self._link.close()

    async def _take(self, lease: str, owners: list[_Owner], caller_id: str) -> None:
        refused = await self._refused(lease, owners)
        if refused:
            log.info("too_many_streams", caller=caller_id, scope=refused.scope)
            raise TooManyStreams(refused.limit, refused.scope)
        self._held[lease] = owners
        self._local.update(owner.key for owner in owners)

    async def _refused(self, lease: str, owners: list[_Owner]) -> _Owner | None:
        """Take a lease; return the owner that has too many already, None if it was taken."""
        if self._leases:
            try:
                limits = [(owner.key, owner.limit) for owner in owners]
                place = await self._leases.take(lease, limits)
            except RedisGone:
                self._decisions.inc()
            except asyncio.CancelledError:
                # Redis may have counted it already.
                self._held[lease] = owners
                self._local.update(owner.key for owner in owners)
                self._release_soon(lease)
                raise
            else:
                return None if place is None else owners[place]
        for owner in owners:
            if self._local[owner.key] >= owner.limit:
                return owner
        return None

    async def _release(self, lease: str) -> None:
        task = self._release_soon(lease)
        if task:
            # Whoever is told that it is over may begin the next one at once.
            await asyncio.shield(task)

    def _release_soon(self, lease: str) -> "asyncio.Task[None] | None":
        owners = self._held.pop(lease, [])
        for owner in owners:
            self._local[owner.key] -= 1
            if self._local[owner.key] <= 0:
                del self._local[owner.key]
        if not self._leases or not owners:
            return None
        task = asyncio.create_task(self._drop(self._leases, lease, owners))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)
        return task

    async def _drop(self, leases: StreamLeases, lease: str, owners: list[_Owner]) -> None:
        with suppress(RedisGone):  # nobody renews it, so it is over soon
            await leases.drop(lease, [owner.key for owner in owners])

    async def _renew_for_ever(self, leases: StreamLeases) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            async with self._renewing:
                await self._renew(leases)

    async def _renew(self, leases: StreamLeases) -> None:
        held = [(lease, owner.key) for lease, owners in self._held.items() for owner in owners]
        with suppress(RedisGone):
            await leases.renew(held)
            for lease, key in held:
                # It ended while its renewal was under way, and would count for 15 s more.
                if lease not in self._held:
                    await leases.drop(lease, [key])


def _owners(principal: Principal | None) -> list[_Owner]:
    """Return whose extractions are counted: the user's, and the key's if its limit is lower."""
    if principal is None:
        return []
    limit = principal.limits.concurrent_streams
    owners = [_Owner("user", principal.user_id, limit)] if limit else []
    own = principal.key.limits.concurrent_streams if principal.key else None
    if principal.key and own and (not limit or own < limit):
        owners.insert(0, _Owner("key", principal.key.key_id, own))
    return owners
