"""How people get an account by themselves."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit, members
from ocr_grpc.accounts.errors import InviteRequired, RegistrationClosed
from ocr_grpc.accounts.invites import Invites
from ocr_grpc.accounts.names import checked_email
from ocr_grpc.accounts.passwords import check_new_password
from ocr_grpc.accounts.principal import Actor
from ocr_grpc.accounts.throttle import LoginThrottle
from ocr_grpc.accounts.user_queries import require_free
from ocr_grpc.accounts.user_rows import new_user_row
from ocr_grpc.accounts.users import NewUser, User, Users
from ocr_grpc.store.accounts import UserRow

Mode = Literal["open", "invite", "closed"]


class Registration:
    """Makes accounts for whoever asks, as the settings have it."""

    def __init__(
        self,
        users: Users,
        invites: Invites,
        mode: Mode,
        min_chars: int,
        throttle: LoginThrottle | None = None,
    ) -> None:
        """Take the parts.

        Args:
            users: where accounts are made.
            invites: which are used up.
            mode: who may register: anyone, the invited, or nobody.
            min_chars: the least characters of a password.
            throttle: counts registrations with the logins of an address. None: nobody counts.
        """
        self._throttle = throttle
        self._users = users
        self._invites = invites
        self._mode = mode
        self._min_chars = min_chars

    async def register(
        self,
        user_name: str,
        email: str,
        password: str,
        display_name: str,
        invite_code: str,
        actor: Actor,
    ) -> User:
        """Make an account. An invitation decides its role and organization.

        Raises:
            RegistrationClosed, InviteRequired, InviteInvalid: the caller may not.
            LoginThrottled: there was too much from that address.
            UserNameTaken, EmailTaken: told as any such service must.
            InvalidUserName, InvalidEmail, InvalidField: see there.
            PasswordTooShort, PasswordTooLong: see there.
        """
        self._check_open(invite_code)
        check_new_password(password, self._min_chars)
        if self._throttle:
            await self._throttle.count_address(actor.address)
        new = NewUser(user_name, email, display_name)
        # All that can be wrong comes before the hash, which is dear, and the invitation first:
        # without it nobody shall learn which names are taken.
        if invite_code:
            await self._invites.check(invite_code, checked_email(email))
        async with self._users.database.read() as sql:
            await require_free(sql, new_user_row(new, None))
        password_hash = await self._users.hash_new_password(password)
        async with self._users.database.write() as sql:
            row = await self._users.add(sql, new, password_hash)
            invite_id = await self._use_invite(sql, row, invite_code) if invite_code else ""
            audit.record(sql, actor, "user.registered", row.user_id, invite_id=invite_id)
        return self._users.view(row)

    def _check_open(self, invite_code: str) -> None:
        if self._mode == "closed":
            raise RegistrationClosed
        if self._mode == "invite" and not invite_code:
            raise InviteRequired

    async def _use_invite(self, sql: AsyncSession, row: UserRow, code: str) -> str:
        invite = await self._invites.use(sql, code, row.email, row.user_id)
        row.role = invite.role
        if invite.organization_id:
            await members.join(sql, row, invite.organization_id)
        return invite.invite_id
