"""Reads the ledger: calls one by one, sums of them, and what is left of a quota."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, collate, func, select
from sqlalchemy.orm import InstrumentedAttribute

from ocr_grpc.accounts.principal import Principal
from ocr_grpc.metering.entries import PageUsage
from ocr_grpc.metering.months import month_start, next_month, period_of
from ocr_grpc.metering.quota_book import Pages
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import OPEN, QuotaRow, UsageRow
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of

MAX_GROUPS = 1_000

OK = "OK"


class Grouping(Enum):
    """By what a summary is divided."""

    NONE = "none"
    DAY = "day"
    METHOD = "method"
    KEY = "key"
    KIND = "kind"
    USER = "user"


@dataclass(frozen=True, slots=True)
class UsageScope:
    """Whose calls may be seen. All that is given must fit.

    Attributes:
        everyone: must be set where nothing else is, so that nobody sees all by an oversight.
    """

    user_id: str = ""
    organization_id: str = ""
    key_id: str = ""
    everyone: bool = False

    def __post_init__(self) -> None:
        if not (self.everyone or self.user_id or self.organization_id or self.key_id):
            raise ValueError("A scope names somebody, or says that it is everyone's.")


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Chooses calls; empty fields choose all.

    Attributes:
        start_time: from this time on.
        end_time: before this time.
        kind: the value of a `DocumentKind`.
    """

    start_time: datetime | None = None
    end_time: datetime | None = None
    method: str = ""
    key_id: str = ""
    status: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class UsageSum:
    """The sum of the calls of one group.

    Attributes:
        name: what they have in common, such as `2026-11-21`. Empty for the sum of all.
        failed_calls: those that ended, and not with `OK`.
        pages: pages charged.
    """

    name: str
    calls: int
    failed_calls: int
    pages: int
    usage: PageUsage
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """Sums; `groups` are in the order of their names, at most 1,000."""

    total: UsageSum
    groups: list[UsageSum]


@dataclass(frozen=True, slots=True)
class QuotaState:
    """How much of a month's quota is left.

    Attributes:
        limit: pages of the month; 0 means no limit.
        remaining: pages that can still be asked for. None without a limit. With an API key that
            has a lower quota of its own, less than the other fields tell.
    """

    period: str
    reset_time: datetime
    limit: int
    used: int
    reserved: int
    remaining: int | None
    shared: bool


class UsageQueries:
    """Reads the ledger, the same on both databases."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def list(
        self, scope: UsageScope, chosen: UsageFilter, page_size: int, page_token: str
    ) -> tuple[Sequence[UsageRow], str]:
        """Return a page of calls, the newest first, and the token of the next page.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        statement = (
            select(UsageRow)
            .where(
                *_conditions(scope, chosen),
                *older_than(page_token, UsageRow.create_time, UsageRow.usage_id),
            )
            .order_by(UsageRow.create_time.desc(), UsageRow.usage_id.desc())
            .limit(size + 1)
        )
        async with self._database.read() as session:
            rows = (await session.scalars(statement)).all()
        return one_page(rows, size, lambda row: encoded(row.create_time.isoformat(), row.usage_id))

    async def summary(
        self, scope: UsageScope, chosen: UsageFilter, grouping: Grouping = Grouping.NONE
    ) -> UsageSummary:
        """Return sums of calls; without a `start_time`, from the beginning of the month (UTC)."""
        conditions = _conditions(scope, chosen)
        if chosen.start_time is None:
            conditions.append(UsageRow.create_time >= month_start(self._clock()))
        async with self._database.read() as session:
            total = (await session.execute(select(*_SUMS).where(*conditions))).one()
            groups: Sequence[Any] = ()
            if grouping is not Grouping.NONE:
                named = (
                    select(self._name(grouping).label("group_name"), *_SUMS)
                    .where(*conditions)
                    .group_by("group_name")
                    .subquery()
                )
                # Both databases in the order of code points, whatever their languages are.
                by_code_point = "BINARY" if self._database.is_sqlite else "C"
                ordered = select(named).order_by(collate(named.c.group_name, by_code_point))
                groups = (await session.execute(ordered.limit(MAX_GROUPS))).all()
        return UsageSummary(_sum("", total), [_sum(row[0], row[1:]) for row in groups])

    async def quota(self, principal: Principal) -> QuotaState:
        """Return what is left of the quota somebody draws on."""
        now = self._clock()
        period, quota, key = period_of(now), principal.quota, principal.key
        owner_ids = [quota.owner_id, *([key.key_id] if key else [])]
        statement = select(QuotaRow).where(
            and_(QuotaRow.owner_id.in_(owner_ids), QuotaRow.period == period)
        )
        async with self._database.read() as session:
            rows = {row.owner_id: row for row in await session.scalars(statement)}
        pages = {
            owner_id: Pages(row.used_pages, row.reserved_pages) for owner_id, row in rows.items()
        }
        mine = pages.get(quota.owner_id, Pages())
        left = [mine.left_of(quota.pages)] if quota.pages else []
        if key and key.limits.pages_per_month:
            left.append(pages.get(key.key_id, Pages()).left_of(key.limits.pages_per_month))
        return QuotaState(
            period=period,
            reset_time=next_month(now),
            limit=quota.pages,
            used=mine.used,
            reserved=mine.reserved,
            remaining=min(left, default=None),
            shared=quota.shared,
        )

    def _name(self, grouping: Grouping) -> ColumnElement[str]:
        """Return what the calls of a group have in common."""
        if grouping is Grouping.DAY:
            if self._database.is_sqlite:
                return func.strftime("%Y-%m-%d", UsageRow.create_time)
            return func.to_char(func.timezone("UTC", UsageRow.create_time), "YYYY-MM-DD")
        columns: dict[Grouping, InstrumentedAttribute[Any]] = {
            Grouping.METHOD: UsageRow.method,
            Grouping.KEY: UsageRow.key_id,
            Grouping.KIND: UsageRow.kind,
            Grouping.USER: UsageRow.user_id,
        }
        return func.coalesce(columns[grouping], "")


_SUMS: tuple[ColumnElement[Any], ...] = (
    func.count().label("calls"),
    func.coalesce(func.sum(case((UsageRow.status.in_((OK, OPEN)), 0), else_=1)), 0).label("failed"),
    *(
        func.coalesce(func.sum(column), 0).label(f"sum_{column.key}")
        for column in (
            UsageRow.pages,
            UsageRow.duration_seconds,
            UsageRow.prompt_tokens,
            UsageRow.completion_tokens,
            UsageRow.prompt_chars,
            UsageRow.completion_chars,
            UsageRow.input_bytes,
        )
    ),
)


def _sum(name: str, row: Sequence[Any]) -> UsageSum:
    calls, failed, pages, seconds, *counts = row
    usage = PageUsage(*(int(count) for count in counts))
    return UsageSum(name, calls, int(failed), int(pages), usage, float(seconds))


def _conditions(scope: UsageScope, chosen: UsageFilter) -> list[ColumnElement[bool]]:
    wanted: list[tuple[InstrumentedAttribute[Any], str]] = [
        (UsageRow.user_id, scope.user_id),
        (UsageRow.organization_id, scope.organization_id),
        (UsageRow.key_id, scope.key_id),
        (UsageRow.key_id, chosen.key_id),
        (UsageRow.method, chosen.method),
        (UsageRow.status, chosen.status),
        (UsageRow.kind, chosen.kind),
    ]
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted if value]
    if chosen.start_time:
        conditions.append(UsageRow.create_time >= chosen.start_time)
    if chosen.end_time:
        conditions.append(UsageRow.create_time < chosen.end_time)
    return conditions
