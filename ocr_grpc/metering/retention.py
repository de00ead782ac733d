"""How long the rows of the ledger, of quotas and of request ids stay."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from ocr_grpc.metering.months import period_of
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import OPEN, QuotaRow, RequestIdRow, RequestPageRow, UsageRow
from ocr_grpc.store.retention import OldRows, Portion, Rule

REQUEST_IDS_AT_ONCE = 50
REQUEST_PAGES_AT_ONCE = 10_000
"""Pages go with the request id that paid them, up to `MAX_PAGES` with each. On SQLite nobody else
writes meanwhile."""


def metering_rules(database: Database, usage: timedelta, request_ids: timedelta) -> Sequence[Rule]:
    """Return what goes.

    Args:
        database: where the rows are.
        usage: how long rows of the ledger stay, and the quotas of whole months before that.
        request_ids: how long request ids are remembered, with the pages paid under them.
    """
    return (
        OldRequestIds(database, request_ids),
        OldRows(
            database,
            "usage",
            (UsageRow.usage_id,),
            # Open ones are somebody's work, and are closed first.
            lambda now: (UsageRow.create_time < now - usage, UsageRow.status != OPEN),
            order=UsageRow.create_time,
        ),
        OldRows(
            database,
            "quotas",
            (QuotaRow.owner_id, QuotaRow.period),
            lambda now: (QuotaRow.period < period_of(now - usage),),
            order=QuotaRow.owner_id,
        ),
    )


class OldRequestIds:
    """A `Rule`: request ids that are remembered no more, with the pages paid under them."""

    kinds: Sequence[str] = ("request_ids",)

    def __init__(self, database: Database, kept: timedelta) -> None:
        """Take where they are, and how long they are remembered."""
        self._database = database
        self._kept = kept

    async def remove(self, now: datetime) -> Portion:
        """See `Rule`."""
        count, more = await forget_request_ids(
            self._database, self._old(now), RequestIdRow.create_time
        )
        return Portion({self.kinds[0]: count}, more)

    async def due(self, now: datetime) -> Mapping[str, int]:
        """See `Rule`."""
        count = select(func.count()).select_from(RequestIdRow).where(self._old(now))
        async with self._database.read() as session:
            return {self.kinds[0]: await session.scalar(count) or 0}

    def _old(self, now: datetime) -> ColumnElement[bool]:
        return RequestIdRow.create_time < now - self._kept


async def forget_request_ids(
    database: Database,
    chosen: ColumnElement[bool],
    order: InstrumentedAttribute[Any],
    pages_at_once: int = REQUEST_PAGES_AT_ONCE,
) -> tuple[int, bool]:
    """Forget some request ids with the pages paid under them, in one short transaction.

    Args:
        database: where they are.
        chosen: which ones.
        order: the column of an index that finds them.
        pages_at_once: how many pages go; more only if one request id alone has more.

    Returns:
        How many went, and whether there may be more.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    row, page = RequestIdRow, RequestPageRow
    mine = page.user_id == row.user_id, page.request_id == row.request_id
    pages = select(func.count()).select_from(page).where(*mine).scalar_subquery()
    asked = select(row.user_id, row.request_id, pages).where(chosen)
    async with database.read() as session:
        some = asked.order_by(order).limit(REQUEST_IDS_AT_ONCE)
        rows = (await session.execute(some)).all()
    keys: list[tuple[str, str]] = []
    page_count = 0
    for user_id, request_id, count in rows:
        page_count += count
        if keys and page_count > pages_at_once:
            break
        keys.append((user_id, request_id))
    if not keys:
        return 0, False
    key = tuple_(row.user_id, row.request_id)
    async with database.write() as session:
        # What another process is at is left to it.
        free = select(row.user_id, row.request_id).where(key.in_(keys), chosen)
        free = free.with_for_update(skip_locked=True)
        ours = [tuple(each) for each in (await session.execute(free)).all()]
        if not ours:
            return 0, False
        gone = delete(row).where(key.in_(ours)).execution_options(synchronize_session=False)
        done = cast("CursorResult[Any]", await session.execute(gone))
    return done.rowcount, len(keys) < len(rows) or len(rows) == REQUEST_IDS_AT_ONCE
