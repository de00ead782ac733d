"""Reads kept events again: to send them once more, and to see how far the reading of pages came."""

from collections.abc import AsyncGenerator
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.resumption.entries import KeptEvent, TakenOver, from_store
from ocr_grpc.resumption.errors import ExtractionNotFound
from ocr_grpc.store.database import Database
from ocr_grpc.store.resumption import KeptEventRow, KeptExtractionRow

EVENTS_AT_ONCE = 32
BYTES_AT_ONCE = 1024 * 1024
"""Of stored events in memory at a time; one that is larger is read alone."""

REPLAY = timedelta(minutes=2)
"""What sending one portion of the events of an extraction may take."""

SUMS = ("started", "page_finished")
BEGUN = ("page_started", "page_image", "delta")


async def replay(
    database: Database, taken: TakenOver, after_sequence: int
) -> AsyncGenerator[KeptEvent, None]:
    """Yield the events after a number up to the newest; they do not expire meanwhile.

    Raises:
        ExtractionNotFound: they did, as whoever gets them let a portion wait for minutes.
        DatabaseUnavailable: the database does not answer.
    """
    while after_sequence < taken.last_sequence:
        await _renew(database, taken.extraction_id)
        found = await _portion(database, taken.extraction_id, after_sequence)
        if not found:
            raise ExtractionNotFound(taken.extraction_id)
        for stored in found:
            yield from_store(*stored)
            after_sequence = stored[0]


async def progress(database: Database, extraction_id: str) -> AsyncGenerator[KeptEvent, None]:
    """Yield what tells how far the pages are, in the order in which it was sent.

    These are `started`, the end of each page that ended, and what was sent of those that did not.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    row = KeptEventRow
    ended = select(row.page_number).where(
        row.extraction_id == extraction_id, row.kind == "page_finished"
    )
    under_way = row.kind.in_(BEGUN) & row.page_number.not_in(ended)
    wanted = row.kind.in_(SUMS) | under_way
    after_sequence = 0
    while found := await _portion(database, extraction_id, after_sequence, wanted):
        for stored in found:
            yield from_store(*stored)
            after_sequence = stored[0]


async def _renew(database: Database, extraction_id: str) -> None:
    """See that what is about to be sent does not go meanwhile."""
    row = KeptExtractionRow
    mine = row.extraction_id == extraction_id
    async with database.read() as session:
        now = await database.now(session)
        expire_time = await session.scalar(select(row.expire_time).where(mine))
    if expire_time is None or expire_time > now + REPLAY / 2:
        return
    async with database.write() as session:
        # What has expired is over for good: whoever deletes it may be at it already.
        alive = (mine, row.expire_time > now, row.expire_time < now + REPLAY)
        await session.execute(update(row).where(*alive).values(expire_time=now + REPLAY))


async def _portion(
    database: Database, extraction_id: str, after_sequence: int, *only: ColumnElement[bool]
) -> list[tuple[int, int | None, str, bytes]]:
    """Return some events after a number as they are stored, in order; none if there are no more."""
    row = KeptEventRow
    chosen = (row.extraction_id == extraction_id, row.sequence > after_sequence, *only)
    async with database.read() as session:
        last = await _end_of_portion(session, chosen)
        if last is None:
            return []
        statement = select(row.sequence, row.page_number, row.kind, row.payload)
        statement = statement.where(*chosen, row.sequence <= last).order_by(row.sequence)
        return [(*each,) for each in await session.execute(statement)]


async def _end_of_portion(
    session: AsyncSession, chosen: tuple[ColumnElement[bool], ...]
) -> int | None:
    """Return the last number of the events that are read together; None if there are none."""
    row = KeptEventRow
    sizes = (
        select(row.sequence, func.length(row.payload))
        .where(*chosen)
        .order_by(row.sequence)
        .limit(EVENTS_AT_ONCE)
    )
    last: int | None = None
    total_bytes = 0
    for sequence, size_bytes in await session.execute(sizes):
        total_bytes += size_bytes
        if last is not None and total_bytes > BYTES_AT_ONCE:
            break
        last = sequence
    return last
