"""Removes batches that were deleted, have expired, or whose owners are gone, with their files."""

from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import structlog
from sqlalchemy import CursorResult, delete, func, or_, select, tuple_, update

from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.errors import BatchNotFound
from ocr_grpc.batches.files import FETCHED_STAYS, SWEEPS_AT_ONCE, SWEPT_AT_ONCE, Files
from ocr_grpc.batches.removal import Removal
from ocr_grpc.batches.sources import Sources
from ocr_grpc.errors import OcrError
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.batches import BatchRequestRow, BatchRow, FileRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.news import News
from ocr_grpc.store.retention import ROWS_AT_ONCE, Portion

log = structlog.get_logger()

BATCHES_AT_ONCE = 100
FILES_AT_ONCE = 1_000
MOST_FAILED = 3
"""After so many batches that could not be removed the rest waits for the next sweep."""

_DEPARTED = select(UserRow.user_id).where(UserRow.delete_time.is_not(None))

BATCHES, DOCUMENTS, FILES, DEAD_LETTERS, REQUEST_IDS = (
    "batches",
    "batch_documents",
    "files",
    "dead_letters",
    "batch_request_ids",
)

T = TypeVar("T")


class Purge:
    """Removes what is over; a `Rule` of the retention job."""

    kinds: Sequence[str] = (BATCHES, DOCUMENTS, FILES, DEAD_LETTERS, REQUEST_IDS)

    def __init__(
        self,
        database: Database,
        news: News,
        files: Files,
        sources: Sources,
        request_ids: timedelta = timedelta(hours=24),
    ) -> None:
        """Take what is needed; `request_ids`: how long those are remembered."""
        self._database = database
        self._files = files
        self._sources = sources
        self._request_ids = request_ids
        self._remover = Removal(database, files)
        self._ending = Ending(database, news)
        self._removed: Counter[str] = Counter()
        self._failed = 0

    async def remove(self, now: datetime) -> Portion:
        """Remove what is over.

        Several processes may do it at once. What cannot be removed is logged, and holds up nothing
        else.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        self._removed.clear()
        self._failed = 0
        await self._expire(now)
        await self._tried("departed", self._end_of_departed(now))
        await self._remove_batches()
        await self._tried("dead_letters", self._sources.bury(now), DEAD_LETTERS)
        await self._tried("documents", self._sources.release(now), DOCUMENTS)
        await self._tried("files", self._files.sweep(), FILES)
        await self._tried("request_ids", self._forget_requests(now), REQUEST_IDS)
        full = (
            self._removed[BATCHES] >= BATCHES_AT_ONCE
            or self._removed[FILES] >= SWEPT_AT_ONCE * SWEEPS_AT_ONCE
            or self._removed[REQUEST_IDS] >= ROWS_AT_ONCE
            or self._sources.more
        )
        return Portion(dict(self._removed), full, self._failed)

    async def sweep(self) -> int:
        """Remove what is over now, and return how many batches that were.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.read() as session:
            now = await self._database.now(session)
        return (await self.remove(now)).removed.get(BATCHES, 0)

    async def due(self, now: datetime) -> Mapping[str, int]:
        """See `Rule`."""
        over = or_(
            BatchRow.expire_time < now,
            BatchRow.delete_time.is_not(None),
            BatchRow.user_id.in_(_DEPARTED),
        )
        gone = FileRow.expire_time <= now, ~self._files.is_used()
        uploads = FileRow.user_id.in_(_DEPARTED), FileRow.uploaded
        old = BatchRequestRow.create_time < now - self._request_ids
        async with self._database.read() as session:
            batches = await session.scalar(select(func.count(BatchRow.batch_id)).where(over))
            files = await session.scalar(
                select(func.count(FileRow.file_id)).where(
                    or_(gone[0] & gone[1], uploads[0] & uploads[1])
                )
            )
            requests = await session.scalar(select(func.count(BatchRequestRow.batch_id)).where(old))
        return {
            BATCHES: batches or 0,
            FILES: files or 0,
            REQUEST_IDS: requests or 0,
            **await self._sources.due(now),
        }

    async def _remove_batches(self) -> None:
        failed = 0
        for batch_id in await self._over():
            gone = await self._tried("batch", self._remover.remove(batch_id), batch_id=batch_id)
            self._removed[BATCHES] += gone is True
            failed += gone is None
            if failed == MOST_FAILED:
                break  # it is not the batches

    async def _expire(self, now: datetime) -> None:
        expired = BatchRow.expire_time < now, BatchRow.delete_time.is_(None)
        async with self._database.read() as session:
            if (await session.execute(select(BatchRow.batch_id).where(*expired).limit(1))).first():
                async with self._database.write() as writing:
                    await writing.execute(update(BatchRow).where(*expired).values(delete_time=now))

    async def _end_of_departed(self, now: datetime) -> None:
        """Delete the batches and uploads of users who were deleted: nobody else ever could."""
        left = BatchRow.user_id.in_(_DEPARTED), BatchRow.delete_time.is_(None)
        # The others too that would stay for long: a server died while they came.
        left_behind = or_(FileRow.uploaded, FileRow.expire_time > now + FETCHED_STAYS)
        uploads = FileRow.user_id.in_(_DEPARTED), left_behind
        async with self._database.read() as session:
            asked = select(BatchRow.user_id, BatchRow.batch_id).where(*left).limit(BATCHES_AT_ONCE)
            batches = (await session.execute(asked)).all()
            named = select(FileRow.file_id).where(*uploads).limit(FILES_AT_ONCE)
            file_ids = (await session.execute(named)).scalars().all()
        for user_id, batch_id in batches:
            await self._tried("departed", self._delete(user_id, batch_id), batch_id=batch_id)
        if file_ids:
            async with self._database.write() as session:
                still = FileRow.file_id.in_(file_ids)
                # In the order of all who lock files.
                locked = select(FileRow.file_id).where(still).order_by(FileRow.file_id)
                await session.execute(locked.with_for_update())
                over = {"uploaded": False, "expire_time": now}
                await session.execute(update(FileRow).where(still).values(over))

    async def _delete(self, user_id: str, batch_id: str) -> None:
        with suppress(BatchNotFound):  # another process was faster
            await self._ending.delete(user_id, batch_id)

    async def _over(self) -> Sequence[str]:
        # By chance: those that cannot be removed must not always stand before the others.
        over = select(BatchRow.batch_id).where(BatchRow.delete_time.is_not(None))
        async with self._database.read() as session:
            some = over.order_by(func.random()).limit(BATCHES_AT_ONCE)
            return (await session.execute(some)).scalars().all()

    async def _forget_requests(self, now: datetime) -> int:
        key = BatchRequestRow.user_id, BatchRequestRow.request_id
        is_old = or_(
            BatchRequestRow.create_time < now - self._request_ids,
            BatchRequestRow.user_id.in_(_DEPARTED),
        )
        async with self._database.read() as session:
            asked = select(*key).where(is_old).limit(ROWS_AT_ONCE)
            keys = [tuple(each) for each in (await session.execute(asked)).all()]
        if not keys:
            return 0
        async with self._database.write() as session:
            gone = delete(BatchRequestRow).where(tuple_(*key).in_(keys))
            return cast("CursorResult[Any]", await session.execute(gone)).rowcount

    async def _tried(self, what: str, work: Awaitable[T], kind: str = "", **of: str) -> T | None:
        """Return what the work returns, None if it failed; count it as so many of a kind."""
        try:
            done = await work
        except OcrError as error:
            log.warning("not_removed", what=what, reason=error.reason, **of)
        except Exception as error:
            cause = str(getattr(error, "orig", error))[:200]
            log.error("not_removed", what=what, error=cause, **of)
        else:
            if kind and isinstance(done, int):
                self._removed[kind] += done
            return done
        self._failed += 1
        return None
