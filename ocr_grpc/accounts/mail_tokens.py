"""Tokens that travel by mail: to confirm an address, and to get a new password.

They work once, and only while the address they were sent to is still the user's. Several for a new
password may work until one is used: if the last one voided the others, anybody could void them by
asking for one. Transactions lock the user before anything of that user's, like everywhere.
"""

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.addresses import network_of
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.errors import (
    EmailMissing,
    MailNotConfigured,
    MailTokenInvalid,
    UserNotFound,
)
from ocr_grpc.accounts.mail import Mailer
from ocr_grpc.accounts.mail_texts import TEXTS, Purpose
from ocr_grpc.accounts.names import MAX_EMAIL_CHARS, email_key
from ocr_grpc.accounts.opaque import hash_of, make_token
from ocr_grpc.accounts.passwords import PasswordHasher, check_new_password
from ocr_grpc.accounts.principal import Actor, Principal
from ocr_grpc.accounts.sessions import MAX_TOKEN_CHARS, Sessions
from ocr_grpc.accounts.throttle import Windows, count_mail
from ocr_grpc.store.accounts import MailTokenRow, UserRow
from ocr_grpc.store.database import Database

LIFETIMES: dict[Purpose, timedelta] = {"verify": timedelta(hours=24), "reset": timedelta(hours=1)}
MAILS_PER_RECIPIENT = 3
REQUESTS_PER_ADDRESS = 10
"""Both in a minute."""


