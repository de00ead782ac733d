"""An extraction that is being charged, as its servicer sees it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol, TypeVar

from ocr_grpc.metering.entries import PageUsage
from ocr_grpc.metering.errors import LedgerUnavailable
from ocr_grpc.metering.operations import Account, ChargePage, Operation, Settle, is_granted

WAIT_SECONDS = 10.0
"""What a charge waits for the database."""

NO_PAGES: Mapping[int, PageUsage] = {}


Answer = TypeVar("Answer")


class Queue(Protocol):
    """Where operations wait for their transaction."""

    def submit(self, operation: Operation) -> None:
        """Have an operation written as soon as possible.

        Raises:
            LedgerUnavailable: the ledger is closed.
        """
        ...

    def late(self) -> None:
        """Note that somebody waited in vain."""
        ...


class Charge:
    """A reservation that was granted. Close it, whatever happens."""

    def __init__(self, account: Account, queue: Queue, wait_seconds: float = WAIT_SECONDS) -> None:
        self._account = account
        self._queue = queue
        self._wait_seconds = wait_seconds
        self._settle: Settle | None = None

    @property
    def usage_id(self) -> str:
        """The name of its row."""
        return self._account.usage_id

    @property
    def remaining_pages(self) -> int | None:
        """Pages that can still be asked for, as last seen. None without a limit."""
        return self._account.remaining

    @property
    def pages(self) -> int:
        """Pages delivered so far, those included that a request id had paid before."""
        return len(self._account.pages)

    async def page(self, page_number: int, usage: PageUsage) -> None:
        """Charge a page; when this returns the charge is durable and the page may leave.

        A page that was charged before, here or under the same request id, costs nothing. If the
        caller hangs up while this waits, the page is not charged.

        Raises:
            LedgerUnavailable: it could not be written in 10 s, or another server took this one for
                dead and closed the row. Nothing is charged.
        """
        if self._settle:
            raise LedgerUnavailable
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        operation = ChargePage(self._account, page_number, usage, done)
        known = page_number in self._account.pages
        self._queue.submit(operation)
        try:
            await within(done, self._wait_seconds)
        except BaseException as error:
            operation.withdrawn = True
            # It was committed, and the caller hung up before this could return.
            if not known and is_granted(done):
                self._account.take_back(page_number, usage)
            if isinstance(error, TimeoutError):
                self._queue.late()
                raise LedgerUnavailable from None
            raise

    def failed_page(self) -> None:
        """Give the reserved page back; at the latest it is given back at the end."""
        self._account.returned += 1

    async def close(
        self,
        status: str,
        reason: str = "",
        duration_seconds: float = 0.0,
        partial_pages: Mapping[int, PageUsage] = NO_PAGES,
    ) -> None:
        """Close the row and give back what is left of the reservation. May be called twice.

        It is done even if the caller of this is cancelled, and later if the database is down.

        Args:
            status: such as `OK` or `CANCELLED`.
            reason: why it is not `OK`.
            duration_seconds: of the whole call.
            partial_pages: pages that reached the caller in part; they are charged.
        """
        if self._settle is None:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settle = Settle(
                self._account, status, reason, duration_seconds, partial_pages, done
            )
            with suppress(LedgerUnavailable):  # then the row is swept
                self._queue.submit(self._settle)
        with suppress(TimeoutError):
            await within(self._settle.done, self._wait_seconds)


async def within(done: "asyncio.Future[Answer]", seconds: float) -> Answer:
    """Return what became of an operation. The operation goes on if this is cancelled.

    Raises:
        TimeoutError: it takes longer.
    """
    async with asyncio.timeout(seconds):
        return await asyncio.shield(done)
