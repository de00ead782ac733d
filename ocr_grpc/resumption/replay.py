"""Reads kept events again: to send them once more, and to see how far the reading of pages came."""

from collections.abc import AsyncGenerator

from sqlalchemy import ColumnElement, select

from ocr_grpc.resumption.entries import KeptEvent, from_store
from ocr_grpc.store.database import Database
from ocr_grpc.store.resumption import KeptEventRow

EVENTS_AT_ONCE = 32
"""Events in memory at a time; a picture of a page has some 2 MB."""

SUMS = ("started", "page_finished")
BEGUN = ("page_started", "page_image", "delta")


async def events_after(
    database: Database, extraction_id: str, after_sequence: int, *only: ColumnElement[bool]
) -> AsyncGenerator[KeptEvent, None]:
    """Yield the events after a number, in order; those that meet the conditions.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    row = KeptEventRow
    while True:
        statement = (
            select(row.sequence, row.page_number, row.kind, row.payload)
            .where(row.extraction_id == extraction_id, row.sequence > after_sequence, *only)
            .order_by(row.sequence)
            .limit(EVENTS_AT_ONCE)
        )
        async with database.read() as session:
            found = (await session.execute(statement)).all()
        for sequence, page_number, kind, stored in found:
            yield from_store(sequence, page_number, kind, stored)
            after_sequence = sequence
        if len(found) < EVENTS_AT_ONCE:
            return


def progress(database: Database, extraction_id: str) -> AsyncGenerator[KeptEvent, None]:
    """Yield what tells how far the pages are, in no particular order.

    These are `started`, the end of each page that ended, and what was sent of those that did not.
    """
    row = KeptEventRow
    ended = select(row.page_number).where(
        row.extraction_id == extraction_id, row.kind == "page_finished"
    )
    under_way = row.kind.in_(BEGUN) & row.page_number.not_in(ended)
    return events_after(database, extraction_id, 0, row.kind.in_(SUMS) | under_way)
