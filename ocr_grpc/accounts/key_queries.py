"""The queries that find, lock, count and list API keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.errors import KeyNotFound, TooManyKeys
from ocr_grpc.accounts.key_rows import ApiKey, scope_names
from ocr_grpc.accounts.names import possible_id
from ocr_grpc.store.accounts import KeyRow, KeySecretRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of

MAX_LIVE_KEYS = 100
KEPT_SECRETS = timedelta(days=30)
"""How long a secret that is over is remembered, so that its user hears why it is refused."""


def _chosen(key_id: str, user_id: str | None) -> list[ColumnElement[bool]]:
    mine = [] if user_id is None else [KeyRow.user_id == user_id]
    return [KeyRow.key_id == possible_id(key_id), *mine]


async def find_key(sql: AsyncSession, key_id: str, user_id: str | None) -> KeyRow:
    """Return the row of a key, of a user or (None) of anybody.

    Raises:
        KeyNotFound: there is none.
    """
    row = await sql.scalar(select(KeyRow).where(*_chosen(key_id, user_id)))
    if row is None:
        raise KeyNotFound(key_id)
    return row


async def lock_key(sql: AsyncSession, key_id: str, user_id: str | None) -> KeyRow:
    """Return the row of a key that nobody else changes until the transaction ends.

    Raises:
        KeyNotFound: there is none.
    """
    row = await sql.scalar(select(KeyRow).where(*_chosen(key_id, user_id)).with_for_update())
    if row is None:
        raise KeyNotFound(key_id)
    return row


async def require_room(sql: AsyncSession, user_id: str, besides: str = "") -> None:
    """Check that a locked user may have one more live key than there are `besides` one.

    Raises:
        TooManyKeys: no.
    """
    live = await sql.scalar(
        select(func.count())
        .select_from(KeyRow)
        .where(
            KeyRow.user_id == user_id,
            KeyRow.key_id != besides,
            KeyRow.revoke_time.is_(None),
            or_(KeyRow.expire_time.is_(None), KeyRow.expire_time > utc_now()),
        )
    )
    if (live or 0) >= MAX_LIVE_KEYS:
        raise TooManyKeys(MAX_LIVE_KEYS)


async def page_of_keys(
    sql: AsyncSession, user_id: str | None, show_revoked: bool, page_size: int, page_token: str
) -> tuple[list[KeyRow], str]:
    """Return a page of keys, the newest first, and the token of the next.

    Raises:
        InvalidPageToken: nobody gave that token out.
    """
    chosen = older_than(page_token, KeyRow.create_time, KeyRow.key_id)
    if user_id is not None:
        chosen.append(KeyRow.user_id == possible_id(user_id))
    if not show_revoked:
        chosen.append(KeyRow.revoke_time.is_(None))
    size = page_size_of(page_size)
    rows = (
        await sql.scalars(
            select(KeyRow)
            .where(*chosen)
            .order_by(KeyRow.create_time.desc(), KeyRow.key_id.desc())
            .limit(size + 1)
        )
    ).all()
    page, token = one_page(rows, size, lambda row: encoded(row.create_time.isoformat(), row.key_id))
    return page, token


async def retire_secrets(sql: AsyncSession, key_id: str, moment: datetime) -> None:
    """Have all secrets of a key end at a moment, or earlier if they do so already."""
    await sql.execute(
        delete(KeySecretRow).where(
            KeySecretRow.key_id == key_id, KeySecretRow.expire_time < utc_now() - KEPT_SECRETS
        )
    )
    later = or_(KeySecretRow.expire_time.is_(None), KeySecretRow.expire_time > moment)
    await sql.execute(
        update(KeySecretRow).where(KeySecretRow.key_id == key_id, later).values(expire_time=moment)
    )


async def revoke_spare_keys(sql: AsyncSession, like: ApiKey, keep: int) -> Sequence[str]:
    """Revoke live keys with the user, name and scopes of one, but for the newest. Return which."""
    alike = (
        KeyRow.user_id == like.user_id,
        KeyRow.display_name == like.display_name,
        KeyRow.scopes == scope_names(like.scopes),
        KeyRow.revoke_time.is_(None),
    )
    kept = select(KeyRow.key_id).where(*alike).order_by(KeyRow.create_time.desc()).limit(keep)
    revoked = await sql.scalars(
        update(KeyRow)
        .where(*alike, KeyRow.key_id.not_in(kept))
        .values(revoke_time=utc_now())
        .returning(KeyRow.key_id)
    )
    return revoked.all()
