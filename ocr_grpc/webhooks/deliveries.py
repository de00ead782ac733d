"""The messages to webhooks as their owners see them: listed, sent again, forgotten."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.names import possible_id
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of
from ocr_grpc.store.webhooks import DeliveryRow, WebhookRow
from ocr_grpc.webhooks.attempts import GIVE_UP
from ocr_grpc.webhooks.errors import DeliveryNotFound, WebhookDisabled
from ocr_grpc.webhooks.webhook_rows import DELIVERED, FAILED, NOBODY, WAITING, find_webhook

KEPT_DELIVERED = timedelta(days=7)
KEPT = timedelta(days=30)
"""What is kept of messages that were not delivered; the others nobody asks about for as long."""
FORGOTTEN = timedelta(hours=1)
"""How long past its day a message may be due without having been sent, before it has failed."""
ROWS_AT_ONCE = 500
PORTIONS_OF_A_SWEEP = 10
"""Nobody else writes to SQLite while they are deleted, and the next sweep comes in seconds."""
MOST_OF_A_SWEEP = ROWS_AT_ONCE * PORTIONS_OF_A_SWEEP


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `status` 0: no answer came; `problem` is empty if it delivered."""

    create_time: datetime
    status: int
    problem: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message, as it was a moment ago. `state` is `waiting`, `delivered` or `failed`."""

    delivery_id: str
    webhook_id: str
    event_type: str
    batch_id: str
    state: str
    create_time: datetime
    next_attempt_time: datetime | None
    attempts: Sequence[Attempt]
    body: str


class Deliveries:
    """The messages to webhooks, for their owners."""

    def __init__(self, database: Database, wake: Callable[[], object] = lambda: None) -> None:
        """Take the database, and what tells a sender that something is due."""
        self._database = database
        self._wake = wake

    async def list(
        self,
        user_id: str,
        webhook_id: str,
        state: str | None = None,
        page_size: int = 0,
        page_token: str = "",
    ) -> tuple[list[Delivery], str]:
        """Return a page of messages, the newest first, and the token of the next.

        Raises:
            WebhookNotFound: there is no such webhook, or it belongs to somebody else.
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        chosen = older_than(page_token, DeliveryRow.create_time, DeliveryRow.delivery_id)
        if state:
            chosen.append(DeliveryRow.state == state)
        async with self._database.read() as sql:
            webhook = await find_webhook(sql, user_id, webhook_id)
            rows = await sql.scalars(
                select(DeliveryRow)
                .where(DeliveryRow.webhook_id == webhook.webhook_id, *chosen)
                .order_by(DeliveryRow.create_time.desc(), DeliveryRow.delivery_id.desc())
                .limit(size + 1)
            )
            found = [_delivery_of(row) for row in rows]
        return one_page(
            found, size, lambda one: encoded(one.create_time.isoformat(), one.delivery_id)
        )

    async def resend(self, user_id: str, webhook_id: str, delivery_id: str) -> Delivery:
        """Have a message sent again now, with the same id. Past its day it is tried once.

        Raises:
            WebhookNotFound: there is no such webhook, or it belongs to somebody else.
            DeliveryNotFound: there is no such message to it.
            WebhookDisabled: it is switched off.
        """
        async with self._database.write() as sql:
            webhook = await find_webhook(sql, user_id, webhook_id, lock=True)
            row = await sql.scalar(
                select(DeliveryRow)
                .where(
                    DeliveryRow.delivery_id == possible_id(delivery_id),
                    DeliveryRow.webhook_id == webhook.webhook_id,
                )
                .with_for_update()
            )
            if row is None:
                raise DeliveryNotFound(delivery_id)
            if webhook.disabled:
                raise WebhookDisabled
            row.state, row.next_attempt_time = WAITING, await self._database.now(sql)
            resent = _delivery_of(row)
        self._wake()
        return resent


