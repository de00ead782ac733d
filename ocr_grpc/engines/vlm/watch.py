"""What is told of the calls of a model's server, for metrics."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from ocr_grpc.engines.vlm.errors import UpstreamRefused, UpstreamTimedOut
from ocr_grpc.engines.vlm.failures import BUSY_STATUSES, CallFailed


class CallOutcome(Enum):
    """What became of a call."""

    OK = "ok"
    """The answer came to its end, be it that of its bound."""
    BUSY = "busy"
    """The server has no time, as HTTP 429 says."""
    REFUSED = "refused"
    """It does not take this page, this key, or this model."""
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "unavailable"
    """It cannot be reached, fails, or breaks off."""
    HUNG_UP = "hung_up"
    """We did: the caller left, or the model repeated itself."""
    BREAKER = "breaker"
    """It was not made, because the circuit breaker is open."""


class VisionWatch(Protocol):
    """Is told of calls. Must neither block nor raise."""

    def called(self, outcome: str) -> None:
        """Note a call that is over; see `CallOutcome`."""
        ...

    def first_token(self, seconds: float) -> None:
        """Note how long the first text of a call took."""
        ...

    def breaker(self, is_open: bool) -> None:
        """Note that the circuit breaker opened or closed; told again and again."""
        ...


class Unwatched:
    """Notes nothing."""

    def called(self, outcome: str) -> None:
        """Note nothing."""

    def first_token(self, seconds: float) -> None:
        """Note nothing."""

    def breaker(self, is_open: bool) -> None:
        """Note nothing."""


class WatchedCall:
    """A call that is under way."""

    def __init__(self, watch: VisionWatch) -> None:
        self._watch = watch
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self._silent = True

    def heard(self) -> None:
        """Note text of the model."""
        if self._silent:
            self._silent = False
            self._watch.first_token(self._now() - self._began)


@contextmanager
def watched(watch: VisionWatch) -> Generator[WatchedCall]:
    """Watch a call for as long as the block lasts."""
    outcome = CallOutcome.HUNG_UP
    try:
        yield WatchedCall(watch)
        outcome = CallOutcome.OK
    except CallFailed as failure:
        outcome = outcome_of(failure)
        raise
    except Exception:
        outcome = CallOutcome.UNAVAILABLE
        raise
    finally:
        watch.called(outcome.value)


def outcome_of(failure: CallFailed) -> CallOutcome:
    """Return what became of a call that failed."""
    if failure.known:
        return CallOutcome.BREAKER
    if failure.status in BUSY_STATUSES:
        return CallOutcome.BUSY
    match failure.error:
        case UpstreamRefused():
            return CallOutcome.REFUSED
        case UpstreamTimedOut():
            return CallOutcome.TIMED_OUT
        case _:
            return CallOutcome.UNAVAILABLE
