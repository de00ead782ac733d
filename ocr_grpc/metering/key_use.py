"""Notes when API keys were last used, to the minute."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.metering.entries import CallEntry, Reservation
from ocr_grpc.store.accounts import KeyRow
from ocr_grpc.store.new_rows import table_of


async def note_key_use(session: AsyncSession, calls: Iterable[CallEntry | Reservation]) -> None:
    """Note the use of the keys of these calls, in the transaction that writes them down."""
    used: dict[str, datetime] = {}
    for call in calls:
        if call.key_id:
            moment = call.create_time.replace(second=0, microsecond=0)
            used[call.key_id] = max(moment, used.get(call.key_id, moment))
    if not used:
        return
    table = table_of(KeyRow)
    last = table.c.last_use_time
    minute: BindParameter[Any] = bindparam("minute")
    statement = (
        update(table)
        # A row that has this minute already is left alone, and is not even locked.
        .where(table.c.key_id == bindparam("key"), or_(last.is_(None), last < minute))
        .values(last_use_time=minute)
    )
    rows = [{"key": key_id, "minute": moment} for key_id, moment in sorted(used.items())]
    await session.execute(statement, rows)
