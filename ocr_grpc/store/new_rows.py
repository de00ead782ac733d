"""Inserts that leave a row alone that is there already; each database has its own words for it."""

from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.store.base import Base


def table_of(row: type[Base]) -> "Table[Any]":
    """Return the table of a row class, for statements that bypass the identity map."""
    return cast("Table[Any]", row.__table__)


async def insert_new(
    session: AsyncSession, row: type[Base], rows: list[dict[str, Any]]
) -> list[tuple[Any, ...]]:
    """Insert rows, but not those whose primary key is taken; wait for others that insert them.

    Args:
        session: in a transaction that writes.
        row: the class of the table.
        rows: values by column; pass them sorted, so that two servers do not wait for each other.

    Returns:
        The primary keys that are new.
    """
    if not rows:
        return []
    statement = _insert(session, row).returning(*table_of(row).primary_key)
    result = await session.execute(statement, rows)
    return [tuple(key) for key in result]


async def insert_absent(session: AsyncSession, row: type[Base], rows: list[dict[str, Any]]) -> None:
    """Insert rows as `insert_new` does, in half the time, as nobody asks which are new."""
    if rows:
        await session.execute(_insert(session, row), rows)


def _insert(session: AsyncSession, row: type[Base]) -> Any:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    return insert(table_of(row)).on_conflict_do_nothing()
