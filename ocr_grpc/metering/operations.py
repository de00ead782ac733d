"""What waits in the ledger's queue, and what the ledger knows about an open extraction."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ocr_grpc.metering.entries import NOTHING, CallEntry, PageUsage, Reservation


@dataclass(eq=False, slots=True)
class Account:
    """An open extraction, as far as it is committed. Only the ledger's task changes it.

    What is written are totals, never differences: if the answer to a COMMIT was lost, writing it
    again changes nothing.

    Attributes:
        period: the month it draws on.
        reserved: pages it may charge, as granted.
        returned: pages of them that failed.
        pages: numbers of the pages charged, and those that were free under the request id.
        remaining: pages its quotas had left when last seen. None without a limit.
    """

    usage_id: str
    reservation: Reservation
    period: str
    reserved: int
    remaining: int | None = None
    returned: int = 0
    usage: PageUsage = NOTHING
    pages: set[int] = field(default_factory=set[int])
    closed: bool = False

    def add(self, number: int, usage: PageUsage) -> None:
        """Note a page that is committed."""
        if number not in self.pages:
            self.pages.add(number)
            self.usage += usage

    def take_back(self, number: int, usage: PageUsage) -> None:
        """Note that a page that is committed did not reach the caller; the next write corrects it.

        Under a request id it stays: the caller can fetch it for nothing.
        """
        if number in self.pages and not self.reservation.request:
            self.pages.remove(number)
            self.usage -= usage


@dataclass(eq=False, slots=True)
class Record:
    """Write down an ordinary call."""

    entry: CallEntry


@dataclass(eq=False, slots=True)
class Reserve:
    """Open an extraction. Whoever waits gets the `Account`."""

    reservation: Reservation
    usage_id: str
    period: str
    seconds_to_next_month: float
    done: "asyncio.Future[Account]"
    withdrawn: bool = False


@dataclass(eq=False, slots=True)
class ChargePage:
    """Charge a page."""

    account: Account
    number: int
    usage: PageUsage
    done: "asyncio.Future[None]"
    withdrawn: bool = False
    """Nobody waits any more, so the page was not delivered and must not be charged."""


@dataclass(eq=False, slots=True)
class Settle:
    """Close an extraction."""

    account: Account
    status: str
    reason: str
    duration_seconds: float
    partial_pages: Mapping[int, PageUsage]
    done: "asyncio.Future[None]"


Operation: TypeAlias = Record | Reserve | ChargePage | Settle


def is_withdrawn(operation: Operation) -> bool:
    """Return whether nobody wants it any more."""
    return isinstance(operation, Reserve | ChargePage) and operation.withdrawn


def is_granted(done: "asyncio.Future[Account] | asyncio.Future[None]") -> bool:
    """Return whether what somebody waited for was committed."""
    return done.done() and not done.cancelled() and done.exception() is None
