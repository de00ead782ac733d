"""The usage ledger: one task writes all that is charged and called, many operations at a time.

While a transaction runs the next one gathers, so a charge costs a share of one fsync.

What a `kill -9` leaves, at any point: rows that are closed, and rows that are OPEN with all pages
charged that a caller may have seen, as `Charge.page` returns only after the commit. `ServerLease`
of any server finds the open ones when the lease of this one is over, closes them as LOST and gives
back what they had reserved. A server that was only stopped for a while, and whose rows were
swept meanwhile, charges nothing more on them: each write asks that the row is still open and its
own. Rows of ordinary calls that were not committed yet, of the last 100 ms, are lost.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from ocr_grpc.metering.charge import WAIT_SECONDS, Charge, within
from ocr_grpc.metering.entries import CallEntry, Reservation, require_request_id
from ocr_grpc.metering.errors import LedgerUnavailable, QuotaExceeded
from ocr_grpc.metering.months import period_of, seconds_to_next_month
from ocr_grpc.metering.operations import Account, Record, Reserve, is_granted
from ocr_grpc.metering.writer import Writer
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.telemetry.metrics import Metrics

MAX_RECORDS = 10_000
"""Rows of ordinary calls that may wait. With more, no call is served."""

DRAIN_SECONDS = 5.0


class Ledger:
    """Writes the usage ledger. One for the whole server: `start` it, `close` it at the end."""

    def __init__(
        self,
        database: Database,
        server_id: str,
        metrics: Metrics | None = None,
        clock: Callable[[], datetime] = utc_now,
        wait_seconds: float = WAIT_SECONDS,
        max_records: int = MAX_RECORDS,
    ) -> None:
        """Start nothing yet.

        Args:
            database: where to write.
            server_id: of a `ServerLease`; open rows carry it.
            metrics: told how the ledger is.
            clock: says which month it is.
            wait_seconds: what reservations and charges wait for the database.
            max_records: rows of ordinary calls that may wait. With more, no call is served.
        """
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._max_records = max_records
        self._writer = Writer(database, server_id, self._metrics, clock)

    @property
    def waiting(self) -> int:
        """Operations that are not committed yet."""
        return self._writer.waiting

    async def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    async def close(self, drain_seconds: float = DRAIN_SECONDS) -> None:
        """Write what waits, for so long at most, and stop. May be called twice."""
        await self._writer.close(drain_seconds)

    async def ready(self) -> None:
        """Check that a call can be written down, before it is served.

        Raises:
            LedgerUnavailable: too many rows wait already.
        """
        if not self._writer.open or self._writer.waiting_records >= self._max_records:
            raise LedgerUnavailable

    def record(self, entry: CallEntry) -> None:
        """Write down an ordinary call, within 100 ms, or later if the database is down.

        Calls that were under way when the buffer filled up still fit. Past twice its size, which
        only refused calls can reach, rows are given up and counted.
        """
        waiting = self._writer.waiting_records
        refused = entry.reason == LedgerUnavailable.reason
        if not self._writer.open or waiting >= (self._max_records * (1 if refused else 2)):
            self._metrics.ledger_lost_rows.inc()
        else:
            self._writer.submit(Record(entry))

    async def reserve(self, reservation: Reservation) -> Charge:
        """Open an extraction: reserve its pages, durably.

        Raises:
            QuotaExceeded: fewer pages are left than were asked for.
            RequestIdReused: the request id stands for another document or other options.
            InvalidRequestId: the request id could never be one.
            LedgerUnavailable: it could not be written in 10 s.
        """
        require_request_id(reservation.request_id)
        now = self._clock()
        done: asyncio.Future[Account] = asyncio.get_running_loop().create_future()
        wait_seconds = seconds_to_next_month(now)
        reserve = Reserve(reservation, new_id(), period_of(now), wait_seconds, done)
        self._writer.submit(reserve)
        try:
            account = await within(done, self._wait_seconds)
        except QuotaExceeded:
            self._metrics.quota_refusals.inc()
            raise
        except (TimeoutError, asyncio.CancelledError) as error:
            reserve.withdrawn = True  # if it is committed now, it is closed at once
            if is_granted(done):
                self._writer.abandon(done.result())
            if isinstance(error, TimeoutError):
                self._writer.late()
                raise LedgerUnavailable from None
            raise
        return Charge(account, self._writer, self._wait_seconds)
