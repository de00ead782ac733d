"""What request ids made, so that a repetition makes nothing."""

from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.queries import owned_batch
from ocr_grpc.metering.errors import RequestIdReused
from ocr_grpc.store.batches import BatchRequestRow, BatchRow
from ocr_grpc.store.new_rows import insert_new


async def made_before(
    session: AsyncSession, user_id: str, request_id: str, fingerprint: bytes
) -> BatchRow | None:
    """Return the batch that a request id made, None if it has made none, or is empty.

    Raises:
        RequestIdReused: it stands for another one.
        BatchNotFound: that batch was deleted.
    """
    known = await session.get(BatchRequestRow, (user_id, request_id)) if request_id else None
    return await _made_by(session, known, fingerprint) if known else None


async def claimed(
    session: AsyncSession, batch: BatchRow, request_id: str, fingerprint: bytes
) -> BatchRow | None:
    """Note that a request id makes a batch; if somebody was faster, return what that one made.

    Raises:
        RequestIdReused: it stands for another one.
        BatchNotFound: what it made was deleted.
    """
    row = {
        "user_id": batch.user_id,
        "request_id": request_id,
        "fingerprint": fingerprint,
        "batch_id": batch.batch_id,
        "create_time": batch.create_time,
    }
    if await insert_new(session, BatchRequestRow, [row]):
        return None
    known = await session.get_one(BatchRequestRow, (batch.user_id, request_id))
    return await _made_by(session, known, fingerprint)


async def _made_by(session: AsyncSession, known: BatchRequestRow, fingerprint: bytes) -> BatchRow:
    if known.fingerprint != fingerprint:
        raise RequestIdReused(known.request_id)
    return await owned_batch(session, known.user_id, known.batch_id)
