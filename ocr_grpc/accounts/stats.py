"""Figures about the installation."""

from dataclasses import dataclass

from sqlalchemy import ColumnExpressionArgument, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.principal import Role
from ocr_grpc.store.accounts import KeyRow, OrganizationRow, UserRow
from ocr_grpc.store.base import Base
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import OPEN, ServerRow, UsageRow


@dataclass(frozen=True, slots=True)
class Stats:
    """How much of everything there is.

    Attributes:
        users_total: who are not deleted.
        keys_active: that can be used.
        open_extractions: under way, on all servers.
        servers: that use this database and are alive.
    """

    users_total: int
    users_disabled: int
    users_by_role: dict[Role, int]
    keys_active: int
    organizations_total: int
    open_extractions: int
    servers: int


async def read_stats(database: Database) -> Stats:
    """Return the figures of this moment."""
    async with database.read() as sql:
        now = await database.now(sql)
        present = UserRow.delete_time.is_(None)
        roles = await sql.execute(
            select(UserRow.role, func.count()).where(present).group_by(UserRow.role)
        )
        counts = {str(role): int(users) for role, users in roles}
        by_role = {role: counts.get(role.value, 0) for role in Role}
        usable_users = select(UserRow.user_id).where(present, ~UserRow.disabled)
        return Stats(
            users_total=sum(by_role.values()),
            users_disabled=await _count(sql, UserRow, present, UserRow.disabled),
            users_by_role=by_role,
            keys_active=await _count(
                sql,
                KeyRow,
                KeyRow.revoke_time.is_(None),
                ~KeyRow.disabled,
                or_(KeyRow.expire_time.is_(None), KeyRow.expire_time > now),
                KeyRow.user_id.in_(usable_users),
            ),
            organizations_total=await _count(sql, OrganizationRow),
            open_extractions=await _count(sql, UsageRow, UsageRow.status == OPEN),
            servers=await _count(sql, ServerRow, ServerRow.lease_expire_time > now),
        )


async def count_users(database: Database) -> int:
    """Return how many users there are.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    async with database.read() as sql:
        return await _count(sql, UserRow, UserRow.delete_time.is_(None))


async def _count(
    sql: AsyncSession, table: type[Base], *chosen: ColumnExpressionArgument[bool]
) -> int:
    return await sql.scalar(select(func.count()).select_from(table).where(*chosen)) or 0
