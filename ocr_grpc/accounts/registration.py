"""How people get an account by themselves."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit, members
from ocr_grpc.accounts.errors import InviteRequired, RegistrationClosed
from ocr_grpc.accounts.invites import Invites
from ocr_grpc.accounts.names import checked_email
from ocr_grpc.accounts.passwords import check_new_password
from ocr_grpc.accounts.principal import Actor
from ocr_grpc.accounts.users import NewUser, User, Users
from ocr_grpc.store.accounts import UserRow

Mode = Literal["open", "invite", "closed"]


class Registration:
    """Makes accounts for whoever asks, as the settings have it."""

    def __init__(self, users: Users, invites: Invites, mode: Mode, min_chars: int) -> None:
        """Take the parts.

        Args:
            users: where accounts are made.
            invites: which are used up.
            mode: who may register: anyone, the invited, or nobody.
            min_chars: the least characters of a password.
        """
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
            UserNameTaken, EmailTaken: told as any such service must, but for the price of a hash.
            InvalidUserName, InvalidEmail, InvalidField: see there.
            PasswordTooShort, PasswordTooLong: see there.
        """
        self._check_open(invite_code)
        check_new_password(password, self._min_chars)
        new = NewUser(user_name, checked_email(email), display_name)
        if invite_code:
            # Without an invitation nobody shall learn which names are taken, nor have us hash.
            await self._invites.check(invite_code, new.email)
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
