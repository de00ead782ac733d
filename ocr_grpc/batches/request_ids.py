"""What request ids made, so that a repetition makes nothing.

Uploads are told apart by what is in them: who repeats a command uploads its files again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.new_batch import NewBatch
from ocr_grpc.batches.queries import owned_batch
from ocr_grpc.metering.errors import RequestIdReused
from ocr_grpc.store.batches import BatchRequestRow, BatchRow, FileRow
from ocr_grpc.store.new_rows import insert_new

HALF_BYTES = 16


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What stands for a request.

    Attributes:
        request: 16 bytes, for all of it but the bytes of uploads.
        uploads: 16 bytes, for these. None if one is gone, so that nobody can tell.
    """

    request: bytes
    uploads: bytes | None

    @classmethod
    def of(cls, wanted: NewBatch, uploads: Mapping[str, FileRow]) -> "Fingerprint":
        """Return that of a request, with those of its uploads that are there, by id."""
        request, named = wanted.fingerprint[:HALF_BYTES], hashlib.sha256()
        for upload_id in (each.upload_id for each in wanted.documents if each.upload_id):
            if upload_id not in uploads:
                return cls(request, None)
            file = uploads[upload_id]
            named.update(f"{file.sha256} {file.size_bytes} ".encode())
        return cls(request, named.digest()[:HALF_BYTES])

    def fits(self, kept: bytes) -> bool:
        """Return whether a kept one stands for the same, as far as can be told."""
        request, uploads = kept[:HALF_BYTES], kept[HALF_BYTES:]
        return request == self.request and self.uploads in (None, uploads)


async def made_before(
    session: AsyncSession, user_id: str, request_id: str, fingerprint: Fingerprint
) -> BatchRow | None:
    """Return the batch that a request id made, None if it has made none, or is empty.

    Raises:
        RequestIdReused: it stands for another one.
        BatchNotFound: that batch was deleted.
    """
    known = await session.get(BatchRequestRow, (user_id, request_id)) if request_id else None
    return await _made_by(session, known, fingerprint) if known else None


async def claimed(
    session: AsyncSession, batch: BatchRow, request_id: str, fingerprint: Fingerprint
) -> BatchRow | None:
    """Note that a request id makes a batch; if somebody was faster, return what that one made.

    Raises:
        RequestIdReused: it stands for another one.
        BatchNotFound: what it made was deleted.
    """
    row = {
        "user_id": batch.user_id,
        "request_id": request_id,
        "fingerprint": fingerprint.request + (fingerprint.uploads or b""),
        "batch_id": batch.batch_id,
        "create_time": batch.create_time,
    }
    if await insert_new(session, BatchRequestRow, [row]):
        return None
    known = await session.get_one(BatchRequestRow, (batch.user_id, request_id))
    return await _made_by(session, known, fingerprint)


async def _made_by(
    session: AsyncSession, known: BatchRequestRow, fingerprint: Fingerprint
) -> BatchRow:
    if not fingerprint.fits(known.fingerprint):
        raise RequestIdReused(known.request_id)
    return await owned_batch(session, known.user_id, known.batch_id)