class MailTokens:
    """Sends tokens by mail and takes them back."""

    def __init__(
        self,
        database: Database,
        mailer: Mailer,
        hasher: PasswordHasher,
        sessions: Sessions,
        changes: Changes,
        windows: Windows,
    ) -> None:
        self._database = database
        self._mailer = mailer
        self._hasher = hasher
        self._sessions = sessions
        self._changes = changes
        self._windows = windows

    async def request_verification(self, principal: Principal, actor: Actor) -> None:
        """Have a token sent to the user's address; nothing is sent to a confirmed one.

        Raises:
            MailNotConfigured: the server sends no mail.
            EmailMissing: the user has no address.
            MailThrottled: too many mails were asked for.
        """
        self._require_mail()
        await self._count(REQUESTS_PER_ADDRESS, "mail_user", principal.user_id)
        asking = select(UserRow.email_key, UserRow.email_verified).where(
            UserRow.user_id == principal.user_id, UserRow.delete_time.is_(None)
        )
        async with self._database.read() as sql:
            user = (await sql.execute(asking)).one_or_none()
        if user is None:
            raise UserNotFound(principal.user_id)
        if not user.email_key:
            raise EmailMissing
        if user.email_verified:
            return
        await self._count(MAILS_PER_RECIPIENT, "mail_recipient", user.email_key)
        self._mailer.soon(self._send(principal.user_id, user.email_key, "verify", actor))

    async def verify_email(self, token: str, actor: Actor) -> None:
        """Confirm the address that a token was sent to.

        Raises:
            MailTokenInvalid: it is unknown, used, too old, or for an address of the past.
        """
        async with self._database.write() as sql:
            now = await self._database.now(sql)
            user_id, key = await self._addressee(sql, token, "verify", now)
            await self._change(sql, user_id, key, email_verified=True)
            await self._spend(sql, token, now)
            audit.record(sql, actor, "email.verified", user_id)
            await self._changes.note(sql, user_id)

    async def request_password_reset(self, email: str, actor: Actor) -> None:
        """Have a token sent, if this is the confirmed address of a user.

        Whether it is, is looked up in the background: neither the answer nor its time tells.

        Raises:
            MailNotConfigured: the server sends no mail.
            MailThrottled: too many were asked for from one network address.
        """
        self._require_mail()
        await self._count(REQUESTS_PER_ADDRESS, "mail_address", network_of(actor.address))
        if len(email) <= MAX_EMAIL_CHARS and email.isprintable():
            self._mailer.soon(self._send_reset(email_key(email), actor))

    async def reset_password(
        self, token: str, new_password: str, min_chars: int, actor: Actor
    ) -> None:
        """Set a new password and end all sessions of the user.

        Raises:
            MailNotConfigured: the server sends no mail.
            PasswordTooShort, PasswordTooLong: the password has the wrong length.
            MailTokenInvalid: the token is unknown, used, too old, or for an address of the past.
        """
        self._require_mail()
        check_new_password(new_password, min_chars, "new_password")
        async with self._database.read() as sql:
            # Looked at twice, because a hash is dear and must not be computed in a transaction.
            await self._addressee(sql, token, "reset", await self._database.now(sql))
        hashed = await self._hasher.hash(new_password)
        async with self._database.write() as sql:
            now = await self._database.now(sql)
            user_id, key = await self._addressee(sql, token, "reset", now)
            await self._change(sql, user_id, key, password_hash=hashed)
            await self._spend(sql, token, now)
            await void_reset_tokens(sql, user_id, now)
            await self._sessions.revoke_all(sql, user_id)
            audit.record(sql, actor, "password.reset", user_id)

    def _require_mail(self) -> None:
        if not self._mailer.configured:
            raise MailNotConfigured

    async def _count(self, limit: int, *key: str) -> None:
        await count_mail(self._windows, limit, *key)

    async def _send_reset(self, key: str, actor: Actor) -> None:
        asking = select(UserRow.user_id).where(
            UserRow.email_key == key,
            UserRow.email_verified.is_(True),
            UserRow.disabled.is_(False),
            UserRow.delete_time.is_(None),
        )
        async with self._database.read() as sql:
            user_id = (await sql.execute(asking)).scalar_one_or_none()
        if user_id is None:
            return
        if (await self._windows.take(MAILS_PER_RECIPIENT, "mail_recipient", key)).allowed:
            await self._send(user_id, key, "reset", actor)

    async def _send(self, user_id: str, key: str, purpose: Purpose, actor: Actor) -> None:
        """Make a token and send it. One to confirm an address voids those before it."""
        token = make_token()
        async with self._database.write() as sql:
            user = (
                await sql.execute(
                    select(UserRow.user_name, UserRow.email)
                    .where(UserRow.user_id == user_id, UserRow.email_key == key)
                    .with_for_update()
                )
            ).one_or_none()
            if user is None:
                return
            now = await self._database.now(sql)
            if purpose == "verify":
                await _void(sql, user_id, purpose, now)
            await sql.execute(
                insert(MailTokenRow).values(
                    token_hash=hash_of(token),
                    user_id=user_id,
                    purpose=purpose,
                    email=key,
                    create_time=now,
                    expire_time=now + LIFETIMES[purpose],
                )
            )
            audit.record(sql, actor, f"mail.{purpose}_sent", user_id)
        text = TEXTS[purpose]
        link = self._mailer.link(purpose, "token", token)
        body = text.body.format(user_name=user.user_name, token=token, link=link)
        await self._mailer.send(user.email, text.subject, body)

    async def _addressee(
        self, sql: AsyncSession, token: str, purpose: Purpose, now: datetime
    ) -> tuple[str, str]:
        """Return the user and the address that a token was sent to."""
        if len(token) > MAX_TOKEN_CHARS:
            raise MailTokenInvalid
        asking = select(MailTokenRow.user_id, MailTokenRow.email).where(
            MailTokenRow.token_hash == hash_of(token),
            MailTokenRow.purpose == purpose,
            MailTokenRow.use_time.is_(None),
            MailTokenRow.expire_time > now,
        )
        row = (await sql.execute(asking)).one_or_none()
        if row is None:
            raise MailTokenInvalid
        return row.user_id, row.email

    async def _change(
        self, sql: AsyncSession, user_id: str, key: str, **values: str | bool
    ) -> None:
        """Change a user who is not locked out and still has the address."""
        changing = (
            update(UserRow)
            .where(
                UserRow.user_id == user_id,
                UserRow.email_key == key,
                UserRow.disabled.is_(False),
                UserRow.delete_time.is_(None),
            )
            .values(**values)
            .returning(UserRow.user_id)
        )
        if (await sql.execute(changing)).scalar_one_or_none() is None:
            raise MailTokenInvalid

    async def _spend(self, sql: AsyncSession, token: str, now: datetime) -> None:
        """Use a token up. Of two who try at once, one fails, and with it the transaction."""
        spending = (
            update(MailTokenRow)
            .where(MailTokenRow.token_hash == hash_of(token), MailTokenRow.use_time.is_(None))
            .values(use_time=now)
            .returning(MailTokenRow.user_id)
        )
        if (await sql.execute(spending)).scalar_one_or_none() is None:
            raise MailTokenInvalid


async def void_reset_tokens(sql: AsyncSession, user_id: str, now: datetime) -> None:
    """Void what was sent to get a new password, because there is one."""
    await _void(sql, user_id, "reset", now)


async def _void(sql: AsyncSession, user_id: str, purpose: Purpose, now: datetime) -> None:
    await sql.execute(
        update(MailTokenRow)
        .where(
            MailTokenRow.user_id == user_id,
            MailTokenRow.purpose == purpose,
            MailTokenRow.use_time.is_(None),
        )
        .values(use_time=now)
    )
