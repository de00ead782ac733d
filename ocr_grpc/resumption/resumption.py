"""Extractions that can be resumed: begun, taken over, replayed, and forgotten in the end.

What a death of the process leaves, at any point: a row without events, then perhaps a document in
the blob store, then events. The row is there first and goes last, so the sweep of any server finds
all of it once the time is over.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from ocr_grpc.extraction.errors import SequenceOutOfRange
from ocr_grpc.extraction.kept_options import opened_options, sealed_options
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.resumption.entries import KeptEvent, NewExtraction, TakenOver
from ocr_grpc.resumption.errors import ExtractionNotFound, KeptFull
from ocr_grpc.resumption.expiry import Expiry
from ocr_grpc.resumption.log import Log, Lost
from ocr_grpc.resumption.log_watch import LogWatch
from ocr_grpc.resumption.log_writer import LogWriter
from ocr_grpc.resumption.replay import REPLAY, progress, replay
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.resumption import KeptExtractionRow
from ocr_grpc.store.sealing import Seal

_ID = re.compile(r"[0-9a-f]{1,32}")

MAX_USER_BYTES = 2 * 1024**3
"""What the documents of one user's extractions may have together, until they expire."""


class Resumption:
    """Keeps extractions for a while. `start` it before serving, `close` it after the last call."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        seal: Seal,
        retention_seconds: float,
        max_user_bytes: int = MAX_USER_BYTES,
    ) -> None:
        """Start nothing yet.

        Args:
            database: where events are kept.
            blobs: where documents are kept.
            seal: for options, as a password may be in them.
            retention_seconds: how long an extraction is kept after its last event.
            max_user_bytes: what the documents of one user's extractions may have together.
        """
        self._database = database
        self._blobs = blobs
        self._seal = seal
        self._retention = timedelta(seconds=retention_seconds)
        self._max_user_bytes = max_user_bytes
        self._writer = LogWriter(database, self._retention)
        self._watch = LogWatch(database, self._retention)
        self._expiry = Expiry(database, blobs)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to keep events."""
        work = (self._writer.write_for_ever(), self._watch.watch_for_ever())
        self._tasks = [asyncio.create_task(each) for each in work]

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._expiry.close()

    async def require_room(self, user_id: str, size_bytes: int) -> None:
        """Check that a user may have one more extraction kept, before anything of it is read.

        Calls at the same moment may pass together; a user has no more of them than streams.

        Raises:
            KeptFull: no.
            DatabaseUnavailable: the database does not answer.
        """
        row = KeptExtractionRow
        async with self._database.read() as session:
            now = await self._database.now(session)
            mine = select(func.sum(row.size_bytes)).where(
                row.user_id == user_id, row.expire_time > now
            )
            kept_bytes = int(await session.scalar(mine) or 0)
        if kept_bytes + size_bytes > self._max_user_bytes:
            raise KeptFull(self._max_user_bytes)

    async def begin(self, new: NewExtraction, document: Path, lost: Lost) -> Log:
        """Keep an extraction and its document from now on.

        Args:
            new: what it is.
            document: its file, complete.
            lost: called when somebody else goes on with it.

        Raises:
            DatabaseUnavailable, BlobsUnavailable: it cannot be kept.
        """
        options = await asyncio.to_thread(sealed_options, self._seal, new.options)
        async with self._database.write() as session:
            now = await self._database.now(session)
            session.add(
                KeptExtractionRow(
                    extraction_id=new.extraction_id,
                    user_id=new.user_id,
                    method=new.method,
                    file_name=new.file_name,
                    size_bytes=new.size_bytes,
                    options=options,
                    request_id=new.request_id,
                    fingerprint=new.fingerprint,
                    pages=new.options.pages,
                    create_time=new.create_time,
                    expire_time=now + self._retention,
                )
            )
        log = self._log(new.extraction_id, 1, 0, lost)
        try:
            await self._blobs.put_file(new.extraction_id, document)
        except BaseException:
            log.close()
            raise
        return log

    async def take_over(self, user_id: str, extraction_id: str, after_sequence: int) -> TakenOver:
        """Go on with an extraction, here and nowhere else; one that has ended stays as it is.

        Raises:
            ExtractionNotFound: there is none, or it is somebody else's, or too old.
            SequenceOutOfRange: the number is of no event of it, and not 0.
            DatabaseUnavailable: the database does not answer.
        """
        if not _ID.fullmatch(extraction_id):
            raise ExtractionNotFound(extraction_id)
        row = KeptExtractionRow
        async with self._database.write() as session:
            now = await self._database.now(session)
            wanted = select(row).where(
                row.extraction_id == extraction_id,
                row.user_id == user_id,
                row.expire_time > now,
                row.last_sequence > 0,  # before that nobody knows of it
            )
            found = (await session.execute(wanted.with_for_update())).scalar_one_or_none()
            if found is None:
                raise ExtractionNotFound(extraction_id)
            if not 0 <= after_sequence <= found.last_sequence:
                raise SequenceOutOfRange(after_sequence, found.last_sequence)
            if found.ended:
                # What is about to be sent must not go meanwhile.
                found.expire_time = max(found.expire_time, now + REPLAY)
            else:
                found.attempt += 1
                found.expire_time = now + self._retention
            return TakenOver(
                found.extraction_id,
                found.file_name,
                found.size_bytes,
                found.options,
                found.request_id,
                found.fingerprint,
                found.attempt,
                found.last_sequence,
                found.ended,
                found.create_time,
            )

    def log_of(self, taken: TakenOver, lost: Lost) -> Log:
        """Return the log to which whoever took an extraction over adds events."""
        return self._log(taken.extraction_id, taken.attempt, taken.last_sequence, lost)

    def options_of(self, taken: TakenOver) -> ExtractOptions:
        """Return how an extraction is to be read.

        Raises:
            SealBroken: this server has another secret than the one that began it.
        """
        return opened_options(self._seal, taken.sealed_options)

    def document(self, taken: TakenOver, folder: Path) -> AbstractAsyncContextManager[Path]:
        """Have the document of an extraction in a file, perhaps in `folder`, while the block lasts.

        Raises:
            BlobMissing, BlobsUnavailable: it cannot be had.
        """
        return self._blobs.local(taken.extraction_id, folder)

    def events(self, taken: TakenOver, after_sequence: int) -> AsyncGenerator[KeptEvent, None]:
        """Yield the events of an extraction after a number, as they were sent; see `replay`."""
        return replay(self._database, taken, after_sequence)

    def progress(self, taken: TakenOver) -> AsyncGenerator[KeptEvent, None]:
        """Yield those that tell how far its pages are; see `replay.progress`."""
        return progress(self._database, taken.extraction_id)

    def has_ended(self, extraction_id: str) -> None:
        """Let go of a document that nobody will read again; its events stay."""
        self._expiry.delete_soon(extraction_id)

    @property
    def expiry(self) -> Expiry:
        """What deletes extractions that have expired."""
        return self._expiry

    def _log(self, extraction_id: str, attempt: int, last_sequence: int, lost: Lost) -> Log:
        return Log(self._writer, self._watch, extraction_id, attempt, last_sequence, lost)
