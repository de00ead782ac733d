"""The files of documents: how they come, who uses them, and when they go.

A row is there before its bytes are and stays until they are gone, so a process that dies at any
moment leaves nothing that no row leads to: rows whose time has passed are swept with their bytes.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.names import possible_id
from ocr_grpc.accounts.principal import Principal
from ocr_grpc.batches.arrival import Arrival
from ocr_grpc.batches.errors import UploadNotFound, UploadsFull
from ocr_grpc.batches.kept_bytes import KeptBytes
from ocr_grpc.errors import OcrError
from ocr_grpc.store.base import new_id
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, FileRow
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import BlobsUnavailable

log = structlog.get_logger()

FETCHED_STAYS = timedelta(days=1)
"""How long the bytes from a URL wait for their document, and how often it is looked whether a file
whose time has passed is still used: by then any process that was about to name it has ended."""

SWEPT_AT_ONCE = 100
SWEEPS_AT_ONCE = 10


class Files:
    """Keeps and deletes the bytes of documents, and their rows."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        max_waiting_bytes: int,
        retention: timedelta,
        max_stored_bytes: int = sys.maxsize,
    ) -> None:
        """Take what is needed.

        Args:
            database: where the rows are.
            blobs: where the bytes lie.
            max_waiting_bytes: of uploads of one user that no batch uses.
            retention: how long an upload waits for a batch.
            max_stored_bytes: of all files of one user, whatever uses them.
        """
        self._database = database
        self._blobs = blobs
        self._max_waiting_bytes = max_waiting_bytes
        self._retention = retention
        self._max_stored_bytes = max_stored_bytes
        self._uploading: Counter[str] = Counter()
        """Bytes on their way in, by user."""
        self._fetching: Counter[str] = Counter()

    async def receive(
        self, principal: Principal, file_name: str, chunks: AsyncIterator[bytes], max_bytes: int
    ) -> FileRow:
        """Keep an upload; it exists when this returns, and not if it raises or is cancelled.

        Users with several uploads at a time at several servers may end a little above the limit.

        Raises:
            EmptyDocument: there was not one byte.
            DocumentTooLarge: there were more than `max_bytes`.
            UploadsFull: too many bytes of the user wait for a batch, or are stored.
            BlobsUnavailable: the bytes cannot be kept.
        """
        user_id, stays = principal.user_id, self._retention
        coming = self._coming(self._uploading, user_id, chunks, max_bytes)
        async with coming as arrival:
            return await self._kept(user_id, file_name, arrival, stays, uploaded=True)

    async def store_fetched(
        self, user_id: str, chunks: AsyncIterator[bytes], file_name: str, max_bytes: int
    ) -> FileRow:
        """Keep the document from a URL, for the batch alone that asked for it.

        Raises:
            EmptyDocument: there was not one byte.
            DocumentTooLarge: there were more than `max_bytes`.
            UploadsFull: the user has too many bytes stored.
            BlobsUnavailable: the bytes cannot be kept.
        """
        coming = self._coming(self._fetching, user_id, chunks, max_bytes)
        async with coming as arrival:
            return await self._kept(user_id, file_name, arrival, FETCHED_STAYS, uploaded=False)

    async def delete(self, user_id: str, upload_id: str) -> None:
        """Delete an upload; batches that use it keep its bytes.

        Raises:
            UploadNotFound: the user has none of that id.
            BlobsUnavailable: the bytes are still there; they go with the next sweep.
        """
        async with self._database.write() as session:
            now = await self._database.now(session)
            unused = await self._given_up(
                session,
                now,
                FileRow.file_id == possible_id(upload_id),
                FileRow.user_id == user_id,
                FileRow.uploaded.is_(True),
                FileRow.expire_time > now,
            )
            if unused is None:
                raise UploadNotFound(upload_id)
        await self._destroy(unused)

    async def release(self, file_ids: Sequence[str], spare_uploads: bool = False) -> None:
        """Delete those files that no batch uses any more, uploads too: they went with the last one.

        Args:
            file_ids: of documents whose rows are gone, or whose batch needs them no more, in a
                transaction that has ended.
            spare_uploads: whether those stay that new batches can name.

        Raises:
            BlobsUnavailable: the bytes are still there; they go with the next sweep.
        """
        async with self._database.write() as session:
            now = await self._database.now(session)
            mine = [FileRow.file_id.in_(file_ids)]
            if spare_uploads:
                mine.append(FileRow.uploaded.is_(False))
            unused = await self._given_up(session, now, *mine, spare_used=True)
        await self._destroy(unused or [])

    async def sweep(self) -> int:
        """Delete files whose time has passed and that no batch uses, 1,000 at most.

        Several processes may do it at once.

        Returns:
            How many were deleted.

        Raises:
            BlobsUnavailable: the store does not answer; the rest is found again.
        """
        deleted = 0
        for _ in range(SWEEPS_AT_ONCE):
            async with self._database.read() as session:
                now = await self._database.now(session)
                expired = select(FileRow.file_id).where(FileRow.expire_time <= now)
                oldest = expired.order_by(FileRow.expire_time).limit(SWEPT_AT_ONCE)
                file_ids = (await session.execute(oldest)).scalars().all()
            if not file_ids:
                break
            async with self._database.write() as session:
                still = FileRow.file_id.in_(file_ids), FileRow.expire_time <= now
                unused = await self._given_up(session, now, *still) or []
                # Looked at again only then, or the files of large batches would fill every sweep.
                used = update(FileRow).where(*still, FileRow.file_id.not_in(unused))
                await session.execute(used.values(expire_time=now + FETCHED_STAYS))
            await self._destroy(unused)
            deleted += len(unused)
        return deleted

    @staticmethod
    def is_used() -> ColumnElement[bool]:
        """Return the condition for files that a batch has still to read, or may read again."""
        reads = or_(BatchRow.release_time.is_(None), has_dead_chunk())
        return exists().where(
            DocumentRow.file_id == FileRow.file_id, BatchRow.batch_id == DocumentRow.batch_id, reads
        )

    async def _kept(
        self,
        user_id: str,
        file_name: str,
        arrival: Arrival,
        stays: timedelta,
        uploaded: bool,
    ) -> FileRow:
        file_id = new_id()
        async with self._database.write() as session:
            now = await self._database.now(session)
            row = FileRow(
                file_id=file_id,
                user_id=user_id,
                file_name=file_name,
                size_bytes=0,
                sha256="",
                create_time=now,
                expire_time=now + stays,
            )
            session.add(row)
        try:
            async with aclosing(arrival.chunks()) as chunks:
                await self._blobs.put(file_id, chunks)
            async with self._database.write() as session:
                # Once more, as other servers may have taken some as well.
                more = arrival.size_bytes
                self._check(await KeptBytes.of(session, user_id), more if uploaded else 0, more)
                now = await self._database.now(session)
                row = await session.get_one(FileRow, file_id)
                row.size_bytes, row.sha256 = arrival.size_bytes, arrival.sha256
                row.uploaded, row.create_time, row.expire_time = uploaded, now, now + stays
        except BlobsUnavailable:
            async with self._database.write() as session:
                swept = update(FileRow).where(FileRow.file_id == file_id)
                await session.execute(swept.values(expire_time=now))
            raise
        except BaseException:
            await self._clean_up(file_id)
            raise
        return row

    @asynccontextmanager
    async def _coming(
        self, coming: Counter[str], user_id: str, chunks: AsyncIterator[bytes], max_bytes: int
    ) -> AsyncGenerator[Arrival, None]:
        """Count a document while it comes; refused as soon as it is too much."""
        async with self._database.read() as session:
            kept = await KeptBytes.of(session, user_id)

        def check(more: int) -> None:
            uploading = self._uploading[user_id] + more if coming is self._uploading else 0
            total = self._uploading[user_id] + self._fetching[user_id] + more
            self._check(kept, uploading, total)

        def count(more: int) -> None:
            coming[user_id] += more
            check(0)

        arrival = Arrival(chunks, max_bytes, count)
        check(1)  # not a byte is taken where there is no room for one
        try:
            yield arrival
        finally:
            coming[user_id] -= arrival.counted_bytes
            if not coming[user_id]:
                del coming[user_id]

    def _check(self, kept: KeptBytes, uploading: int, coming: int) -> None:
        if uploading and kept.waiting_bytes + uploading > self._max_waiting_bytes:
            raise UploadsFull(self._max_waiting_bytes)
        if kept.stored_bytes + coming > self._max_stored_bytes:
            raise UploadsFull(self._max_stored_bytes, stored=True)

    async def _given_up(
        self,
        session: AsyncSession,
        now: datetime,
        *which: ColumnElement[bool],
        spare_used: bool = False,
    ) -> list[str] | None:
        """Make files unusable for new batches; return those that no batch uses, None if none match.

        Whoever makes a batch locks the uploads it names: either its documents are seen here, or it
        finds the uploads gone.

        Args:
            session: in a transaction that writes.
            now: the time of the database.
            which: files.
            spare_used: whether those that a batch uses stay usable.
        """
        locked = select(FileRow.file_id).where(*which).order_by(FileRow.file_id).with_for_update()
        file_ids = (await session.execute(locked)).scalars().all()
        if not file_ids:
            return None
        using = select(FileRow.file_id).where(FileRow.file_id.in_(file_ids), self.is_used())
        used = set((await session.execute(using)).scalars())
        unused = [file_id for file_id in file_ids if file_id not in used]
        ended = update(FileRow).where(FileRow.file_id.in_(unused if spare_used else file_ids))
        await session.execute(ended.values(uploaded=False, expire_time=now))
        return unused

    async def _destroy(self, file_ids: Sequence[str]) -> None:
        """Delete the bytes, then the rows: a row without bytes is found again, bytes are not."""
        if not file_ids:
            return
        await self._blobs.delete(file_ids)
        async with self._database.write() as session:
            gone = delete(FileRow).where(FileRow.file_id.in_(file_ids))
            await session.execute(gone.where(FileRow.uploaded.is_(False)))

    async def _clean_up(self, file_id: str) -> None:
        """Delete a file that did not come about, even when cancelled."""
        cleaning = asyncio.ensure_future(self._destroy([file_id]))
        await asyncio.wait({cleaning})
        if error := cleaning.exception():
            # What led here is raised; the row leads a sweep to the bytes.
            reason = error.reason if isinstance(error, OcrError) else type(error).__name__
            log.warning("file_not_removed", file_id=file_id, reason=reason)


def has_dead_chunk() -> ColumnElement[bool]:
    """Return the condition for documents of which a part was given up, and can be sent again."""
    return exists().where(ChunkRow.document_id == DocumentRow.document_id, ChunkRow.state == "dead")
