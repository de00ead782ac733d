"""Users as the rest of the service sees them, and the queries that find and lock them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, false, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.errors import EmailTaken, LastAdmin, UserNameTaken, UserNotFound
from ocr_grpc.accounts.names import possible_id
from ocr_grpc.accounts.own_limits import own_limits
from ocr_grpc.accounts.principal import Limits, OrganizationRole, OwnLimits, Role, Scope
from ocr_grpc.store.accounts import KeyRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of

RoleLimits = Mapping[Role, Limits]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has an account.

    Attributes:
        limits: the user's own.
        effective_limits: those in force, the user's own or else the role's.
        last_login_time: None if never.
    """

    user_id: str
    user_name: str
    email: str
    email_verified: bool
    display_name: str
    role: Role
    disabled: bool
    limits: OwnLimits
    effective_limits: Limits
    organization_id: str | None
    organization_role: OrganizationRole | None
    create_time: datetime
    last_login_time: datetime | None


def user_of(row: UserRow, role_limits: RoleLimits) -> User:
    """Return a row as a user."""
    role, limits = Role(row.role), own_limits(row)
    return User(
        user_id=row.user_id,
        user_name=row.user_name,
        email=row.email,
        email_verified=row.email_verified,
        display_name=row.display_name,
        role=role,
        disabled=row.disabled,
        limits=limits,
        effective_limits=limits.over(role_limits[role]),
        organization_id=row.organization_id,
        organization_role=OrganizationRole(row.organization_role)
        if row.organization_role
        else None,
        create_time=row.create_time,
        last_login_time=row.last_login_time,
    )


def is_acting_admin() -> ColumnElement[bool]:
    """Return the condition for administrators who are not locked out."""
    return (UserRow.role == Role.ADMIN.value) & ~UserRow.disabled & UserRow.delete_time.is_(None)


def _can_administer() -> ColumnElement[bool]:
    """Return the condition for administrators who have a way in: a password, or a live key."""
    has_key = exists().where(
        KeyRow.user_id == UserRow.user_id,
        (literal(" ") + KeyRow.scopes + " ").contains(f" {Scope.ADMIN.value} "),
        ~KeyRow.disabled,
        KeyRow.revoke_time.is_(None),
        or_(KeyRow.expire_time.is_(None), KeyRow.expire_time > utc_now()),
    )
    return is_acting_admin() & or_(UserRow.password_hash.is_not(None), has_key)


async def find_user(sql: AsyncSession, user_id: str) -> UserRow:
    """Return the row of a user who is not deleted.

    Raises:
        UserNotFound: there is none.
    """
    row = await sql.get(UserRow, possible_id(user_id))
    if row is None or row.delete_time:
        raise UserNotFound(user_id)
    return row


async def require_free(sql: AsyncSession, row: UserRow) -> None:
    """Check that nobody has the name or the address of a user who is to be made.

    Raises:
        UserNameTaken, EmailTaken: another user has that.
    """
    for column, key, taken in (
        (UserRow.user_name_key, row.user_name_key, UserNameTaken),
        (UserRow.email_key, row.email_key, EmailTaken),
    ):
        if key and await sql.scalar(select(UserRow.user_id).where(column == key)):
            raise taken


async def lock_user(sql: AsyncSession, user_id: str) -> UserRow:
    """Return the row of a user whom nobody else changes until the transaction ends.

    Users are locked before organizations, several of them in the order of their ids: that order
    is what keeps transactions from waiting for each other.

    Raises:
        UserNotFound: there is none, or a deleted one.
    """
    return (await _locked(sql, user_id, false()))[0]


async def lock_user_and_admins(sql: AsyncSession, user_id: str) -> tuple[UserRow, int]:
    """Return the row of a user, and how many others can administer; none changes meanwhile.

    Raises:
        UserNotFound: there is none, or a deleted one.
    """
    return await _locked(sql, user_id, _can_administer())


async def _locked(
    sql: AsyncSession, user_id: str, others: ColumnElement[bool]
) -> tuple[UserRow, int]:
    chosen = or_(UserRow.user_id == possible_id(user_id), others)
    rows = (
        await sql.scalars(
            select(UserRow)
            .where(chosen, UserRow.delete_time.is_(None))
            .order_by(UserRow.user_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).all()
    row = next((row for row in rows if row.user_id == user_id), None)
    if row is None:
        raise UserNotFound(user_id)
    return row, len(rows) - 1


def require_other_admins(others: int, was_acting_admin: bool) -> None:
    """Check that somebody can still administer when this user no longer does.

    Raises:
        LastAdmin: nobody could.
    """
    if was_acting_admin and not others:
        raise LastAdmin


async def page_of_users(
    sql: AsyncSession,
    query: str,
    role: Role | None,
    organization_id: str,
    page_size: int,
    page_token: str,
) -> tuple[list[UserRow], str, int]:
    """Return a page of users, the newest first, the token of the next, and how many there are.

    Args:
        sql: a session.
        query: a part of user name, display name or address, in any case (SQLite knows only the
            case of ASCII letters). Empty: all.
        role: None: all.
        organization_id: empty: all.
        page_size: 0 for the default.
        page_token: empty for the first page.

    Raises:
        InvalidPageToken: nobody gave that token out.
    """
    chosen: list[ColumnElement[bool]] = [UserRow.delete_time.is_(None)]
    if query:
        chosen.append(_matches(query))
    if role:
        chosen.append(UserRow.role == role.value)
    if organization_id:
        chosen.append(UserRow.organization_id == possible_id(organization_id))
    size = page_size_of(page_size)
    after = older_than(page_token, UserRow.create_time, UserRow.user_id)
    rows = (
        await sql.scalars(
            select(UserRow)
            .where(*chosen, *after)
            .order_by(UserRow.create_time.desc(), UserRow.user_id.desc())
            .limit(size + 1)
        )
    ).all()
    total = await sql.scalar(select(func.count()).select_from(UserRow).where(*chosen))
    page, token = one_page(
        rows, size, lambda row: encoded(row.create_time.isoformat(), row.user_id)
    )
    return page, token, total or 0


def _matches(query: str) -> ColumnElement[bool]:
    if "\0" in query:  # PostgreSQL has no such strings
        return false()
    columns = (UserRow.user_name, UserRow.display_name, UserRow.email)
    return or_(*(column.icontains(query, autoescape=True) for column in columns))
