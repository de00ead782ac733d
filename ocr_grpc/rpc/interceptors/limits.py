"""Refuses calls over the rate limit, and calls that nobody could write down."""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Container
from contextlib import asynccontextmanager

from ocr_grpc.metering.errors import RateLimited
from ocr_grpc.metering.rate_limits import RateLimits, RateState
from ocr_grpc.rpc.caller import Caller, current_caller
from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor


class LimitInterceptor(CallInterceptor):
    """Counts the call against its caller's limits."""

    def __init__(
        self, limits: RateLimits, ready: Callable[[], Awaitable[None]], counted: Container[str]
    ) -> None:
        """Take the policy.

        Args:
            limits: how many calls each caller may make.
            ready: raises while the ledger cannot take more rows.
            counted: the methods that count; health and reflection do not.
        """
        super().__init__()
        self._limits = limits
        self._ready = ready
        self._counted = counted

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Take one call from what the caller has left."""
        if call.method in self._counted:
            await self._ready()
            caller = current_caller()
            try:
                state = await self._limits.take(caller.principal, caller.address)
            except RateLimited as refusal:
                _say(caller, RateState(refusal.limit, 0, refusal.retry_after_seconds))
                raise
            if state:
                _say(caller, state)
        yield


def _say(caller: Caller, state: RateState) -> None:
    caller.left["ratelimit-limit"] = str(state.limit)
    caller.left["ratelimit-remaining"] = str(state.remaining)
    caller.left["ratelimit-reset"] = str(math.ceil(state.reset_seconds))