async def sweep(
    session: AsyncSession,
    now: datetime,
    kept_delivered: timedelta = KEPT_DELIVERED,
    kept: timedelta = KEPT,
) -> int:
    """Forget what is too old at a time of the database; return how many rows.

    Messages are kept for 7 days once they were delivered, else for 30, from when they were sent
    last; one that nobody sent for an hour past its day has failed; webhooks that were deleted, or
    whose owners were, go after their messages, so that no statement has to delete all of these at
    once.
    """
    overdue = select(DeliveryRow.delivery_id).where(
        DeliveryRow.state == WAITING,
        DeliveryRow.next_attempt_time < now - FORGOTTEN,
        DeliveryRow.create_time < now - GIVE_UP - FORGOTTEN,
    )
    if late := await _some(session, overdue):
        await session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.delivery_id.in_(late))
            .values(state=FAILED, next_attempt_time=None)
        )
    return await _forget_old(session, now, kept_delivered, kept) + await _forget_ownerless(session)


async def delete_some(session: AsyncSession, webhook_ids: Sequence[str]) -> int:
    """Delete messages to webhooks, no more than one statement may; return how many."""
    theirs = select(DeliveryRow.delivery_id).where(DeliveryRow.webhook_id.in_(webhook_ids))
    gone = await _some(session, theirs)
    if gone:
        await session.execute(delete(DeliveryRow).where(DeliveryRow.delivery_id.in_(gone)))
    return len(gone)


async def _forget_ownerless(session: AsyncSession) -> int:
    owner_is_gone = exists().where(
        UserRow.user_id == WebhookRow.user_id, UserRow.delete_time.is_not(None)
    )
    over = or_(WebhookRow.user_id == NOBODY, owner_is_gone)
    ownerless = await _some(session, select(WebhookRow.webhook_id).where(over))
    if not ownerless:
        return 0
    count = 0
    for _ in range(PORTIONS_OF_A_SWEEP):
        gone = await delete_some(session, ownerless)
        count += gone
        if gone < ROWS_AT_ONCE:
            await session.execute(delete(WebhookRow).where(WebhookRow.webhook_id.in_(ownerless)))
            return count + len(ownerless)
    return count  # the rest with the next sweep


async def _forget_old(
    session: AsyncSession, now: datetime, kept_delivered: timedelta, kept_others: timedelta
) -> int:
    # State by state, so that an index finds them however many of the others there are. None that
    # waits: it is to be sent, or was sent again by its owner, or else has failed by now.
    count, portions = 0, PORTIONS_OF_A_SWEEP
    for state, kept in ((DELIVERED, kept_delivered), (FAILED, kept_others)):
        old = select(DeliveryRow.delivery_id).where(
            DeliveryRow.state == state,
            DeliveryRow.create_time < now - kept,
            ~_sent_since(now - kept),
        )
        full = True
        while full and portions > 0:
            gone = await _some(session, old)
            if gone:
                await session.execute(delete(DeliveryRow).where(DeliveryRow.delivery_id.in_(gone)))
            count, portions, full = count + len(gone), portions - 1, len(gone) == ROWS_AT_ONCE
    return count


def _sent_since(moment: datetime) -> ColumnElement[bool]:
    """Return the condition for messages whose newest attempt began at a moment in UTC or later."""
    began = type_coerce(DeliveryRow.attempts, JSON)[0, "time"].as_string()
    return func.coalesce(began, "") >= moment.isoformat()  # texts, in the order of the times


async def _some(session: AsyncSession, chosen: Select[str]) -> Sequence[str]:
    # What another server is at is left to it.
    limited = chosen.limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
    return (await session.scalars(limited)).all()


def _delivery_of(row: DeliveryRow) -> Delivery:
    attempts = tuple(
        Attempt(
            datetime.fromisoformat(each["time"]), each["status"], each["problem"], each["seconds"]
        )
        for each in row.attempts
    )
    return Delivery(
        delivery_id=row.delivery_id,
        webhook_id=row.webhook_id,
        event_type=row.event_type,
        batch_id=row.batch_id,
        state=row.state,
        create_time=row.create_time,
        next_attempt_time=row.next_attempt_time,
        attempts=attempts,
        body=row.payload,
    )
