"""Delivers chunks to any number of processes, over tables of PgQueuer beside our own."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job
from pgqueuer.ports import RepositoryPort
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.batches.deliveries import ALONE, CHUNK, Deliveries
from ocr_grpc.batches.dispatcher import Handout
from ocr_grpc.batches.lasting_driver import LastingDriver
from ocr_grpc.batches.queue_names import BUILDERS, NAMES
from ocr_grpc.store.database import WAIT_SECONDS, Database
from ocr_grpc.store.errors import DatabaseUnavailable

log = structlog.get_logger()

POLL = timedelta(seconds=2)
"""Chunks of a dead process are nobody's news: they are found by looking."""

FORGET_SECONDS = 30.0

ANSWER_PART = 1 / 3
"""The part of the heartbeat that a statement may take: one that hangs must leave time for more."""

ANSWER_SECONDS = 2.0
"""What it may take in any case."""

_asyncpg: Any = asyncpg  # most of its types are unknown

_DROP = text(
    f"DELETE FROM {NAMES.qualified.queue_table} WHERE dedupe_key = ANY(:keys) "  # noqa: S608
    "AND status IN ('queued', 'picked')"
)
_OURS = (
    f"SELECT id FROM {NAMES.qualified.queue_table} "  # noqa: S608
    "WHERE id = ANY($1::bigint[]) AND queue_manager_id = $2"
)


class PostgresqlDispatcher(Deliveries):
    """A dispatcher for any number of processes."""

    def __init__(
        self,
        database: Database,
        slots: int,
        grace_seconds: float,
        takeover_seconds: float,
        poll: timedelta = POLL,
    ) -> None:
        """Connect to nothing yet; see `Deliveries`."""
        heartbeat = timedelta(seconds=takeover_seconds)
        super().__init__(slots, grace_seconds, heartbeat, poll, FORGET_SECONDS)
        self._database = database
        self._takeover_seconds = takeover_seconds

    async def enqueue(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """See `Dispatcher`."""
        # A process that gave a chunk back may not have cleared its delivery away yet, and the new
        # one would be taken for the same: it would be skipped, and the chunk lie there.
        if again := [_key(each) for each in handouts if each.taken_before]:
            await session.execute(_DROP, {"keys": again})
        await self.enqueue_lost(session, handouts)

    async def enqueue_lost(self, session: AsyncSession, handouts: Sequence[Handout]) -> None:
        """See `Dispatcher`."""
        if not handouts:
            return
        lent: Any = await (await session.connection()).get_raw_connection()
        if not lent.driver_connection.is_in_transaction():
            # SQLAlchemy begins it with the first statement that goes through it.
            await session.execute(text("SELECT 1"))
        queue = Queries(AsyncpgDriver(lent.driver_connection), *BUILDERS)
        try:
            await queue.enqueue(
                [ALONE if each.alone else CHUNK for each in handouts],
                [str(each.chunk_id).encode() for each in handouts],
                [each.turn for each in handouts],
                dedupe_key=[_key(each) for each in handouts],
                on_conflict="skip",
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("chunks_not_sent", kind=type(error).__name__)
            raise DatabaseUnavailable from error

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[RepositoryPort]:
        driver = LastingDriver(self._connect)
        try:
            yield _OwnJobs(driver, *BUILDERS, careful_seconds=self._takeover_seconds / 2)
        finally:
            driver.close()

    async def _connect(self) -> Any:
        url = self._database.url.set(drivername="postgresql")
        return await _asyncpg.connect(
            url.render_as_string(hide_password=False),
            timeout=WAIT_SECONDS,
            command_timeout=max(ANSWER_SECONDS, self._takeover_seconds * ANSWER_PART),
            server_settings={
                "application_name": "ocr-grpc batches",
                # Taking a delivery and clearing it away wait for no disk, one after the other as
                # they come: what a crash of the database undoes is delivered again.
                "synchronous_commit": "off",
            },
        )

    async def _forget(self, queue: RepositoryPort) -> None:
        # Not all at once, which empties the table and locks it.
        await cast("Queries", queue).clear_queue_log([CHUNK, ALONE])

    def _over(self, chunk_id: int) -> None:
        """Do nothing: the tables know."""


class _OwnJobs(Queries):
    """Clears away only deliveries that are still ours.

    A process that was stopped for a while and went on has lost its chunks to others. PgQueuer would
    clear away what these work on: if one of them died then, nobody would take over in time.
    """

    def __init__(self, driver: LastingDriver, *builders: Any, careful_seconds: float) -> None:
        super().__init__(driver, *builders)
        self._careful_seconds = careful_seconds
        self._taken: dict[int, tuple[float, Any]] = {}
        """When deliveries came to us, and under which id of ours."""

    async def dequeue(self, *args: Any, **kwargs: Any) -> list[Job]:
        jobs = await super().dequeue(*args, **kwargs)
        now = asyncio.get_running_loop().time()
        self._taken |= {job.id: (now, job.queue_manager_id) for job in jobs}
        return jobs

    async def log_jobs(self, job_status: Any) -> None:
        lost = await self._lost([job for job, *_ in job_status])
        if ours := [each for each in job_status if each[0].id not in lost]:
            await super().log_jobs(ours)
        for job, *_ in job_status:
            self._taken.pop(job.id, None)

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: Any) -> None:
        if not await self._lost([job]):
            await super().retry_job(job, delay, traceback_record)
        self._taken.pop(job.id, None)

    async def _lost(self, jobs: Sequence[Job]) -> set[int]:
        """Return which jobs were taken over; asks for those only that are old enough for it."""
        early = asyncio.get_running_loop().time() - self._careful_seconds
        old = {int(job.id) for job in jobs if self._taken.get(job.id, (0.0,))[0] <= early}
        if not old:
            return set()
        rows = await self.driver.fetch(_OURS, list(old), jobs[0].queue_manager_id)
        return old - {int(str(row["id"])) for row in rows}


def _key(handout: Handout) -> str:
    return f"c{handout.chunk_id}"
