"""Writes messages to webhooks in the transaction of what they tell of, so that none is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.store.base import new_id
from ocr_grpc.store.webhooks import DeliveryRow, WebhookRow
from ocr_grpc.webhooks.messages import body_of
from ocr_grpc.webhooks.webhook_rows import WAITING, owner_is_active


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened, for those webhooks of a user that are told of it.

    Attributes:
        event_type: `batch.finished` or `document.finished`.
        payload: the `data` of the message, JSON. Small, and no text of a document.
        create_time: when it happened.
    """

    user_id: str
    event_type: str
    batch_id: str
    payload: Mapping[str, object]
    create_time: datetime


async def announce(session: AsyncSession, notices: Sequence[Notice]) -> None:
    """Add messages to a transaction: one query, and one insert if anybody wants them.

    Args:
        session: the transaction in which it happens.
        notices: any number, of any users.
    """
    if not notices:
        return
    event_types = {notice.event_type for notice in notices}
    chosen = (
        select(WebhookRow.webhook_id, WebhookRow.user_id, WebhookRow.events)
        .where(
            WebhookRow.user_id.in_({notice.user_id for notice in notices}),
            or_(*(WebhookRow.events.contains(each) for each in event_types)),
            ~WebhookRow.disabled,
            owner_is_active(),
        )
        .order_by(WebhookRow.webhook_id)
        # A webhook that is being deleted must not take the whole transaction down with it.
        .with_for_update(read=True, key_share=True, of=WebhookRow)
    )
    webhooks = (await session.execute(chosen)).all()
    rows = [
        _row(notice, webhook.webhook_id)
        for notice in notices
        for webhook in webhooks
        if webhook.user_id == notice.user_id and notice.event_type in webhook.events.split()
    ]
    if rows:
        await session.execute(insert(DeliveryRow), rows)


def _row(notice: Notice, webhook_id: str) -> dict[str, Any]:
    return {
        "delivery_id": new_id(),
        "webhook_id": webhook_id,
        "event_type": notice.event_type,
        "batch_id": notice.batch_id,
        "payload": body_of(notice.event_type, notice.create_time, notice.payload),
        "state": WAITING,
        "tries": 0,
        "create_time": notice.create_time,
        "next_attempt_time": notice.create_time,
        "attempts": [],
    }
