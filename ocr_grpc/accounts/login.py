"""Signing in, and changing the password with the old one.

What is done is the same for a user that exists and one that does not: the same query, one hash, the
same entry in the audit log. So the time it takes does not tell which it was.
"""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.errors import LoginFailed, LoginThrottled, UserDisabled
from ocr_grpc.accounts.mail_tokens import void_reset_tokens
from ocr_grpc.accounts.names import email_key, name_key
from ocr_grpc.accounts.passwords import PasswordHasher, check_new_password
from ocr_grpc.accounts.principal import Actor, Principal
from ocr_grpc.accounts.sessions import Sessions, TokenPair
from ocr_grpc.accounts.throttle import LoginLimits, LoginThrottle, Windows
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.database import Database

MAX_ACCOUNT_CHARS = 320
TRIES = 3
"""How often a right password is looked at again because the hash was changed meanwhile."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who signed in."""

    tokens: TokenPair
    user_id: str


class Login:
    """Compares passwords, and no more often than the limits allow."""

    def __init__(
        self,
        database: Database,
        hasher: PasswordHasher,
        sessions: Sessions,
        windows: Windows,
        limits: LoginLimits,
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._sessions = sessions
        self._throttle = LoginThrottle(windows, limits)

    async def login(self, user_name_or_email: str, password: str, actor: Actor) -> SignedIn:
        """Open a session.

        Raises:
            LoginFailed: there is no such user, the password is wrong, or there is none.
            UserDisabled: the password is right, but an administrator locked the user out.
            LoginThrottled: there were too many attempts.
        """
        account = _account_key(user_name_or_email)
        await self._throttle.count(account, actor.address)
        for _ in range(TRIES):
            found = await self._find(account)
            if not await self._hasher.verify(password, found.password_hash if found else None):
                await self._note_failure(found.user_id if found else None, actor, "credentials")
                raise LoginFailed
            if found and (signed_in := await self._open(found, password, actor)):
                await self._throttle.forget(account, actor.address)
                return signed_in
        raise LoginFailed

    async def change_password(
        self, principal: Principal, old: str, new: str, min_chars: int, actor: Actor
    ) -> None:
        """Set a new password and end all other sessions of the user.

        Raises:
            PasswordTooShort: the new one has less than `min_chars` characters.
            PasswordTooLong: it has more than 1,024.
            LoginFailed: the old one is wrong.
            LoginThrottled: there were too many attempts.
        """
        check_new_password(new, min_chars, "new_password")
        await self._throttle.count(principal.user_id, actor.address)
        async with self._database.read() as sql:
            asking = select(UserRow.password_hash).where(UserRow.user_id == principal.user_id)
            kept = (await sql.execute(asking)).scalar_one_or_none()
        if not await self._hasher.verify(old, kept):
            await self._note_failure(principal.user_id, actor, "old_password")
            raise LoginFailed
        hashed = await self._hasher.hash(new)
        async with self._database.write() as sql:
            if not await _replace_hash(sql, principal.user_id, kept, hashed):
                raise LoginFailed  # somebody else changed it meanwhile
            now = await self._database.now(sql)
            await void_reset_tokens(sql, principal.user_id, now)
            await self._sessions.revoke_all(sql, principal.user_id, principal.session_id)
            audit.record(sql, actor, "password.changed", principal.user_id)
        await self._throttle.forget(principal.user_id, actor.address)

    async def _find(self, account: str) -> Row[str, str | None, bool] | None:
        # Columns, not an object: making one takes time only if there is one.
        key = UserRow.email_key if "@" in account else UserRow.user_name_key
        asking = select(UserRow.user_id, UserRow.password_hash, UserRow.disabled)
        async with self._database.read() as sql:
            return (await sql.execute(asking.where(key == account))).one_or_none()

    async def _open(
        self, found: Row[str, str | None, bool], password: str, actor: Actor
    ) -> SignedIn | None:
        """Open a session, unless the password was changed since it was found to be right."""
        user_id, kept, disabled = found.user_id, found.password_hash or "", found.disabled
        if disabled:
            await self._note_failure(user_id, actor, "disabled")
            raise UserDisabled
        hashed = kept
        if self._hasher.is_outdated(kept):
            with suppress(LoginThrottled):  # the next login will do
                hashed = await self._hasher.hash(password)
        async with self._database.write() as sql:
            if not await _replace_hash(sql, user_id, kept, hashed):
                return None
            now = await self._database.now(sql)
            noting = update(UserRow).where(UserRow.user_id == user_id)
            await sql.execute(noting.values(last_login_time=now))
            tokens = await self._sessions.open(sql, user_id)
            audit.record(sql, actor, "login.succeeded", user_id)
        return SignedIn(tokens, user_id)

    async def _note_failure(self, user_id: str | None, actor: Actor, cause: str) -> None:
        # Not what was typed: now and then that is a password in the wrong field.
        async with self._database.write() as sql:
            audit.record(sql, actor, "login.failed", user_id, cause=cause)


def _account_key(typed: str) -> str:
    """Return what was typed as it is compared, or "", which nobody has."""
    # A database may refuse what can never be in it.
    if len(typed) > MAX_ACCOUNT_CHARS or not typed.isprintable():
        return ""
    return email_key(typed) if "@" in typed else name_key(typed)


async def _replace_hash(sql: AsyncSession, user_id: str, kept: str | None, hashed: str) -> bool:
    """Replace the hash of a live user's password. Return False if it is another one by now."""
    replacing = (
        update(UserRow)
        .where(
            UserRow.user_id == user_id,
            UserRow.password_hash == kept,
            UserRow.disabled.is_(False),
            UserRow.delete_time.is_(None),
        )
        .values(password_hash=hashed)
        .returning(UserRow.user_id)
    )
    return (await sql.execute(replacing)).scalar_one_or_none() is not None
