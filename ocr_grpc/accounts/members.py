"""Who belongs to which organization, and as what.

A membership changes only while the user and then the organization are locked, so that of two
owners who leave at the same moment one stays.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.errors import (
    AlreadyInOrganization,
    LastOwner,
    OrganizationNotFound,
    OwnerRequired,
    UserNotFound,
)
from ocr_grpc.accounts.names import possible_id
from ocr_grpc.accounts.principal import OrganizationRole, Principal, Scope
from ocr_grpc.accounts.user_queries import lock_user
from ocr_grpc.store.accounts import OrganizationRow, UserRow
from ocr_grpc.store.paging import decoded, encoded, one_page, page_size_of


@dataclass(frozen=True, slots=True)
class Member:
    """A user as a member of an organization."""

    user_id: str
    user_name: str
    display_name: str
    role: OrganizationRole


def member_of(row: UserRow) -> Member:
    """Return a user who belongs to an organization as its member."""
    role = OrganizationRole(row.organization_role or OrganizationRole.MEMBER.value)
    return Member(row.user_id, row.user_name, row.display_name, role)


def administers(principal: Principal) -> bool:
    """Return whether somebody calls as an administrator: the role and, with a key, the scope."""
    return principal.is_admin and principal.may(Scope.ADMIN)


async def find_organization(
    sql: AsyncSession, principal: Principal, organization_id: str, *, lock: bool = False
) -> OrganizationRow:
    """Return an organization that the caller may see.

    Raises:
        OrganizationNotFound: there is none, or the caller does not belong to it.
    """
    row = await (lock_organization if lock else _get_organization)(sql, organization_id)
    if not administers(principal) and await _role_of(sql, principal, row) is None:
        raise OrganizationNotFound(organization_id)
    return row


async def require_owner(
    sql: AsyncSession, principal: Principal, organization: OrganizationRow
) -> None:
    """Check that the caller is an owner or administers. Ask with the organization locked.

    Raises:
        OwnerRequired: neither.
    """
    role = await _role_of(sql, principal, organization)
    if role != OrganizationRole.OWNER.value and not administers(principal):
        raise OwnerRequired


async def lock_organization(sql: AsyncSession, organization_id: str) -> OrganizationRow:
    """Return an organization whose members nobody else changes until the transaction ends.

    Raises:
        OrganizationNotFound: there is none.
    """
    row = await sql.scalar(
        select(OrganizationRow)
        .where(OrganizationRow.organization_id == possible_id(organization_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise OrganizationNotFound(organization_id)
    return row


async def lock_member(sql: AsyncSession, organization_id: str, user_id: str) -> UserRow | None:
    """Lock a user, then the organization. Return the user, or None if that is no member.

    Raises:
        OrganizationNotFound: there is no such organization.
    """
    try:
        row = await lock_user(sql, user_id)
    except UserNotFound:
        row = None
    await lock_organization(sql, organization_id)
    return row if row and row.organization_id == organization_id else None


async def join(sql: AsyncSession, row: UserRow, organization_id: str) -> OrganizationRow:
    """Make a locked user a plain member.

    Raises:
        AlreadyInOrganization: of this or another one.
        OrganizationNotFound: there is none any more.
    """
    if row.organization_id:
        raise AlreadyInOrganization
    organization = await lock_organization(sql, organization_id)
    row.organization_id = organization_id
    row.organization_role = OrganizationRole.MEMBER.value
    return organization


async def leave(sql: AsyncSession, row: UserRow) -> None:
    """Take a locked user out of the organization.

    Raises:
        LastOwner: it would be without an owner.
    """
    await require_other_owner(sql, row)
    row.organization_id = row.organization_role = None


async def require_other_owner(sql: AsyncSession, row: UserRow) -> None:
    """Check that a locked member is not the only owner; locks the organization.

    Raises:
        LastOwner: it is.
    """
    if row.organization_id is None or row.organization_role != OrganizationRole.OWNER.value:
        return
    await lock_organization(sql, row.organization_id)
    others = await sql.scalar(
        select(func.count())
        .select_from(UserRow)
        .where(
            UserRow.organization_id == row.organization_id,
            UserRow.organization_role == OrganizationRole.OWNER.value,
            UserRow.user_id != row.user_id,
        )
    )
    if not others:
        raise LastOwner


async def page_of_members(
    sql: AsyncSession, organization_id: str, page_size: int, page_token: str
) -> tuple[list[Member], str]:
    """Return a page of members in the order of their user names, and the token of the next.

    Raises:
        InvalidPageToken: nobody gave that token out.
    """
    size = page_size_of(page_size)
    after = [UserRow.user_name_key > decoded(page_token, 1)[0]] if page_token else []
    rows = (
        await sql.scalars(
            select(UserRow)
            .where(UserRow.organization_id == organization_id, *after)
            .order_by(UserRow.user_name_key)
            .limit(size + 1)
        )
    ).all()
    page, token = one_page(rows, size, lambda row: encoded(row.user_name_key or ""))
    return [member_of(row) for row in page], token


async def _get_organization(sql: AsyncSession, organization_id: str) -> OrganizationRow:
    row = await sql.get(OrganizationRow, possible_id(organization_id))
    if row is None:
        raise OrganizationNotFound(organization_id)
    return row


async def _role_of(
    sql: AsyncSession, principal: Principal, organization: OrganizationRow
) -> str | None:
    """Return what the caller is in an organization now, which may be news to the principal."""
    return await sql.scalar(
        select(UserRow.organization_role).where(
            UserRow.user_id == principal.user_id,
            UserRow.organization_id == organization.organization_id,
        )
    )
