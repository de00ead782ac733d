"""Forgets rows that are too old, a few at a time, so that nobody waits for it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Select, delete, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from ocr_grpc.metering.months import period_of
from ocr_grpc.store.accounts import AuditRow
from ocr_grpc.store.base import Base
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import OPEN, QuotaRow, RequestIdRow, UsageRow

REQUEST_ID_LIFE = timedelta(hours=24)
ROWS_AT_ONCE = 500
MAX_ROUNDS = 10
"""Of one sweep; the next one comes in seconds."""


async def forget_old_rows(database: Database, retention: timedelta) -> None:
    """Delete request ids after a day, usage, audit events and quotas after `retention`.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    async with database.read() as session:
        now = await database.now(session)
    oldest = now - retention
    await _forget(
        database,
        RequestIdRow,
        (RequestIdRow.user_id, RequestIdRow.request_id),
        _old(RequestIdRow.create_time, now - REQUEST_ID_LIFE),
    )
    closed = _old(UsageRow.create_time, oldest).where(UsageRow.status != OPEN)
    await _forget(database, UsageRow, (UsageRow.usage_id,), closed)
    await _forget(database, AuditRow, (AuditRow.event_id,), _old(AuditRow.create_time, oldest))
    months = select().where(QuotaRow.period < period_of(oldest)).order_by(QuotaRow.owner_id)
    await _forget(database, QuotaRow, (QuotaRow.owner_id, QuotaRow.period), months)


def _old(time: InstrumentedAttribute[datetime], before: datetime) -> Select[Any]:
    return select().where(time < before).order_by(time)


async def _forget(
    database: Database,
    row: type[Base],
    key: tuple[InstrumentedAttribute[str], ...],
    old: Select[Any],
) -> None:
    # What another server is deleting is left to it.
    some = old.add_columns(*key).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
    for _ in range(MAX_ROUNDS):
        async with database.read() as session:
            if (await session.execute(old.add_columns(*key).limit(1))).first() is None:
                return  # most of the time; nobody is kept from writing
        async with database.write() as session:
            keys = (await session.execute(some)).all()
            done: CursorResult[Any] | Any = await session.execute(
                delete(row).where(tuple_(*key).in_([tuple(each) for each in keys]))
            )
        if done.rowcount < ROWS_AT_ONCE:
            return
