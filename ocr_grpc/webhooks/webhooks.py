"""Makes, changes, rotates and deletes webhooks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.errors import FieldNotUpdatable, InvalidField
from ocr_grpc.accounts.names import checked_display_name
from ocr_grpc.accounts.principal import Actor
from ocr_grpc.accounts.user_queries import lock_user
from ocr_grpc.fetching.urls import host_of, parsed_url
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of
from ocr_grpc.store.sealing import Seal
from ocr_grpc.store.webhooks import WebhookRow
from ocr_grpc.webhooks.deliveries import ROWS_AT_ONCE, delete_some
from ocr_grpc.webhooks.messages import new_secret
from ocr_grpc.webhooks.posting import FIELD, Poster
from ocr_grpc.webhooks.verification import Verifications
from ocr_grpc.webhooks.webhook_rows import (
    NewWebhook,
    Webhook,
    disown,
    event_names,
    fail_waiting,
    find_webhook,
    require_room,
    signing_secrets,
    webhook_of,
)

MAX_OVERLAP_SECONDS = 30 * 86_400


class Webhooks:
    """The webhooks of this installation. All methods act for one user and see only theirs."""

    def __init__(self, database: Database, seal: Seal, poster: Poster) -> None:
        self._database = database
        self._seal = seal
        self._verifications = Verifications(poster)

    async def create(self, user_id: str, new: NewWebhook, actor: Actor) -> tuple[Webhook, str]:
        """Make a webhook. Return it and its secret, which cannot be shown again.

        Raises:
            InvalidUrl, UrlNotAllowed: the address.
            WebhookNotVerified: it does not answer as it should.
            TooManyWebhooks: the user has 20.
            TooManyVerifications: an address of theirs is being asked, or many were lately.
            InvalidField: the name or the events.
        """
        secret = new_secret()
        row = WebhookRow(
            webhook_id=new_id(),
            user_id=user_id,
            url=new.url,
            events=event_names(new.events),
            display_name=checked_display_name(new.display_name, "webhook.display_name"),
            disabled=new.disabled,
            secret=self._seal.seal(secret.encode()),
            create_time=utc_now(),
        )
        async with self._database.read() as sql:
            await require_room(sql, user_id)  # before anything is sent
        await self._verifications.verify(user_id, new.url, [secret])
        async with self._database.write() as sql:
            # Locked, or two calls at once could both make the last one.
            await lock_user(sql, user_id)
            await require_room(sql, user_id)
            sql.add(row)
            audit.record(sql, actor, "webhook.created", row.webhook_id, **_details(row))
        return webhook_of(row), secret

    async def list(
        self, user_id: str, page_size: int = 0, page_token: str = ""
    ) -> tuple[list[Webhook], str]:
        """Return a page of webhooks, the newest first, and the token of the next.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        after = older_than(page_token, WebhookRow.create_time, WebhookRow.webhook_id)
        chosen = (
            select(WebhookRow)
            .where(WebhookRow.user_id == user_id, *after)
            .order_by(WebhookRow.create_time.desc(), WebhookRow.webhook_id.desc())
            .limit(size + 1)
        )
        async with self._database.read() as sql:
            found = [webhook_of(row) for row in await sql.scalars(chosen)]
        return one_page(
            found, size, lambda one: encoded(one.create_time.isoformat(), one.webhook_id)
        )

    async def get(self, user_id: str, webhook_id: str) -> Webhook:
        """Return a webhook.

        Raises:
            WebhookNotFound: there is none, or it belongs to somebody else.
        """
        async with self._database.read() as sql:
            return webhook_of(await find_webhook(sql, user_id, webhook_id))

    async def update(
        self, user_id: str, webhook_id: str, changes: Mapping[str, object], actor: Actor
    ) -> Webhook:
        """Change a webhook. Messages that wait are given up when it is switched off.

        Args:
            user_id: whose it must be.
            webhook_id: which one.
            changes: new values of `url`, `events` (tuple of names), `display_name`, `disabled`.
            actor: who changes it.

        Raises:
            WebhookNotFound: there is none, or it belongs to somebody else.
            InvalidUrl, UrlNotAllowed, TooManyVerifications, WebhookNotVerified: a new address.
            FieldNotUpdatable, InvalidField: a field or its value.
        """
        values = _checked(changes)
        url = values.get("url")
        async with self._database.read() as sql:
            row = await find_webhook(sql, user_id, webhook_id)
        if isinstance(url, str) and url != row.url:
            signing = signing_secrets(row, self._seal, utc_now())
            await self._verifications.verify(user_id, url, signing)
        async with self._database.write() as sql:
            row = await find_webhook(sql, user_id, webhook_id, lock=True)
            for name, value in values.items():
                setattr(row, name, value)
            if row.disabled:
                await fail_waiting(sql, webhook_id)
            details = {"fields": ",".join(sorted(changes)), **_details(row)}
            audit.record(sql, actor, "webhook.updated", webhook_id, **details)
            return webhook_of(row)

    async def delete(self, user_id: str, webhook_id: str, actor: Actor) -> None:
        """Delete a webhook with its deliveries.

        It is gone at once, with its secret. Where there are many deliveries the rest of them goes
        with the next rounds of the retention job: nobody else writes to SQLite meanwhile.

        Raises:
            WebhookNotFound: there is none, or it belongs to somebody else.
        """
        async with self._database.write() as sql:
            row = await find_webhook(sql, user_id, webhook_id, lock=True)
            audit.record(sql, actor, "webhook.deleted", webhook_id, **_details(row))
            if await delete_some(sql, [webhook_id]) < ROWS_AT_ONCE:
                await sql.delete(row)
            else:
                disown(row)

    async def rotate(
        self, user_id: str, webhook_id: str, overlap_seconds: int, actor: Actor
    ) -> tuple[Webhook, str, datetime]:
        """Give a webhook a new secret. Return it, the secret, and when the old one is used last.

        Args:
            user_id: whose it must be.
            webhook_id: which one.
            overlap_seconds: how long messages are signed with both, up to 30 days.
            actor: who rotates it.

        Raises:
            WebhookNotFound: there is none, or it belongs to somebody else.
            InvalidField: the overlap.
        """
        if not 0 <= overlap_seconds <= MAX_OVERLAP_SECONDS:
            raise InvalidField(
                f"An overlap lasts up to {MAX_OVERLAP_SECONDS} seconds.",
                field="overlap_seconds",
                max_seconds=MAX_OVERLAP_SECONDS,
            )
        secret = new_secret()
        async with self._database.write() as sql:
            row = await find_webhook(sql, user_id, webhook_id, lock=True)
            ends = await self._database.now(sql) + timedelta(seconds=overlap_seconds)
            row.old_secret = row.secret if overlap_seconds else None
            row.old_secret_expire_time = ends if overlap_seconds else None
            row.secret = self._seal.seal(secret.encode())
            audit.record(sql, actor, "webhook.rotated", webhook_id, overlap_seconds=overlap_seconds)
            return webhook_of(row), secret, ends


def _checked(changes: Mapping[str, object]) -> dict[str, object]:
    """Return new values as a row has them; the fields are those of `Webhooks.update`.

    Raises:
        FieldNotUpdatable, InvalidField: see there.
    """
    values: dict[str, object] = {}
    for field, value in changes.items():
        match field, value:
            case "url", str():
                values[field] = value
            case "events", tuple():
                values[field] = event_names(cast("tuple[str, ...]", value))
            case "display_name", str():
                values[field] = checked_display_name(value, "webhook.display_name")
            case "disabled", bool():
                values[field] = value
            case _:
                raise FieldNotUpdatable(field)
    return values


def _details(row: WebhookRow) -> dict[str, object]:
    """Return what the audit log says: where to, without path and query, which may be secret."""
    host = host_of(parsed_url(row.url, FIELD))
    return {"user": row.user_id, "host": host, "disabled": row.disabled}
