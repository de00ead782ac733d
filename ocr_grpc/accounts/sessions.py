"""Sessions: a login, and the refresh tokens that follow from it, each of which works once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.errors import (
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenReused,
    UserDisabled,
)
from ocr_grpc.accounts.opaque import hash_of, make_token
from ocr_grpc.accounts.principal import Actor, Principal
from ocr_grpc.accounts.tokens import Tokens
from ocr_grpc.store.accounts import MailTokenRow, RefreshTokenRow, SessionRow, UserRow
from ocr_grpc.store.base import new_id
from ocr_grpc.store.database import Database

MAX_TOKEN_CHARS = 256
KEPT_AFTER_END = timedelta(days=8)
"""Longer than any access token lives, so that a session is never missed while one is good."""
SWEPT_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What somebody who signed in gets.

    Attributes:
        expires_in: seconds until the access token expires.
    """

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str = field(repr=False)


class Sessions:
    """Opens, continues and ends sessions."""

    def __init__(
        self, database: Database, tokens: Tokens, changes: Changes, lifetime: timedelta
    ) -> None:
        """Keep what it needs.

        Args:
            database: where sessions are.
            tokens: makes access tokens.
            changes: hears of sessions that end.
            lifetime: of a session, from its last refresh.
        """
        self._database = database
        self._tokens = tokens
        self._changes = changes
        self._lifetime = lifetime

    async def open(self, sql: AsyncSession, user_id: str) -> TokenPair:
        """Return the first tokens of a new session, in the caller's transaction."""
        session_id, now = new_id(), await self._database.now(sql)
        await sql.execute(
            insert(SessionRow).values(
                session_id=session_id,
                user_id=user_id,
                create_time=now,
                expire_time=now + self._lifetime,
            )
        )
        return await self._pair(sql, user_id, session_id, now)

    async def refresh(self, refresh_token: str, actor: Actor) -> TokenPair:
        """Return the next tokens of a session. The token that was given is spent.

        Raises:
            RefreshTokenInvalid: there is no such token, or its session was ended.
            RefreshTokenExpired: it is too old.
            RefreshTokenReused: it was spent before; the session is ended now.
            UserDisabled: an administrator locked the user out.
        """
        if len(refresh_token) > MAX_TOKEN_CHARS:
            raise RefreshTokenInvalid
        token_hash = hash_of(refresh_token)
        async with self._database.write() as sql:
            now = await self._database.now(sql)
            # Of two that come at once, the second waits here and then finds the token spent.
            spending = (
                update(RefreshTokenRow)
                .where(RefreshTokenRow.token_hash == token_hash, RefreshTokenRow.use_time.is_(None))
                .values(use_time=now)
                .returning(RefreshTokenRow.session_id, RefreshTokenRow.expire_time)
            )
            spent = (await sql.execute(spending)).one_or_none()
            if spent:
                # An error takes back that it was spent.
                return await self._continued(sql, spent.session_id, spent.expire_time, now)
            reused = await self._end_reused(sql, token_hash, now, actor)
        # Outside, because the end of the session must be committed.
        raise RefreshTokenReused if reused else RefreshTokenInvalid

    async def revoke(self, principal: Principal, everywhere: bool, actor: Actor) -> None:
        """End the session of the caller, or all sessions of that user."""
        async with self._database.write() as sql:
            if everywhere:
                await self.revoke_all(sql, principal.user_id)
            else:
                now = await self._database.now(sql)
                await sql.execute(
                    update(SessionRow)
                    .where(
                        SessionRow.session_id == principal.session_id,
                        SessionRow.revoke_time.is_(None),
                    )
                    .values(revoke_time=now)
                )
                await self._changes.note(sql, principal.user_id)
            action = "sessions.ended" if everywhere else "session.ended"
            audit.record(sql, actor, action, principal.user_id)

    async def revoke_all(
        self, sql: AsyncSession, user_id: str, except_session_id: str | None = None
    ) -> None:
        """End all sessions of a user but one, in the caller's transaction.

        For a new password: change that first, so that a login under way with the old one either is
        ended here or fails.
        """
        ending = (
            update(SessionRow)
            .where(SessionRow.user_id == user_id, SessionRow.revoke_time.is_(None))
            .values(revoke_time=await self._database.now(sql))
        )
        if except_session_id:
            ending = ending.where(SessionRow.session_id != except_session_id)
        await sql.execute(ending)
        await self._changes.note(sql, user_id)

    async def sweep(self, sql: AsyncSession) -> int:
        """Delete some of the sessions and tokens that ended long ago.

        Returns:
            How many; 0 when nothing is left to do.
        """
        long_ago = await self._database.now(sql) - KEPT_AFTER_END
        swept = 0
        for row, key in (
            (SessionRow, SessionRow.session_id),
            (RefreshTokenRow, RefreshTokenRow.token_hash),
            (MailTokenRow, MailTokenRow.token_hash),
        ):
            old = select(key).where(row.expire_time < long_ago).limit(SWEPT_AT_ONCE)
            deleted = await sql.execute(delete(row).where(key.in_(old)).returning(key))
            swept += len(deleted.all())
        return swept

    async def _continued(
        self, sql: AsyncSession, session_id: str, expire_time: datetime, now: datetime
    ) -> TokenPair:
        if expire_time <= now:
            raise RefreshTokenExpired
        extending = (
            update(SessionRow)
            .where(SessionRow.session_id == session_id, SessionRow.revoke_time.is_(None))
            .values(expire_time=now + self._lifetime)
            .returning(SessionRow.user_id)
        )
        user_id = (await sql.execute(extending)).scalar_one_or_none()
        if user_id is None:
            raise RefreshTokenInvalid
        asking = select(UserRow.disabled, UserRow.delete_time).where(UserRow.user_id == user_id)
        user = (await sql.execute(asking)).one()
        if user.delete_time:
            raise RefreshTokenInvalid
        if user.disabled:
            raise UserDisabled
        return await self._pair(sql, user_id, session_id, now)

    async def _end_reused(
        self, sql: AsyncSession, token_hash: bytes, now: datetime, actor: Actor
    ) -> bool:
        """End the session of a token that is spent. Return whether there is one."""
        asking = (
            select(SessionRow.session_id, SessionRow.user_id)
            .join(RefreshTokenRow, RefreshTokenRow.session_id == SessionRow.session_id)
            .where(RefreshTokenRow.token_hash == token_hash)
        )
        known = (await sql.execute(asking)).one_or_none()
        if not known:
            return False
        ending = (
            update(SessionRow)
            .where(SessionRow.session_id == known.session_id, SessionRow.revoke_time.is_(None))
            .values(revoke_time=now)
            .returning(SessionRow.session_id)
        )
        if (await sql.execute(ending)).scalar_one_or_none():
            audit.record(sql, actor, "session.reused", known.user_id, session_id=known.session_id)
            await self._changes.note(sql, known.user_id)
        return True

    async def _pair(
        self, sql: AsyncSession, user_id: str, session_id: str, now: datetime
    ) -> TokenPair:
        refresh_token = make_token()
        await sql.execute(
            insert(RefreshTokenRow).values(
                token_hash=hash_of(refresh_token),
                session_id=session_id,
                create_time=now,
                expire_time=now + self._lifetime,
            )
        )
        access_token, expires_in = self._tokens.issue(user_id, session_id)
        return TokenPair(access_token, expires_in, refresh_token)
