"""The one task that writes the ledger, many operations in a transaction."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from ocr_grpc.metering.batch import Batch
from ocr_grpc.metering.errors import LedgerUnavailable
from ocr_grpc.metering.operations import (
    Account,
    Operation,
    Record,
    Reserve,
    Settle,
    is_granted,
    is_withdrawn,
)
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.telemetry.metrics import Metrics

log = structlog.get_logger()

MAX_OPERATIONS = 256
"""Operations in one transaction."""

MIN_RECORDS = 64
"""Of them for ordinary calls, however many charges wait."""

GATHER_SECONDS = 0.06
"""What ordinary calls wait for company: they are to be committed within 100 ms."""

RETRY_SECONDS = 0.25


class Writer:
    """Takes operations and writes them, those somebody waits for first."""

    def __init__(
        self,
        database: Database,
        server_id: str,
        metrics: Metrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._server_id = server_id
        self._metrics = metrics
        self._clock = clock
        self._urgent: deque[Operation] = deque()
        self._records: deque[Record] = deque()
        self._writing: list[Operation] = []
        self._work = asyncio.Event()
        self._urgent_work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def open(self) -> bool:
        """Whether it takes operations."""
        return self._task is not None and not self._closing

    @property
    def waiting(self) -> int:
        """Operations that are not committed yet."""
        return len(self._urgent) + len(self._records) + len(self._writing)

    @property
    def waiting_records(self) -> int:
        """Ordinary calls that are not committed yet."""
        return len(self._records)

    def start(self) -> None:
        """Begin to write."""
        self._metrics.ledger_up.set(1)
        self._task = asyncio.create_task(self._write_for_ever())

    async def close(self, drain_seconds: float) -> None:
        """Write what waits, for so long at most, and stop. May be called twice."""
        self._closing = True
        self._work.set()
        self._urgent_work.set()
        if not self._task:
            return
        await asyncio.wait([self._task], timeout=drain_seconds)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        if self.waiting:
            log.error("ledger_closed_with_rows_waiting", rows=self.waiting)
            self._metrics.ledger_lost_rows.inc(self.waiting)
        for operation in (*self._writing, *self._urgent):
            _give_up(operation)
        self._urgent.clear()
        self._records.clear()
        self._writing = []

    def submit(self, operation: Operation) -> None:
        """Have an operation written as soon as possible; while closing, only ends of extractions.

        Raises:
            LedgerUnavailable: the ledger is closed.
        """
        if self._task is None or (self._closing and not isinstance(operation, Settle)):
            raise LedgerUnavailable
        if isinstance(operation, Record):
            self._records.append(operation)
            self._metrics.ledger_waiting_rows.set(len(self._records))
        else:
            self._urgent.append(operation)
            self._urgent_work.set()
        self._work.set()

    def abandon(self, account: Account) -> None:
        """Close an extraction that nobody waits for any more."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with suppress(LedgerUnavailable):  # then it is swept
            self.submit(Settle(account, "CANCELLED", "", 0.0, {}, done))

    def late(self) -> None:
        """Note that somebody waited in vain."""
        self._metrics.ledger_up.set(0)

    async def _write_for_ever(self) -> None:
        while not (self._closing and not self.waiting):
            await self._work.wait()
            if not self._urgent_work.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(GATHER_SECONDS):
                        await self._urgent_work.wait()
            self._writing = self._next_batch()
            left = await self._written(self._writing)
            self._writing = []
            for operation in reversed(left):
                (self._records if isinstance(operation, Record) else self._urgent).appendleft(
                    operation  # pyright: ignore[reportArgumentType] - it goes where it came from
                )
            self._metrics.ledger_waiting_rows.set(len(self._records))
            if not self._closing and not self._urgent:
                self._urgent_work.clear()
                if not self._records:
                    self._work.clear()
            if left:
                await asyncio.sleep(RETRY_SECONDS)

    def _next_batch(self) -> list[Operation]:
        records = min(len(self._records), MIN_RECORDS)
        urgent = min(len(self._urgent), MAX_OPERATIONS - records)
        batch = [self._urgent.popleft() for _ in range(urgent)]
        records = min(len(self._records), MAX_OPERATIONS - urgent)
        batch.extend(self._records.popleft() for _ in range(records))
        return batch

    async def _written(self, operations: list[Operation]) -> list[Operation]:
        """Write operations and return those that must be tried again."""
        wanted = [each for each in operations if not is_withdrawn(each)]
        if not wanted:
            return []
        try:
            await self._commit(wanted)
        except Exception as error:
            self._metrics.ledger_commit_failures.inc()
            if not _is_their_fault(error):
                self.late()
                if not isinstance(error, DatabaseUnavailable):
                    log.error("ledger_not_written", error=_cause(error))
                return wanted
            if len(wanted) == 1:
                kind = type(wanted[0]).__name__
                log.error("ledger_operation_failed", kind=kind, error=_cause(error))
                self._metrics.ledger_lost_rows.inc()
                _give_up(wanted[0])
                return []
        else:
            return []
        # One of them is bad; alone it fails nobody else.
        for number, each in enumerate(wanted):
            if await self._written([each]):
                return wanted[number:]
        return []

    async def _commit(self, operations: list[Operation]) -> None:
        async with self._database.write() as session:
            batch = Batch(session, self._server_id, operations, self._clock())
            await batch.write()
        batch.finish()
        self._metrics.ledger_up.set(1)
        self._metrics.ledger_commits.inc()
        self._metrics.pages_charged.inc(batch.pages_charged)
        for each in operations:
            if isinstance(each, Reserve) and each.withdrawn and is_granted(each.done):
                self.abandon(each.done.result())


def _give_up(operation: Operation) -> None:
    """Tell whoever waits that it was not written."""
    if isinstance(operation, Record) or operation.done.done():
        return
    if isinstance(operation, Settle):
        operation.done.set_result(None)
    elif not operation.withdrawn:
        operation.done.set_exception(LedgerUnavailable())


def _is_their_fault(error: Exception) -> bool:
    """Return whether it is what is written that is wrong, and not the database as a whole.

    What is wrong is given up. Whatever else it is, even a table that is missing, may pass.
    """
    if isinstance(error, DatabaseUnavailable):
        return False
    state: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    # Without a state no database was asked: a value that no column can hold.
    return state is None or state.startswith(("22", "23"))  # data, integrity


def _cause(error: Exception) -> str:
    """Return what a driver said, without SQLAlchemy's own words, which hold the whole row."""
    return str(getattr(error, "orig", error))[:200]
