"""One transaction of the ledger: many operations in few statements.

Every server writes in the same order, request ids, usage rows, paid pages, quotas, so that none
waits for one that waits for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.errors import OcrError
from ocr_grpc.metering.entries import PageUsage, total
from ocr_grpc.metering.errors import LedgerUnavailable, QuotaExceeded, RequestIdReused
from ocr_grpc.metering.key_use import note_key_use
from ocr_grpc.metering.operations import Account, ChargePage, Operation, Record, Reserve, Settle
from ocr_grpc.metering.quota_book import QuotaBook
from ocr_grpc.metering.request_book import Page, RequestBook
from ocr_grpc.metering.rows import closed_row, open_row, written_columns
from ocr_grpc.store.metering import OPEN, UsageRow
from ocr_grpc.store.new_rows import insert_absent, table_of

Kind = TypeVar("Kind")


@dataclass(eq=False, slots=True)
class _Bill:
    """What is asked of one open extraction."""

    account: Account
    charges: list[ChargePage] = field(default_factory=list[ChargePage])
    settle: Settle | None = None

    @property
    def new_pages(self) -> dict[int, PageUsage]:
        """The pages that are not in the account yet."""
        pages = {each.number: each.usage for each in self.charges}
        if self.settle:
            pages = {**self.settle.partial_pages, **pages}
        known = self.account.pages
        return {number: usage for number, usage in pages.items() if number not in known}


class Batch:
    """The operations of one transaction: `write` in it, `finish` once it is committed."""

    def __init__(
        self, session: AsyncSession, server_id: str, operations: Sequence[Operation], now: datetime
    ) -> None:
        self._session = session
        self._server_id = server_id
        self._now = now
        self._quotas = QuotaBook(session)
        self._requests = RequestBook(session)
        self._records = _of_kind(operations, Record)
        self._reserves = _of_kind(operations, Reserve)
        self._bills = _bills(operations)
        self._finishing: list[Callable[[], None]] = []
        self.pages_charged = 0

    async def write(self) -> None:
        """Write everything. Nothing is told to anybody before `finish`."""
        accounts = [bill.account for bill in self._bills]
        reservations = [each.reservation for each in self._reserves]
        await self._requests.note(
            [*reservations, *(account.reservation for account in accounts)], self._now
        )
        rows = await self._locked_rows()
        await self._requests.read(each.request for each in reservations if each.request)
        paid = await self._requests.pay(
            page for bill in self._bills if bill.account.usage_id in rows for page in _paid_by(bill)
        )
        await self._quotas.lock(
            [
                *((owner, a.period) for a in accounts for owner in a.reservation.owner_ids),
                *((owner, r.period) for r in self._reserves for owner in r.reservation.owner_ids),
            ]
        )
        changed = [columns for bill in self._bills if (columns := self._charge(bill, rows, paid))]
        await self._update(changed)
        granted = [row for each in self._reserves if (row := self._grant(each, rows))]
        await self._quotas.write()
        entries = [closed_row(record.entry) for record in self._records]
        # One statement for each shape of row.
        await insert_absent(self._session, UsageRow, granted)
        await insert_absent(self._session, UsageRow, entries)
        await note_key_use(
            self._session,
            [*(each.entry for each in self._records), *reservations],
        )

    def finish(self) -> None:
        """Tell everybody what became of their operation, now that it is committed."""
        for tell in self._finishing:
            tell()

    async def _locked_rows(self) -> dict[str, tuple[int, int]]:
        """Return pages charged and reserved of the rows that are still open and ours.

        A reservation is among them only if it was committed before and the answer was lost.
        """
        ids = {bill.account.usage_id for bill in self._bills}
        ids |= {each.usage_id for each in self._reserves}
        if not ids:
            return {}
        statement = (
            select(UsageRow.usage_id, UsageRow.pages, UsageRow.pages_reserved)
            .where(
                UsageRow.usage_id.in_(sorted(ids)),
                UsageRow.status == OPEN,
                UsageRow.server_id == self._server_id,
            )
            .order_by(UsageRow.usage_id)
            .with_for_update()
        )
        rows = await self._session.execute(statement)
        return {usage_id: (pages, reserved) for usage_id, pages, reserved in rows}

    def _charge(
        self, bill: _Bill, rows: dict[str, tuple[int, int]], paid: set[Page]
    ) -> dict[str, Any] | None:
        """Return the columns to write for a bill, None if somebody else closed its row."""
        account, settle = bill.account, bill.settle
        row = rows.get(account.usage_id)
        self._finishing.append(lambda: _finish_bill(bill, row is not None))
        if row is None:
            return None
        old_pages, old_reserved = row
        new_pages = bill.new_pages
        request = account.reservation.request
        if request:
            mine = [number for number in new_pages if (*request, number) in paid]
            # Another extraction with the same request id may be in this transaction too.
            paid.difference_update((*request, number) for number in mine)
            pages = old_pages + len(mine)
        else:
            pages = len(account.pages) + len(new_pages)
        reserved = 0 if settle else max(0, account.reserved - account.returned - pages)
        owner_ids, period = account.reservation.owner_ids, account.period
        self._quotas.change(owner_ids, period, pages - old_pages, reserved - old_reserved)
        self.pages_charged += max(0, pages - old_pages)
        self._finishing.append(lambda: self._note_remaining(account))
        usage = account.usage + total(new_pages.values())
        return written_columns(account, settle, pages, reserved, usage)

    def _grant(self, reserve: Reserve, rows: dict[str, tuple[int, int]]) -> dict[str, Any] | None:
        """Return the row of a reservation, None if it is refused or written already."""
        reservation = reserve.reservation
        known = rows.get(reserve.usage_id)
        asked = known[1] if known else self._requests.unpaid_pages(reservation)
        refusal = None if known else self._refusal(reserve, asked)
        if refusal:
            self._finishing.append(lambda: _fail(reserve, refusal))
            return None
        account = Account(reserve.usage_id, reservation, reserve.period, asked)
        self._finishing.append(lambda: self._note_remaining(account))
        self._finishing.append(lambda: _answer(reserve, account))
        if known:
            return None
        self._quotas.change(reservation.owner_ids, reserve.period, 0, asked)
        return open_row(account, self._server_id)

    def _refusal(self, reserve: Reserve, asked: int) -> OcrError | None:
        reservation = reserve.reservation
        if self._requests.is_other(reservation):
            return RequestIdReused(reservation.request_id)
        for subject, owner_id, limit in reservation.limits:
            left = self._quotas[owner_id, reserve.period].left_of(limit)
            if asked > left:
                wait_seconds = reserve.seconds_to_next_month
                return QuotaExceeded(subject, limit, left, asked, wait_seconds)
        return None

    def _note_remaining(self, account: Account) -> None:
        account.remaining = min(
            (
                self._quotas[owner_id, account.period].left_of(limit)
                for _, owner_id, limit in account.reservation.limits
            ),
            default=None,
        )

    async def _update(self, changed: list[dict[str, Any]]) -> None:
        table = table_of(UsageRow)
        # Settled rows have more columns than charged ones, so they are two statements.
        for settled in (False, True):
            rows = [row for row in changed if ("b_status" in row) is settled]
            if not rows:
                continue
            columns: dict[str, Any] = {
                name[2:]: bindparam(name) for name in rows[0] if name != "b_usage_id"
            }
            statement = update(table).where(table.c.usage_id == bindparam("b_usage_id"))
            await self._session.execute(statement.values(columns), rows)


def _of_kind(operations: Sequence[Operation], kind: type[Kind]) -> list[Kind]:
    return [each for each in operations if isinstance(each, kind)]


def _bills(operations: Sequence[Operation]) -> list[_Bill]:
    bills: dict[str, _Bill] = {}
    for each in operations:
        if isinstance(each, ChargePage | Settle):
            bill = bills.setdefault(each.account.usage_id, _Bill(each.account))
            if isinstance(each, Settle):
                bill.settle = each
            else:
                bill.charges.append(each)
    return list(bills.values())


def _paid_by(bill: _Bill) -> list[Page]:
    request = bill.account.reservation.request
    return [(*request, number) for number in bill.new_pages] if request else []


def _finish_bill(bill: _Bill, charged: bool) -> None:
    for charge in bill.charges:
        if not charged:
            _fail(charge, LedgerUnavailable())
        elif not charge.withdrawn:
            bill.account.add(charge.number, charge.usage)
            _answer(charge, None)
    if bill.settle:
        _answer(bill.settle, None)


def _answer(operation: Reserve | ChargePage | Settle, answer: Any) -> None:
    if not operation.done.done():
        operation.done.set_result(answer)


def _fail(operation: Reserve | ChargePage, error: OcrError) -> None:
    if not operation.done.done() and not operation.withdrawn:
        operation.done.set_exception(error)
