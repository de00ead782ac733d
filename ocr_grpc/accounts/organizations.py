"""Organizations: users who share a quota."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts import audit, members
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.errors import (
    AlreadyInOrganization,
    FieldNotUpdatable,
    InvalidField,
    RoleRequired,
)
from ocr_grpc.accounts.members import Member, administers, require_owner
from ocr_grpc.accounts.names import checked_display_name, possible_id
from ocr_grpc.accounts.principal import Actor, OrganizationRole, Principal, Role
from ocr_grpc.accounts.user_queries import lock_user
from ocr_grpc.store.accounts import OrganizationRow, UserRow
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.database import Database
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of

__all__ = ["Member", "Organization", "Organizations"]


@dataclass(frozen=True, slots=True)
class Organization:
    """Users who share a quota.

    Attributes:
        pages_per_month: for all members together; 0 means no limit.
    """

    organization_id: str
    display_name: str
    pages_per_month: int
    create_time: datetime
    member_count: int


class Organizations:
    """The organizations of this installation."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._news = changes

    async def create(
        self, display_name: str, pages_per_month: int, owner_user_id: str, actor: Actor
    ) -> Organization:
        """Make an organization with one owner. For administrators, as are `list` and `delete`.

        Raises:
            InvalidField: the name or the quota.
            UserNotFound: there is no such user.
            AlreadyInOrganization: the user is in another one.
        """
        row = OrganizationRow(
            organization_id=new_id(),
            display_name=checked_display_name(display_name, min_chars=1),
            pages_per_month=_checked_pages(pages_per_month),
            create_time=utc_now(),
        )
        async with self._database.write() as sql:
            owner = await lock_user(sql, owner_user_id)
            if owner.organization_id:
                raise AlreadyInOrganization
            sql.add(row)
            await sql.flush()
            owner.organization_id = row.organization_id
            owner.organization_role = OrganizationRole.OWNER.value
            await self._news.note(sql, owner.user_id)
            audit.record(
                sql, actor, "organization.created", row.organization_id, owner=owner.user_id
            )
        return _organization_of(row, 1)

    async def list(
        self, page_size: int = 0, page_token: str = ""
    ) -> tuple[list[Organization], str]:
        """Return a page of organizations, the newest first, and the token of the next.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        after = older_than(page_token, OrganizationRow.create_time, OrganizationRow.organization_id)
        chosen = (
            _with_member_count()
            .where(*after)
            .order_by(OrganizationRow.create_time.desc(), OrganizationRow.organization_id.desc())
            .limit(size + 1)
        )
        async with self._database.read() as sql:
            rows = (await sql.execute(chosen)).all()
        found = [_organization_of(row, count) for row, count in rows]
        return one_page(
            found, size, lambda one: encoded(one.create_time.isoformat(), one.organization_id)
        )

    async def get(self, principal: Principal, organization_id: str) -> Organization:
        """Return an organization.

        Raises:
            OrganizationNotFound: there is none, or the caller does not belong to it.
        """
        async with self._database.read() as sql:
            row = await members.find_organization(sql, principal, organization_id)
            return await counted(sql, row)

    async def update(
        self,
        principal: Principal,
        organization_id: str,
        changes: Mapping[str, object],
        actor: Actor,
    ) -> Organization:
        """Change `display_name` (owners) or `pages_per_month` (administrators).

        Raises:
            OrganizationNotFound, OwnerRequired: the caller may not.
            RoleRequired: an owner changes the quota.
            FieldNotUpdatable, InvalidField: a field or its value.
        """
        async with self._database.write() as sql:
            if "pages_per_month" in changes:
                await _lock_members(sql, organization_id)
            row = await members.find_organization(sql, principal, organization_id, lock=True)
            await require_owner(sql, principal, row)
            if "pages_per_month" in changes and not administers(principal):
                raise RoleRequired(Role.ADMIN.value)
            _apply(row, changes)
            if "pages_per_month" in changes:
                await self._note_members(sql, organization_id)
            audit.record(
                sql,
                actor,
                "organization.updated",
                organization_id,
                fields=",".join(sorted(changes)),
            )
            return await counted(sql, row)

    async def delete(self, organization_id: str, actor: Actor) -> None:
        """Delete an organization. Its members remain users, with quotas of their own.

        Raises:
            OrganizationNotFound: there is none.
        """
        async with self._database.write() as sql:
            await _lock_members(sql, organization_id)
            await members.lock_organization(sql, organization_id)
            await self._note_members(sql, organization_id)
            await sql.execute(
                update(UserRow)
                .where(UserRow.organization_id == organization_id)
                .values(organization_id=None, organization_role=None)
            )
            await sql.execute(
                delete(OrganizationRow).where(OrganizationRow.organization_id == organization_id)
            )
            audit.record(sql, actor, "organization.deleted", organization_id)

    async def _note_members(self, sql: AsyncSession, organization_id: str) -> None:
        for user_id in await _member_ids(sql, organization_id):
            await self._news.note(sql, user_id)


def _apply(row: OrganizationRow, changes: Mapping[str, object]) -> None:
    for field, value in changes.items():
        match field, value:
            case "display_name", str():
                row.display_name = checked_display_name(value, min_chars=1)
            case "pages_per_month", int():
                row.pages_per_month = _checked_pages(value)
            case _:
                raise FieldNotUpdatable(field)


def _checked_pages(pages: int) -> int:
    if pages < 0:
        raise InvalidField("It is 0 or more.", field="pages_per_month")
    return pages


def _organization_of(row: OrganizationRow, member_count: int) -> Organization:
    return Organization(
        organization_id=row.organization_id,
        display_name=row.display_name,
        pages_per_month=row.pages_per_month,
        create_time=row.create_time,
        member_count=member_count,
    )


async def counted(sql: AsyncSession, row: OrganizationRow) -> Organization:
    """Return a row as an organization, with the number of its members."""
    count = await sql.scalar(
        select(func.count())
        .select_from(UserRow)
        .where(UserRow.organization_id == row.organization_id)
    )
    return _organization_of(row, count or 0)


def _with_member_count() -> Select[OrganizationRow, int]:
    count = (
        select(func.count(UserRow.user_id))
        .where(UserRow.organization_id == OrganizationRow.organization_id)
        .correlate(OrganizationRow)
        .scalar_subquery()
    )
    return select(OrganizationRow, count)


async def _member_ids(sql: AsyncSession, organization_id: str) -> Sequence[str]:
    chosen = select(UserRow.user_id).where(UserRow.organization_id == organization_id)
    return (await sql.scalars(chosen)).all()


async def _lock_members(sql: AsyncSession, organization_id: str) -> None:
    await sql.execute(
        select(UserRow.user_id)
        .where(UserRow.organization_id == possible_id(organization_id))
        .order_by(UserRow.user_id)
        .with_for_update()
    )
