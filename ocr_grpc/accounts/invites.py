"""Invitations: codes that make an account or join an organization, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.errors import (
    InvalidField,
    InviteInvalid,
    InviteNotFound,
    OrganizationNotFound,
)
from ocr_grpc.accounts.mail import Mailer
from ocr_grpc.accounts.mail_texts import INVITED
from ocr_grpc.accounts.members import lock_organization
from ocr_grpc.accounts.names import checked_email, email_key, possible_id
from ocr_grpc.accounts.opaque import hash_of, make_token
from ocr_grpc.accounts.principal import Actor, Role
from ocr_grpc.accounts.throttle import Windows, count_mail
from ocr_grpc.store.accounts import InviteRow
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of

DEFAULT_LIFETIME_SECONDS = 7 * 86_400
MAX_LIFETIME_SECONDS = 30 * 86_400

MAILS_PER_RECIPIENT = 3
MAILS_PER_USER = 10
"""Both in a minute."""


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation, without its code.

    Attributes:
        organization_id: which one whoever uses it joins; None for none.
        email: the only address that may use it; empty for any.
        role: of the account made with it.
    """

    invite_id: str
    organization_id: str | None
    email: str
    role: Role
    expire_time: datetime
    create_time: datetime
    use_time: datetime | None
    used_by_user_id: str | None


def invite_of(row: InviteRow) -> Invite:
    """Return a row as an invitation."""
    return Invite(
        invite_id=row.invite_id,
        organization_id=row.organization_id,
        email=row.email,
        role=Role(row.role),
        expire_time=row.expire_time,
        create_time=row.create_time,
        use_time=row.use_time,
        used_by_user_id=row.used_by_user_id,
    )


