"""Webhooks as the rest of the service sees them, and the queries that find and lock them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.accounts.names import possible_id
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.sealing import Seal
from ocr_grpc.store.webhooks import DeliveryRow, WebhookRow
from ocr_grpc.webhooks.errors import TooManyWebhooks, WebhookNotFound

BATCH_FINISHED = "batch.finished"
DOCUMENT_FINISHED = "document.finished"
EVENT_TYPES = (BATCH_FINISHED, DOCUMENT_FINISHED)
"""What a webhook may be told of, in the order of the proto."""

MAX_WEBHOOKS = 20

WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"

NOBODY = ""
"""The owner of what was deleted, and whose messages are still on their way out: no user has it."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What a new webhook is to be. Without events it is told of the ends of batches."""

    url: str
    events: tuple[str, ...] = ()
    display_name: str = ""
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook without its secret, as it was a moment ago."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    display_name: str
    disabled: bool
    create_time: datetime


def webhook_of(row: WebhookRow) -> Webhook:
    """Return a row as a webhook, without events that only a newer release knows."""
    return Webhook(
        webhook_id=row.webhook_id,
        url=row.url,
        events=tuple(event for event in EVENT_TYPES if event in row.events.split()),
        display_name=row.display_name,
        disabled=row.disabled,
        create_time=row.create_time,
    )


def event_names(events: Iterable[str]) -> str:
    """Return events as a row has them.

    Raises:
        InvalidField: one is unknown.
    """
    chosen = set(events) or {BATCH_FINISHED}
    if unknown := chosen.difference(EVENT_TYPES):
        raise InvalidField(
            f"{min(unknown)[:64]!r} is no event that this server knows.", field="webhook.events"
        )
    return " ".join(event for event in EVENT_TYPES if event in chosen)


def signing_secrets(row: WebhookRow, seal: Seal, now: datetime) -> list[str]:
    """Return what messages are signed with at a moment, the newest secret first.

    Raises:
        SealBroken: this server has another `SECRET_KEY`.
    """
    sealed = [row.secret]
    if row.old_secret and row.old_secret_expire_time and row.old_secret_expire_time > now:
        sealed.append(row.old_secret)
    return [seal.open(each).decode() for each in sealed]


def owner_is_active() -> ColumnElement[bool]:
    """Return the condition for webhooks whose owner is neither locked out nor deleted."""
    return ~exists().where(
        UserRow.user_id == WebhookRow.user_id,
        or_(UserRow.disabled, UserRow.delete_time.is_not(None)),
    )


async def find_webhook(
    sql: AsyncSession, user_id: str, webhook_id: str, *, lock: bool = False
) -> WebhookRow:
    """Return the row of a webhook of a user, locked against changes if that is asked for.

    Raises:
        WebhookNotFound: there is none, or it belongs to somebody else.
    """
    chosen = select(WebhookRow).where(
        WebhookRow.webhook_id == possible_id(webhook_id), WebhookRow.user_id == user_id
    )
    if lock:
        # Weaker than for a deletion, so that messages to it can be announced meanwhile.
        chosen = chosen.with_for_update(key_share=True)
    row = await sql.scalar(chosen)
    if row is None:
        raise WebhookNotFound(webhook_id)
    return row


async def require_room(sql: AsyncSession, user_id: str) -> None:
    """Check that a user may have one more webhook.

    Raises:
        TooManyWebhooks: no.
    """
    mine = select(func.count()).select_from(WebhookRow).where(WebhookRow.user_id == user_id)
    if (await sql.scalar(mine) or 0) >= MAX_WEBHOOKS:
        raise TooManyWebhooks(MAX_WEBHOOKS)


def disown(row: WebhookRow) -> None:
    """Have a webhook be nobody's: it is not found any more, is told nothing, and has no secret."""
    row.user_id = NOBODY
    row.disabled = True
    row.url = row.events = row.display_name = ""
    row.secret, row.old_secret, row.old_secret_expire_time = b"", None, None


async def fail_waiting(sql: AsyncSession, webhook_id: str) -> None:
    """Give up the messages to a webhook whose row is locked."""
    await sql.execute(
        update(DeliveryRow)
        .where(DeliveryRow.webhook_id == webhook_id, DeliveryRow.state == WAITING)
        .values(state=FAILED, next_attempt_time=None)
    )
