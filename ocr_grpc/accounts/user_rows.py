"""Rows of users: new ones, changed ones, and deleted ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.errors import EmailTaken, FieldNotUpdatable, UserNameTaken
from ocr_grpc.accounts.names import (
    checked_display_name,
    checked_email,
    checked_user_name,
    email_key,
    name_key,
)
from ocr_grpc.accounts.own_limits import NO_LIMITS, change_limits, is_limit
from ocr_grpc.accounts.principal import OwnLimits, Role
from ocr_grpc.store.accounts import UserRow


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a new user is to be."""

    user_name: str
    email: str = ""
    display_name: str = ""
    role: Role = Role.USER
    email_verified: bool = False
    disabled: bool = False
    limits: OwnLimits = NO_LIMITS


def new_user_row(new: NewUser, password_hash: str | None) -> UserRow:
    """Return the row of a new user.

    Raises:
        InvalidUserName, InvalidEmail, InvalidField: see there.
    """
    row = UserRow(
        display_name=checked_display_name(new.display_name),
        role=new.role.value,
        disabled=new.disabled,
        password_hash=password_hash,
    )
    _rename(row, new.user_name)
    _readdress(row, new.email)
    row.email_verified = new.email_verified
    change_limits(row, "limits", new.limits)
    return row


def is_acting_admin_row(row: UserRow) -> bool:
    """Return whether a user who is not deleted can administer."""
    return row.role == Role.ADMIN.value and not row.disabled


def apply_changes(row: UserRow, changes: Mapping[str, object]) -> None:
    """Change a row; the fields are those of `Users.update`.

    Raises:
        FieldNotUpdatable: another field, or a value of another type.
        InvalidUserName, InvalidEmail, InvalidField: see there.
    """
    # In the order of the names, so that `email` comes before `email_verified`, which it resets.
    for field, value in sorted(changes.items()):
        match field, value:
            case "user_name", str():
                _rename(row, value)
            case "email", str():
                _readdress(row, value)
            case "email_verified", bool():
                row.email_verified = value
            case "display_name", str():
                row.display_name = checked_display_name(value)
            case "role", Role():
                row.role = value.value
            case "disabled", bool():
                row.disabled = value
            case _ if is_limit(field):
                change_limits(row, field, value)
            case _:
                raise FieldNotUpdatable(field)


def _rename(row: UserRow, user_name: str) -> None:
    row.user_name = checked_user_name(user_name)
    row.user_name_key = name_key(user_name)


def _readdress(row: UserRow, email: str) -> None:
    checked = checked_email(email)
    if checked != row.email:
        row.email_verified = False
    row.email = checked
    row.email_key = email_key(checked) or None


def scrub(row: UserRow, now: datetime) -> None:
    """Forget who a user was, and free the name; `now` is the time of the database."""
    row.user_name = row.email = row.display_name = ""
    row.user_name_key = row.email_key = row.password_hash = None
    row.email_verified = False
    row.calls_per_minute = row.pages_per_month = row.concurrent_streams = None
    row.last_login_time = None
    row.disabled = True
    row.delete_time = now


async def flush_users(sql: AsyncSession) -> None:
    """Send changes to the database, which knows what is taken.

    Raises:
        UserNameTaken, EmailTaken: another user has that.
    """
    try:
        await sql.flush()
    except IntegrityError as error:
        if "user_name_key" in str(error.orig):
            raise UserNameTaken from None
        if "email_key" in str(error.orig):
            raise EmailTaken from None
        raise