class Invites:
    """The invitations of this installation."""

    def __init__(
        self, database: Database, mailer: Mailer | None = None, windows: Windows | None = None
    ) -> None:
        """Take the parts.

        Args:
            database: where they are.
            mailer: sends codes to those who are invited. None: nothing is sent.
            windows: counts the mails. None: nobody counts.
        """
        self._windows = windows
        self._database = database
        self._mailer = mailer

    async def create(
        self,
        role: Role,
        email: str,
        organization_id: str | None,
        lifetime_seconds: int,
        actor: Actor,
    ) -> tuple[Invite, str]:
        """Make an invitation. Return it and its code, which is kept nowhere.

        Raises:
            InvalidEmail, InvalidField: the address or the lifetime.
            MailThrottled: too many invitations were to be sent.
            OrganizationNotFound: there is none.
        """
        await self.count(email, actor)
        async with self._database.write() as sql:
            if organization_id:
                await lock_organization(sql, organization_id)
            invite, code = await self.add(
                sql, role, email, organization_id, lifetime_seconds, actor
            )
        self.announce(invite, code)
        return invite, code

    async def count(self, email: str, actor: Actor) -> None:
        """Count the mail that an invitation will be, before the transaction that makes it.

        Raises:
            InvalidEmail: the address.
            MailThrottled: too many were to be sent to it, or by that user.
        """
        recipient = email_key(checked_email(email))
        if not (recipient and self._windows and self._mailer and self._mailer.configured):
            return
        if actor.principal:
            await count_mail(self._windows, MAILS_PER_USER, "invite_user", actor.principal.user_id)
        # Apart from other mails: with those, this would tell whether somebody has that address.
        await count_mail(self._windows, MAILS_PER_RECIPIENT, "invite_recipient", recipient)

    def announce(self, invite: Invite, code: str) -> None:
        """Send an invitation that is committed to its address, if it has one and mail can be sent.

        Returns at once; whether the mail arrives is not known.
        """
        if invite.email and self._mailer and self._mailer.configured:
            body = INVITED.body.format(
                code=code,
                link=self._mailer.link("register", "code", code),
                expire_time=f"{invite.expire_time:%Y-%m-%d %H:%M}",
            )
            self._mailer.soon(self._mailer.send(invite.email, INVITED.subject, body))

    async def add(
        self,
        sql: AsyncSession,
        role: Role,
        email: str,
        organization_id: str | None,
        lifetime_seconds: int,
        actor: Actor,
    ) -> tuple[Invite, str]:
        """Add an invitation to a transaction in which the organization, if any, is locked.

        Raises:
            InvalidEmail, InvalidField: the address or the lifetime.
        """
        if not 0 <= lifetime_seconds <= MAX_LIFETIME_SECONDS:
            raise InvalidField(
                f"An invitation works for up to {MAX_LIFETIME_SECONDS} seconds.",
                field="lifetime_seconds",
                max_seconds=MAX_LIFETIME_SECONDS,
            )
        code, now = make_token(), utc_now()
        row = InviteRow(
            invite_id=new_id(),
            code_hash=hash_of(code),
            organization_id=organization_id or None,
            email=checked_email(email),
            role=role.value,
            create_time=now,
            expire_time=now + timedelta(seconds=lifetime_seconds or DEFAULT_LIFETIME_SECONDS),
        )
        sql.add(row)
        audit.record(sql, actor, "invite.created", row.invite_id, role=role.value)
        return invite_of(row), code

    async def list(self, page_size: int = 0, page_token: str = "") -> tuple[list[Invite], str]:
        """Return a page of invitations, the newest first, and the token of the next.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        after = older_than(page_token, InviteRow.create_time, InviteRow.invite_id)
        async with self._database.read() as sql:
            rows = (
                await sql.scalars(
                    select(InviteRow)
                    .where(*after)
                    .order_by(InviteRow.create_time.desc(), InviteRow.invite_id.desc())
                    .limit(size + 1)
                )
            ).all()
        page, token = one_page(
            rows, size, lambda row: encoded(row.create_time.isoformat(), row.invite_id)
        )
        return [invite_of(row) for row in page], token

    async def delete(self, invite_id: str, actor: Actor) -> None:
        """Make an invitation useless, and forget it.

        Raises:
            InviteNotFound: there is none.
        """
        async with self._database.write() as sql:
            gone = await sql.scalar(
                delete(InviteRow)
                .where(InviteRow.invite_id == possible_id(invite_id))
                .returning(InviteRow.invite_id)
            )
            if gone is None:
                raise InviteNotFound(invite_id)
            audit.record(sql, actor, "invite.deleted", invite_id)

    async def check(self, code: str, email: str) -> None:
        """Check that an invitation could be used now, without using it.

        Raises:
            InviteInvalid: it is unknown, used, too old, or for another address.
        """
        async with self._database.read() as sql:
            await _usable(sql, code, email)

    async def use(self, sql: AsyncSession, code: str, email: str, user_id: str) -> InviteRow:
        """Use an invitation up, in the transaction of what it is used for.

        Its organization, if any, is locked from here on.

        Args:
            sql: the transaction, in which the user exists and is locked.
            code: the invitation's.
            email: the user's address, empty if none.
            user_id: who uses it.

        Raises:
            InviteInvalid: it is unknown, used, too old, or for another address.
        """
        row = await _usable(sql, code, email)
        if row.organization_id:
            # Before the row itself: whoever deletes the organization goes that way, too.
            try:
                await lock_organization(sql, row.organization_id)
            except OrganizationNotFound:
                raise InviteInvalid from None
        used = await sql.scalar(
            update(InviteRow)
            .where(InviteRow.invite_id == row.invite_id, InviteRow.use_time.is_(None))
            .values(use_time=utc_now(), used_by_user_id=user_id)
            .returning(InviteRow.invite_id)
        )
        if used is None:
            raise InviteInvalid
        return row


async def _usable(sql: AsyncSession, code: str, email: str) -> InviteRow:
    row = await sql.scalar(select(InviteRow).where(InviteRow.code_hash == hash_of(code)))
    if row is None or row.use_time or row.expire_time <= utc_now():
        raise InviteInvalid
    if row.email and email_key(row.email) != email_key(email):
        raise InviteInvalid
    return row
