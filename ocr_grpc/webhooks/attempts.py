"""What the sender does in the database: takes messages that are due, and records attempts.

A message that is taken is due again a minute later: if its sender dies, another sends it, with the
same id. `tries` counts the takings and is the fencing token of an attempt.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.principal import Actor
from ocr_grpc.store.webhooks import DeliveryRow, WebhookRow
from ocr_grpc.webhooks.load import Load
from ocr_grpc.webhooks.webhook_rows import (
    DELIVERED,
    FAILED,
    WAITING,
    fail_waiting,
    owner_is_active,
)

LEASE = timedelta(seconds=60)
GIVE_UP = timedelta(hours=24)
MAX_ATTEMPTS_KEPT = 20
FAIL_AT_ONCE = 500

_DELAY_SECONDS = (5, 30, 120, 300, 900, 1_800, 3_600, 7_200, 14_400)
"""After the first attempt, the second, and so on; after all others the last of them."""
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Due:
    """A message that was taken.

    Attributes:
        webhook: its row, as it was then.
        attempt: 1 for the first.
        take_time: when it was taken.
    """

    delivery_id: str
    webhook: WebhookRow
    body: str
    attempt: int
    take_time: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of an attempt; `problem` is empty if the message was delivered."""

    status: int
    problem: str
    seconds: float


def delay_after(attempt: int) -> timedelta:
    """Return how long to wait after an attempt in vain, each time a little different."""
    seconds = _DELAY_SECONDS[min(attempt, len(_DELAY_SECONDS)) - 1]
    return timedelta(seconds=seconds * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311


def due_rows(now: datetime, load: Load) -> Select[DeliveryRow, WebhookRow, bool]:
    """Return the query for messages that may be sent, those that wait the longest first.

    Args:
        now: the time that all senders agree on.
        load: what is under way.

    Returns:
        Rows of a message, its webhook, and whether that is to get anything at all.
    """
    wanted = (~WebhookRow.disabled & owner_is_active()).label("wanted")
    return (
        select(DeliveryRow, WebhookRow, wanted)
        .join(WebhookRow)
        .where(
            DeliveryRow.state == WAITING,
            DeliveryRow.next_attempt_time <= now,
            DeliveryRow.webhook_id.not_in(load.closed_webhooks(now)),
            WebhookRow.user_id.not_in(load.closed_users()),
        )
        .order_by(DeliveryRow.next_attempt_time)
    )


async def take_due(session: AsyncSession, now: datetime, load: Load) -> list[Due]:
    """Take messages that are due; those to webhooks that get nothing any more are given up.

    Args:
        session: in a transaction that writes.
        now: the time that all senders agree on.
        load: what is under way. Whoever sends what was taken adds it, once that is committed.
    """
    taken: list[Due] = []
    load = load.copy()
    while (room := load.room) > 0:
        chosen = due_rows(now, load).limit(room)
        chosen = chosen.with_for_update(of=DeliveryRow, skip_locked=True)
        rows = (await session.execute(chosen)).all()
        for row, webhook, wanted in rows:
            if webhook.webhook_id in load.closed_webhooks(now):
                continue  # many to one webhook; the next round looks past it
            if webhook.user_id in load.closed_users():
                continue
            if not wanted:
                load.skip(webhook.webhook_id)
                await _give_up(session, webhook.webhook_id)
                continue
            row.tries += 1
            row.next_attempt_time = now + LEASE
            load.begin(webhook)
            taken.append(Due(row.delivery_id, webhook, row.payload, row.tries, now))
        if len(rows) < room:
            break
    return taken


async def record(session: AsyncSession, due: Due, ending: Ending, now: datetime) -> str:
    """Record what came of an attempt, and say when the next is due. Return the state.

    An attempt of which nobody knows any more that it is under way only adds to the list, unless it
    was the one that delivered.
    """
    row = await session.get(DeliveryRow, due.delivery_id, with_for_update=True)
    if row is None:
        return FAILED  # deleted with its webhook
    attempt = {
        "time": due.take_time.isoformat(),
        "status": ending.status,
        "problem": ending.problem,
        "seconds": round(ending.seconds, 3),
    }
    row.attempts = [attempt, *row.attempts][:MAX_ATTEMPTS_KEPT]
    if not ending.problem:
        row.state, row.next_attempt_time = DELIVERED, None
    elif row.state == WAITING and row.tries == due.attempt:
        following = now + delay_after(due.attempt)
        if following > row.create_time + GIVE_UP:
            row.state, row.next_attempt_time = FAILED, None
        else:
            row.next_attempt_time = following
    return row.state


async def switch_off(session: AsyncSession, webhook: WebhookRow) -> None:
    """Switch a webhook off whose address said that it is gone, unless it has moved meanwhile."""
    row = await session.scalar(
        select(WebhookRow)
        .where(
            WebhookRow.webhook_id == webhook.webhook_id,
            WebhookRow.url == webhook.url,
            ~WebhookRow.disabled,
        )
        .with_for_update(key_share=True)
    )
    if row is not None:
        row.disabled = True
        await fail_waiting(session, row.webhook_id)
        audit.record(
            session, Actor(), "webhook.switched_off", row.webhook_id, user=row.user_id, status=410
        )


async def _give_up(session: AsyncSession, webhook_id: str) -> None:
    # What another sender is at is left to it, or the two could wait for each other.
    some = (
        select(DeliveryRow.delivery_id)
        .where(DeliveryRow.webhook_id == webhook_id, DeliveryRow.state == WAITING)
        .limit(FAIL_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.delivery_id.in_((await session.scalars(some)).all()))
        .values(state=FAILED, next_attempt_time=None)
    )
