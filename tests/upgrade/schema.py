"""What a migration may change while the code of the last release still runs: it only adds.

Schemas are compared as the database shows them, before and after, so it does not matter by which
means a migration changed one.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, inspect
from sqlalchemy import types as sql

Columns = tuple[str, ...]

KEPT_SCHEMAS = {"sqlite": (None,), "postgresql": (None, "ocr_dispatch")}
"""Ours, and that of the queue; None: the default one."""

INTEGERS = (sql.SmallInteger, sql.Integer, sql.BigInteger)
"""From narrow to wide."""


@dataclass(frozen=True)
class Reference:
    """A foreign key."""

    columns: Columns
    table: str
    frees: bool
    """Whether a row that is referred to can be deleted all the same."""


@dataclass(frozen=True)
class Table:
    """What code that uses a table may rely on."""

    columns: dict[str, Any]
    """As SQLAlchemy's inspector tells of them: `type`, `nullable`, `default`."""
    key: Columns
    unique: frozenset[Columns]
    references: frozenset[Reference]
    checks: frozenset[str]


Schema = dict[str, Table]


def schema_of(connection: Connection) -> Schema:
    """Return all tables of a database."""
    found: Schema = {}
    looking = inspect(connection)
    for schema in KEPT_SCHEMAS[connection.dialect.name]:
        for name in looking.get_table_names(schema=schema):
            unique = {
                tuple(each["column_names"])
                for each in looking.get_unique_constraints(name, schema=schema)
            }
            unique |= {
                tuple(each["column_names"])
                for each in looking.get_indexes(name, schema=schema)
                if each["unique"]
            }
            found[name] = Table(
                {each["name"]: each for each in looking.get_columns(name, schema=schema)},
                tuple(looking.get_pk_constraint(name, schema=schema)["constrained_columns"]),
                frozenset(unique),
                frozenset(
                    _reference(each) for each in looking.get_foreign_keys(name, schema=schema)
                ),
                frozenset(
                    each["sqltext"] for each in looking.get_check_constraints(name, schema=schema)
                ),
            )
    return found


def breaks(before: Schema, after: Schema, unused: Container[str] = ()) -> list[str]:
    """Return what code that was written for the schema before may stumble over.

    Args:
        before: the schema that the code knows.
        after: the one it runs on.
        unused: tables, and columns as `table.column`, that this code does not touch.
    """
    found: list[str] = []
    for name, table in before.items():
        if name in unused:
            continue
        if name not in after:
            found.append(f"{name} is gone")
            continue
        found += [f"{name}{what}" for what in _changes(table, after[name], _Used(name, unused))]
    for name, table in after.items():
        found += [
            f"{name} keeps rows of {each.table} from being deleted"
            for each in table.references - (before[name].references if name in before else set())
            if each.table in before and not each.frees
        ]
    return found


@dataclass(frozen=True)
class _Used:
    table: str
    unused: Container[str]

    def __call__(self, column: str) -> bool:
        return f"{self.table}.{column}" not in self.unused


def _changes(before: Table, after: Table, used: _Used) -> Iterator[str]:
    for name, column in before.columns.items():
        if used(name):
            yield from (
                f".{name} {what}" for what in _column_changes(column, after.columns.get(name))
            )
    for name in after.columns.keys() - before.columns.keys():
        column = after.columns[name]
        if not column["nullable"] and not _has_default(column):
            yield f".{name} is new, and needs a value that nobody gives it"
    if before.key != after.key:
        yield " has another primary key"
    for columns in after.unique - before.unique:
        if not any(_is_null_for_old_code(before, after, name) for name in columns):
            yield f" must be unique by {', '.join(columns)}"
    for reference in after.references - before.references:
        if set(reference.columns) <= before.columns.keys():
            yield f" must have {', '.join(reference.columns)} in {reference.table}"
    for text in after.checks - before.checks:
        yield f" has a new check, {text}"


def _column_changes(before: Any, after: Any) -> Iterator[str]:
    if not after:
        yield "is gone"
        return
    if before["nullable"] and not after["nullable"]:
        yield "must not be null any more"
    if _has_default(before) and not _has_default(after):
        yield "has no default any more"
    if not _holds_all_of(before["type"], after["type"]):
        yield f"was {before['type']!r} and is {after['type']!r}"


def _holds_all_of(before: Any, after: Any) -> bool:
    """Return whether every value of one type is one of the other, of the same kind."""
    if repr(before) == repr(after):
        return True
    if isinstance(before, sql.String) and isinstance(after, sql.String):
        return after.length is None or (before.length or after.length + 1) <= after.length
    if isinstance(before, sql.Integer) and isinstance(after, sql.Integer):
        return _width(before) <= _width(after)
    return False


def _width(kind: sql.Integer) -> int:
    return max(
        number
        for number, each in enumerate(INTEGERS)
        if isinstance(kind, each) or each is sql.SmallInteger
    )


def _has_default(column: Any) -> bool:
    return column["default"] is not None or bool(column.get("autoincrement") is True)


def _is_null_for_old_code(before: Table, after: Table, name: str) -> bool:
    """Return whether old code leaves a column empty; empty ones are never equal."""
    column = after.columns.get(name)
    return (
        bool(column)
        and name not in before.columns
        and not _has_default(column)
        and column["nullable"]
    )


def _reference(found: Any) -> Reference:
    at_deletion = (found.get("options") or {}).get("ondelete", "NO ACTION")
    columns = tuple(found["constrained_columns"])
    return Reference(columns, found["referred_table"], at_deletion in ("CASCADE", "SET NULL"))
