"""Says whose turn it is: the fencing token of an extraction against that of a log."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.errors import OcrError
from ocr_grpc.resumption.errors import ExtractionNotFound, ExtractionResumed
from ocr_grpc.resumption.log import Log
from ocr_grpc.store.resumption import KeptExtractionRow


async def troubles_of(
    session: AsyncSession, logs: Sequence[Log], now: datetime, lock: bool = False
) -> list[OcrError | None]:
    """Return for each log why it can take nothing more; None if it can.

    Args:
        session: in a transaction that writes, if the answers are to hold until its end.
        logs: of extractions.
        now: when. What has expired is over for good: whoever deletes it may be at it already.
        lock: whether the answers are to hold.
    """
    row = KeptExtractionRow
    ids = sorted({each.extraction_id for each in logs})
    statement = (
        select(row.extraction_id, row.attempt)
        .where(row.extraction_id.in_(ids), row.expire_time > now)
        .order_by(row.extraction_id)
    )
    rows = await session.execute(statement.with_for_update() if lock else statement)
    attempts = {extraction_id: attempt for extraction_id, attempt in rows}  # noqa: C416 - typed rows
    return [_trouble(each, attempts.get(each.extraction_id)) for each in logs]


def _trouble(log: Log, attempt: int | None) -> OcrError | None:
    if attempt is None:
        return ExtractionNotFound(log.extraction_id)
    return None if attempt == log.attempt else ExtractionResumed(log.extraction_id)
