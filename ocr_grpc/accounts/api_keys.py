"""Makes, changes, rotates and revokes API keys."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.errors import InvalidField, KeyIsRevoked
from ocr_grpc.accounts.key_powers import (
    bounds_of,
    require_bounds,
    require_power_over,
    require_scopes,
)
from ocr_grpc.accounts.key_queries import (
    find_key,
    lock_key,
    page_of_keys,
    require_room,
    retire_secrets,
    revoke_spare_keys,
)
from ocr_grpc.accounts.key_rows import (
    ApiKey,
    NewKey,
    apply_changes,
    check_future,
    key_of,
    new_key_row,
    scopes_of,
)
from ocr_grpc.accounts.opaque import hash_of, key_prefix, make_key
from ocr_grpc.accounts.own_limits import own_limits
from ocr_grpc.accounts.principal import Actor, Principal
from ocr_grpc.accounts.user_queries import lock_user
from ocr_grpc.store.accounts import KeyRow, KeySecretRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database

__all__ = ["ApiKey", "ApiKeys", "NewKey"]

MAX_OVERLAP_SECONDS = 30 * 86_400


class ApiKeys:
    """The API keys of this installation."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self.database = database
        self._news = changes

    async def create(self, principal: Principal, new: NewKey, actor: Actor) -> tuple[ApiKey, str]:
        """Make a key for the user who is calling. Return it and its secret, which is kept nowhere.

        End and limits that are not given are those of the key in use, if there is one.

        Raises:
            InsufficientScope: the key in use lacks a scope that the new one is to have.
            LooserThanKey: it ends later than the key in use, or is limited less.
            RoleRequired: the scope for administration, for somebody who is no administrator.
            TooManyKeys: the user has 100 live ones.
            InvalidField: the name or the time.
        """
        require_scopes(principal, new.scopes)
        check_future(new.expire_time)
        async with self.database.write() as sql:
            # Locked, or two calls at once could both make the hundredth key.
            await lock_user(sql, principal.user_id)
            await require_room(sql, principal.user_id)
            if bounds := await bounds_of(sql, principal):
                new = bounds.inherited_by(new)
                bounds.require(new.expire_time, new.limits)
            return await self.add(sql, principal.user_id, new, actor)

    async def add(
        self, sql: AsyncSession, user_id: str, new: NewKey, actor: Actor
    ) -> tuple[ApiKey, str]:
        """Add a key to a transaction. Return it and its secret.

        Raises:
            InvalidField: the name.
        """
        secret = make_key()
        row = new_key_row(user_id, new, key_prefix(secret))
        sql.add(row)
        await sql.flush()
        sql.add(KeySecretRow(secret_hash=hash_of(secret), key_id=row.key_id))
        audit.record(sql, actor, "key.created", row.key_id, user=user_id, scopes=row.scopes)
        return key_of(row), secret

    async def create_spare(self, user_id: str, new: NewKey, keep: int, actor: Actor) -> str:
        """Make a key that stands for the newest of its kind, however many there are.

        Args:
            user_id: whose.
            new: what it is to be.
            keep: how many live keys with that very name and those scopes the user keeps.
            actor: who makes it.

        Returns:
            Its secret.
        """
        async with self.database.write() as sql:
            await lock_user(sql, user_id)
            key, secret = await self.add(sql, user_id, new, actor)
            for key_id in await revoke_spare_keys(sql, key, keep):
                audit.record(sql, actor, "key.revoked", key_id, user=user_id)
            await self._news.note(sql, user_id)
        return secret

    async def list(
        self,
        user_id: str | None,
        show_revoked: bool = False,
        page_size: int = 0,
        page_token: str = "",
    ) -> tuple[list[ApiKey], str]:
        """Return a page of keys, the newest first, and the token of the next.

        Args:
            user_id: whose; None: everybody's.
            show_revoked: whether to list revoked keys too.
            page_size: 0 for the default.
            page_token: empty for the first page.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        async with self.database.read() as sql:
            page, token = await page_of_keys(sql, user_id, show_revoked, page_size, page_token)
        return [key_of(row) for row in page], token

    async def get(self, principal: Principal, key_id: str) -> ApiKey:
        """Return a key of the user who is calling.

        Raises:
            KeyNotFound: there is none, or it belongs to somebody else.
        """
        async with self.database.read() as sql:
            return key_of(await find_key(sql, key_id, principal.user_id))

    async def update(
        self, principal: Principal, key_id: str, changes: Mapping[str, object], actor: Actor
    ) -> ApiKey:
        """Change a key of the user who is calling.

        Args:
            principal: the user, and the key in use if there is one.
            key_id: which key.
            changes: new values of `display_name`, `scopes` (frozenset of `Scope`), `disabled`,
                `expire_time` (or None), `limits` (`OwnLimits`) or single ones of the limits.
            actor: who changes it.

        Raises:
            KeyNotFound, KeyIsRevoked: the key.
            InsufficientScope, LooserThanKey: the key in use would give what it has not.
            RoleRequired: the scope for administration, for somebody who is no administrator.
            TooManyKeys: an expired key is to live again, and there are 100 others.
            FieldNotUpdatable, InvalidField: a field or its value.
        """
        async with self.database.write() as sql:
            await lock_user(sql, principal.user_id)
            row = await lock_key(sql, key_id, principal.user_id)
            if row.revoke_time:
                raise KeyIsRevoked
            was_over = _is_over(row)
            require_power_over(principal, row, changes)
            bounds, scopes = await bounds_of(sql, principal), scopes_of(row)
            apply_changes(row, changes)
            require_bounds(bounds, row, changes, scopes)
            if was_over and not _is_over(row):
                await require_room(sql, principal.user_id, besides=row.key_id)
            await self._news.note(sql, row.user_id)
            audit.record(sql, actor, "key.updated", key_id, **_details(row, changes))
            return key_of(row)

    async def revoke(self, user_id: str | None, key_id: str, actor: Actor) -> ApiKey:
        """Revoke a key for good. One that is revoked stays as it is.

        Args:
            user_id: whose it must be; None: anybody's.
            key_id: which key.
            actor: who revokes it.

        Raises:
            KeyNotFound: there is none, or it belongs to somebody else.
        """
        async with self.database.write() as sql:
            row = await lock_key(sql, key_id, user_id)
            if not row.revoke_time:
                row.revoke_time = utc_now()
                await self._news.note(sql, row.user_id)
                audit.record(sql, actor, "key.revoked", key_id, user=row.user_id)
            return key_of(row)

    async def rotate(
        self, principal: Principal, key_id: str, overlap_seconds: int, actor: Actor
    ) -> tuple[ApiKey, str, datetime]:
        """Give a key a new secret. Return the key, the secret, and when the old one stops working.

        Args:
            principal: the user, and the key in use if there is one.
            key_id: which key.
            overlap_seconds: how long older secrets work on, up to 30 days.
            actor: who rotates it.

        Raises:
            KeyNotFound, KeyIsRevoked: the key.
            InsufficientScope: the key in use lacks a scope of this one, whose secret it would get.
            LooserThanKey: this one ends later than the key in use, or is limited less.
            InvalidField: the overlap.
        """
        if not 0 <= overlap_seconds <= MAX_OVERLAP_SECONDS:
            raise InvalidField(
                f"An overlap lasts up to {MAX_OVERLAP_SECONDS} seconds.",
                field="overlap_seconds",
                max_seconds=MAX_OVERLAP_SECONDS,
            )
        secret = make_key()
        async with self.database.write() as sql:
            row = await lock_key(sql, key_id, principal.user_id)
            if row.revoke_time:
                raise KeyIsRevoked
            require_power_over(principal, row, {"secret": secret})
            if bounds := await bounds_of(sql, principal):
                bounds.require(row.expire_time, own_limits(row))
            old_expire_time = await self.database.now(sql) + timedelta(seconds=overlap_seconds)
            await retire_secrets(sql, key_id, old_expire_time)
            sql.add(KeySecretRow(secret_hash=hash_of(secret), key_id=key_id))
            row.prefix = key_prefix(secret)
            await self._news.note(sql, row.user_id)
            audit.record(sql, actor, "key.rotated", key_id, overlap_seconds=overlap_seconds)
            if row.expire_time:
                old_expire_time = min(old_expire_time, row.expire_time)
            return key_of(row), secret, old_expire_time


def _is_over(row: KeyRow) -> bool:
    return row.expire_time is not None and row.expire_time <= utc_now()


def _details(row: KeyRow, changes: Mapping[str, object]) -> dict[str, object]:
    details: dict[str, object] = {"fields": ",".join(sorted(changes)), "user": row.user_id}
    return details | ({"scopes": row.scopes} if "scopes" in changes else {})
