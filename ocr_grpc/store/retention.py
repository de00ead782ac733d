"""What is kept for how long: rules about rows, and the lease of the job that enforces them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    String,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from ocr_grpc.store.base import ID_CHARS, Base, UtcTime
from ocr_grpc.store.database import Database
from ocr_grpc.store.new_rows import insert_new

ROWS_AT_ONCE = 500
"""In one transaction. On SQLite nobody else writes meanwhile: charges must not wait for long."""


class JobLeaseRow(Base):
    """Which process does a job that only one shall do."""

    __tablename__ = "job_leases"

    job: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder_id: Mapped[str] = mapped_column(String(ID_CHARS))
    expire_time: Mapped[datetime] = mapped_column(UtcTime)
    success_time: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it was last done to the end, by whatever process."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What one step of a rule removed.

    Attributes:
        removed: how much of each kind.
        more: whether there may be more that could go now.
        failed: how much could not be removed now; it is tried again.
    """

    removed: Mapping[str, int] = field(default_factory=dict[str, int])
    more: bool = False
    failed: int = 0


class Rule(Protocol):
    """Something that is kept for a while. Several processes may apply it at once."""

    @property
    def kinds(self) -> Sequence[str]:
        """What it removes, as metrics call it."""
        ...

    async def remove(self, now: datetime) -> Portion:
        """Remove some of what is over, in short transactions.

        Raises:
            OcrError: the database, or another store, does not answer.
        """
        ...

    async def due(self, now: datetime) -> Mapping[str, int]:
        """Return how much of each kind is over, and change nothing."""
        ...


class OldRows:
    """Rows of one table that go, or lose some values, once they are old."""

    def __init__(
        self,
        database: Database,
        kind: str,
        key: Sequence[InstrumentedAttribute[Any]],
        chosen: Callable[[datetime], Sequence[ColumnElement[bool]]],
        order: InstrumentedAttribute[Any] | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        """Take what it is about.

        Args:
            database: where the rows are.
            kind: what metrics call them.
            key: the columns of the primary key.
            chosen: which rows are over at a time of the database.
            order: the column of an index that finds them.
            values: what is written instead, so that the rows are chosen no more. None: they go.
        """
        self.kinds = (kind,)
        self._database = database
        self._row = cast("type[Base]", key[0].class_)
        self._key = tuple(key)
        self._chosen = chosen
        self._order = order
        self._values = values

    async def remove(self, now: datetime) -> Portion:
        """See `Rule`."""
        over = self._over(now)
        async with self._database.read() as session:
            if (await session.execute(over.limit(1))).first() is None:
                return Portion()  # most of the time; nobody is kept from writing
        # What another process is at is left to it.
        some = over.limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
        async with self._database.write() as session:
            keys = [tuple(each) for each in (await session.execute(some)).all()]
            if not keys:
                return Portion()
            changed = update(self._row).values(dict(self._values)) if self._values else None
            statement: Any = delete(self._row) if changed is None else changed
            statement = statement.where(tuple_(*self._key).in_(keys))
            statement = statement.execution_options(synchronize_session=False)
            done = cast("CursorResult[Any]", await session.execute(statement))
        return Portion({self.kinds[0]: done.rowcount}, more=len(keys) == ROWS_AT_ONCE)

    async def due(self, now: datetime) -> Mapping[str, int]:
        """See `Rule`."""
        count = select(func.count()).select_from(self._row).where(*self._chosen(now))
        async with self._database.read() as session:
            return {self.kinds[0]: (await session.execute(count)).scalar_one()}

    def _over(self, now: datetime) -> Any:
        over = select(*self._key).where(*self._chosen(now))
        return over if self._order is None else over.order_by(self._order)


class JobLease:
    """Has one of all processes on a database do a job."""

    def __init__(self, database: Database, job: str, holder_id: str, lasts: timedelta) -> None:
        """Hold nothing yet.

        Args:
            database: where processes meet.
            job: its name.
            holder_id: of this process.
            lasts: how long others leave the job to a process that gives no sign of life.
        """
        self._database = database
        self._job = job
        self._holder_id = holder_id
        self._lasts = lasts

    async def take(self) -> datetime | None:
        """Take or renew the lease; return the time of the database, None if another holds it.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.write() as session:
            now = await self._database.now(session)
            row = {"job": self._job, "holder_id": self._holder_id, "expire_time": now + self._lasts}
            if await insert_new(session, JobLeaseRow, [row]):
                return now
            taking = update(JobLeaseRow).where(JobLeaseRow.job == self._job)
            if not self._database.is_sqlite:  # one process has the file: others are gone
                free = JobLeaseRow.expire_time <= now
                taking = taking.where((JobLeaseRow.holder_id == self._holder_id) | free)
            taken = cast("CursorResult[Any]", await session.execute(taking.values(row)))
        return now if taken.rowcount else None

    async def succeeded(self) -> None:
        """Note that the job was done to the end.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.write() as session:
            mine = JobLeaseRow.job == self._job, JobLeaseRow.holder_id == self._holder_id
            now = await self._database.now(session)
            await session.execute(update(JobLeaseRow).where(*mine).values(success_time=now))

    async def last_success(self) -> datetime | None:
        """Return when any process last did the job to the end.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.read() as session:
            row = await session.get(JobLeaseRow, self._job)
            return row.success_time if row else None

    async def give_back(self) -> None:
        """Let another process do it at once.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.write() as session:
            mine = JobLeaseRow.job == self._job, JobLeaseRow.holder_id == self._holder_id
            over = {"expire_time": await self._database.now(session)}
            await session.execute(update(JobLeaseRow).where(*mine).values(over))
