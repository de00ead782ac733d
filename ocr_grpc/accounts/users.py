"""Makes, changes and deletes users."""

from collections.abc import Mapping

from sqlalchemy import delete, func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit, members
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.errors import FieldNotUpdatable
from ocr_grpc.accounts.mail import Mailer
from ocr_grpc.accounts.mail_texts import ADDRESS_CHANGED
from ocr_grpc.accounts.passwords import PasswordHasher, check_new_password
from ocr_grpc.accounts.principal import Actor, Principal, Role
from ocr_grpc.accounts.sessions import Sessions
from ocr_grpc.accounts.user_queries import (
    RoleLimits,
    User,
    find_user,
    lock_user,
    lock_user_and_admins,
    page_of_users,
    require_other_admins,
    user_of,
)
from ocr_grpc.accounts.user_rows import (
    NewUser,
    apply_changes,
    flush_users,
    is_acting_admin_row,
    new_user_row,
    scrub,
)
from ocr_grpc.store.accounts import InviteRow, KeyRow, MailTokenRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database

__all__ = ["NewUser", "User", "Users"]

_OWN_FIELDS = frozenset({"display_name", "email"})


class Users:
    """The users of this installation."""

    def __init__(
        self,
        database: Database,
        hasher: PasswordHasher,
        changes: Changes,
        role_limits: RoleLimits,
        sessions: Sessions,
        password_min_chars: int = 8,
        mailer: Mailer | None = None,
    ) -> None:
        self._mailer = mailer
        self.database = database
        self._hasher = hasher
        self._news = changes
        self._role_limits = role_limits
        self._sessions = sessions
        self._password_min_chars = password_min_chars

    async def create(self, new: NewUser, password: str, actor: Actor) -> User:
        """Make a user.

        Args:
            new: what it is to be.
            password: empty: nobody can sign in by password until one is set.
            actor: who makes it.

        Raises:
            InvalidUserName, InvalidEmail, InvalidField: see there.
            PasswordTooShort, PasswordTooLong: see there.
            UserNameTaken, EmailTaken: another user has that.
        """
        password_hash = await self.hash_new_password(password) if password else None
        async with self.database.write() as sql:
            row = await self.add(sql, new, password_hash)
            audit.record(sql, actor, "user.created", row.user_id, role=row.role)
        return self.view(row)

    async def hash_new_password(self, password: str) -> str:
        """Return what is kept of a password. Slow, so call it before a transaction.

        Raises:
            PasswordTooShort, PasswordTooLong: it is no good.
        """
        check_new_password(password, self._password_min_chars)
        return await self._hasher.hash(password)

    async def add(self, sql: AsyncSession, new: NewUser, password_hash: str | None) -> UserRow:
        """Add a user to a transaction.

        Raises:
            InvalidUserName, InvalidEmail, InvalidField: see there.
            UserNameTaken, EmailTaken: another user has that.
        """
        row = new_user_row(new, password_hash)
        sql.add(row)
        await flush_users(sql)
        return row

    def view(self, row: UserRow) -> User:
        """Return a row as a user."""
        return user_of(row, self._role_limits)

    async def get(self, user_id: str) -> User:
        """Return a user.

        Raises:
            UserNotFound: there is none.
        """
        async with self.database.read() as sql:
            return self.view(await find_user(sql, user_id))

    async def list(
        self,
        query: str = "",
        role: Role | None = None,
        organization_id: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> tuple[list[User], str, int]:
        """Return a page of users, the token of the next and how many there are in all.

        Arguments and errors are those of `page_of_users`.
        """
        async with self.database.read() as sql:
            rows, token, total = await page_of_users(
                sql, query, role, organization_id, page_size, page_token
            )
        return [self.view(row) for row in rows], token, total

    async def update(
        self, user_id: str, changes: Mapping[str, object], password: str, actor: Actor
    ) -> User:
        """Change a user. A new password, and being disabled, end the user's sessions.

        Args:
            user_id: whom.
            changes: new values of `user_name`, `email`, `email_verified`, `display_name`, `role`
                (`Role`), `disabled`, `limits` (`OwnLimits`) or single ones of the limits.
            password: empty: it stays.
            actor: who changes it.

        Raises:
            UserNotFound: there is no such user.
            LastAdmin: nobody could administer any more.
            FieldNotUpdatable, and what `create` raises.
        """
        return (await self._change(user_id, changes, password, actor))[0]

    async def _change(
        self, user_id: str, changes: Mapping[str, object], password: str, actor: Actor
    ) -> tuple[User, str]:
        """Change a user. Return it, and the confirmed address it had until now, else ""."""
        password_hash = await self.hash_new_password(password) if password else None
        async with self.database.write() as sql:
            if {"role", "disabled"} & changes.keys():
                row, other_admins = await lock_user_and_admins(sql, user_id)
            else:
                row, other_admins = await lock_user(sql, user_id), 0
            was_admin = is_acting_admin_row(row)
            old_key, old_email = row.email_key, row.email if row.email_verified else ""
            apply_changes(row, changes)
            if not is_acting_admin_row(row):
                require_other_admins(other_admins, was_admin)
            row.password_hash = password_hash or row.password_hash
            await flush_users(sql)
            if password_hash or changes.get("disabled"):
                await self._sessions.revoke_all(sql, user_id)
            if password_hash or changes.get("disabled") or "email" in changes:
                await _forget_mails(sql, user_id)
            await self._news.note(sql, user_id)
            _record_update(sql, actor, row, changes, password_hash is not None)
        return self.view(row), old_email if row.email_key != old_key else ""

    async def update_me(
        self, principal: Principal, changes: Mapping[str, object], actor: Actor
    ) -> User:
        """Change `display_name` or `email` of the user who is calling.

        A new address is unverified; the one before, if it was not, is told by mail.

        Raises:
            FieldNotUpdatable: another field.
            InvalidEmail, InvalidField, EmailTaken: see there.
        """
        for field in changes.keys() - _OWN_FIELDS:
            raise FieldNotUpdatable(field)
        user, old_email = await self._change(principal.user_id, changes, "", actor)
        if old_email and self._mailer and self._mailer.configured:
            body = ADDRESS_CHANGED.body.format(user_name=user.user_name)
            self._mailer.soon(self._mailer.send(old_email, ADDRESS_CHANGED.subject, body))
        return user

    async def delete(self, user_id: str, actor: Actor) -> None:
        """Forget who a user was; the id stays, because usage and audit log refer to it.

        What else there is of that user is removed by the retention job; see `retention/erasure.py`.

        Raises:
            UserNotFound: there is no such user.
            LastAdmin: nobody could administer any more.
            LastOwner: an organization would be without an owner.
        """
        async with self.database.write() as sql:
            row, other_admins = await lock_user_and_admins(sql, user_id)
            require_other_admins(other_admins, is_acting_admin_row(row))
            if row.organization_id:
                await members.leave(sql, row)
            await self._sessions.revoke_all(sql, user_id)
            await _forget_traces(sql, user_id, row.email, row.email_key or "")
            scrub(row, await self.database.now(sql))
            await sql.flush()
            await self._news.note(sql, user_id)
            audit.record(sql, actor, "user.deleted", user_id)


async def _forget_traces(sql: AsyncSession, user_id: str, email: str, email_key: str) -> None:
    """Revoke the keys of a user, and forget the address wherever else it stands."""
    if email_key:  # nobody will know later whose it was
        # SQLite knows the case of ASCII letters alone.
        invited = or_(func.lower(InviteRow.email) == email_key, InviteRow.email == email)
        await sql.execute(delete(InviteRow).where(invited))
    await sql.execute(
        update(KeyRow)
        .where(KeyRow.user_id == user_id, KeyRow.revoke_time.is_(None))
        .values(revoke_time=utc_now())
    )
    await sql.execute(delete(MailTokenRow).where(MailTokenRow.user_id == user_id))
    await sql.execute(
        update(InviteRow).where(InviteRow.used_by_user_id == user_id).values(email="")
    )


async def _forget_mails(sql: AsyncSession, user_id: str) -> None:
    """Have the tokens of mails that were sent to a user work no more."""
    await sql.execute(delete(MailTokenRow).where(MailTokenRow.user_id == user_id))


def _record_update(
    sql: AsyncSession,
    actor: Actor,
    row: UserRow,
    changes: Mapping[str, object],
    password_set: bool,
) -> None:
    if changes:
        details: dict[str, object] = {"fields": ",".join(sorted(changes))}
        # Who may do what is worth knowing later; names and addresses must be forgotten.
        details |= {name: getattr(row, name) for name in ("role", "disabled") if name in changes}
        audit.record(sql, actor, "user.updated", row.user_id, **details)
    if password_set:
        audit.record(sql, actor, "user.password_set", row.user_id)
