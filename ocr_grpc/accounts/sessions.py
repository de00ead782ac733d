"""Sessions: a login, and the refresh tokens that follow from it, each of which works once.

An answer can get lost on its way. So the token that was spent last may come again for some seconds,
as long as none of its successors was used: it gives a fresh successor beside them. Whichever of
them is used first spends the others, and from then on the token before them is old.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import exists, insert, select, update
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
from ocr_grpc.store.accounts import RefreshTokenRow, SessionRow, UserRow
from ocr_grpc.store.base import new_id
from ocr_grpc.store.database import Database

MAX_TOKEN_CHARS = 256
NO_GRACE = timedelta(0)


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
        self,
        database: Database,
        tokens: Tokens,
        changes: Changes,
        lifetime: timedelta,
        grace: timedelta = NO_GRACE,
    ) -> None:
        """Keep what it needs.

        Args:
            database: where sessions are.
            tokens: makes access tokens.
            changes: hears of sessions that end.
            lifetime: of a session, from its last refresh.
            grace: how long after its use the token that was spent last may come again.
        """
        self._database = database
        self._tokens = tokens
        self._changes = changes
        self._lifetime = lifetime
        self._grace = grace

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
            RefreshTokenReused: it was spent before, and not just now; the session is ended.
            UserDisabled: an administrator locked the user out.
        """
        if len(refresh_token) > MAX_TOKEN_CHARS:
            raise RefreshTokenInvalid
        token_hash = hash_of(refresh_token)
        async with self._database.write() as sql:
            session = await self._locked_session(sql, token_hash)
            if not session:
                raise RefreshTokenInvalid
            now = await self._database.now(sql)
            asking = select(RefreshTokenRow).where(RefreshTokenRow.token_hash == token_hash)
            token = (await sql.execute(asking)).scalar_one_or_none()
            if not token:
                raise RefreshTokenInvalid
            if token.use_time is None or await self._is_last_spent(sql, token, now):
                # An error takes back that it was spent.
                return await self._continued(sql, session, token, now)
            await self._end_reused(sql, session, now, actor)
        # Outside, because the end of the session must be committed.
        raise RefreshTokenReused

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

    async def _locked_session(self, sql: AsyncSession, token_hash: bytes) -> SessionRow | None:
        """Return the session of a token; no other refresh of it goes on until this one ends."""
        of_token = select(RefreshTokenRow.session_id).where(
            RefreshTokenRow.token_hash == token_hash
        )
        asking = (
            select(SessionRow)
            .where(SessionRow.session_id == of_token.scalar_subquery())
            .with_for_update()
        )
        return (await sql.execute(asking)).scalar_one_or_none()

    async def _is_last_spent(
        self, sql: AsyncSession, token: RefreshTokenRow, now: datetime
    ) -> bool:
        """Return whether a token was spent a moment ago, and none of its session since."""
        if token.use_time is None or now >= token.use_time + self._grace:
            return False
        later = exists().where(
            RefreshTokenRow.session_id == token.session_id,
            RefreshTokenRow.use_time > token.use_time,
        )
        return not await sql.scalar(select(later))

    async def _continued(
        self, sql: AsyncSession, session: SessionRow, token: RefreshTokenRow, now: datetime
    ) -> TokenPair:
        if token.expire_time <= now:
            raise RefreshTokenExpired
        if session.revoke_time:
            raise RefreshTokenInvalid
        asking = select(UserRow.disabled, UserRow.delete_time).where(
            UserRow.user_id == session.user_id
        )
        user = (await sql.execute(asking)).one()
        if user.delete_time:
            raise RefreshTokenInvalid
        if user.disabled:
            raise UserDisabled
        if token.use_time is None:
            await self._spend(sql, session.session_id, now)
        session.expire_time = now + self._lifetime
        return await self._pair(sql, session.user_id, session.session_id, now)

    async def _spend(self, sql: AsyncSession, session_id: str, now: datetime) -> None:
        """Spend the token of a session, and those that were given out beside it."""
        await sql.execute(
            update(RefreshTokenRow)
            .where(RefreshTokenRow.session_id == session_id, RefreshTokenRow.use_time.is_(None))
            .values(use_time=now)
        )

    async def _end_reused(
        self, sql: AsyncSession, session: SessionRow, now: datetime, actor: Actor
    ) -> None:
        """End the session of a token that is spent."""
        if session.revoke_time:
            return
        session.revoke_time = now
        audit.record(sql, actor, "session.reused", session.user_id, session_id=session.session_id)
        await self._changes.note(sql, session.user_id)

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
