"""How many calls a minute a caller may make."""

from dataclasses import dataclass

from ocr_grpc.accounts.addresses import network_of
from ocr_grpc.accounts.principal import Principal
from ocr_grpc.metering.errors import RateLimited
from ocr_grpc.store.rate_windows import RateWindows


@dataclass(frozen=True, slots=True)
class RateState:
    """What a caller is told about its limit.

    Attributes:
        limit: calls in a minute.
        remaining: how many more fit now.
        reset_seconds: until all of them fit again.
    """

    limit: int
    remaining: int
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class _Counted:
    scope: str
    owner: str
    limit: int


class RateLimits:
    """Counts calls by address, user and API key."""

    def __init__(self, windows: RateWindows, anonymous_calls_per_minute: int) -> None:
        """Take over nothing: `windows` stays its owner's.

        Args:
            windows: where calls are counted.
            anonymous_calls_per_minute: the setting of this name; 0 means no limit.
        """
        self._windows = windows
        self._anonymous_limit = anonymous_calls_per_minute

    async def take(self, principal: Principal | None, address: str) -> RateState | None:
        """Count one call and return what is left of the tightest limit, None without one.

        Args:
            principal: who calls. None: nobody we know, counted by address.
            address: where the call comes from; IPv6 counts by /64.

        Raises:
            RateLimited: too many calls in the last minute.
        """
        tightest: RateState | None = None
        for counted in self._counted(principal, address):
            window = await self._windows.take(counted.limit, counted.scope, counted.owner)
            if not window.allowed:
                raise RateLimited(counted.limit, counted.scope, window.reset_seconds)
            if tightest is None or window.remaining < tightest.remaining:
                tightest = RateState(window.limit, window.remaining, window.reset_seconds)
        return tightest

    def _counted(self, principal: Principal | None, address: str) -> list[_Counted]:
        """Return what a call counts for, the narrower first: what it refuses, no other counts."""
        if principal is None:
            counted = [_Counted("address", network_of(address), self._anonymous_limit)]
        else:
            limit = principal.limits.calls_per_minute
            counted = [_Counted("user", principal.user_id, limit)]
            own = principal.key.limits.calls_per_minute if principal.key else None
            if principal.key and own and (not limit or own < limit):
                counted.insert(0, _Counted("key", principal.key.key_id, own))
        return [each for each in counted if each.limit]
