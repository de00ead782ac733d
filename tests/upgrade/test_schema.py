"""Migrations since the last release leave its code running, on both databases."""

from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from ocr_grpc.store import migrations
from tests.upgrade.history import migrate_ahead, released, revisions_after
from tests.upgrade.schema import Schema, breaks, schema_of

MAKEFILE = Path(__file__).parent.parent.parent / "Makefile"


async def schema(database) -> Schema:
    async with database.engine.connect() as connection:
        return await connection.run_sync(schema_of)


async def test_migrations_since_the_last_release_leave_its_code_running(database):
    release = released()
    await migrations.downgrade(database, release.revision)
    known = await schema(database)
    for revision in revisions_after(release.revision):
        await migrations.upgrade(database, revision)
        assert breaks(known, await schema(database), release.unused) == [], revision
    await migrations.require_current(database)


def test_revisions_are_one_after_the_other():
    assert [*revisions_after("0001")][-1:] == [migrations.newest_revision()]


async def test_what_only_adds_is_fine(database, tmp_path):
    before = await schema(database)
    await migrate_ahead(database, tmp_path)
    after = await schema(database)
    assert after.keys() - before.keys() == {"labels"}
    assert breaks(before, after) == []


def change(table: str, name: str, *arguments, **options):
    """Return a migration of one step, as Alembic makes it on both databases."""

    def migration(op: Operations) -> None:
        with op.batch_alter_table(table) as steps:
            getattr(steps, name)(*arguments, **options)

    return migration


def text(*length: int) -> sa.String:
    return sa.String(*length)


BAD = {
    "batch_events is gone": lambda op: op.drop_table("batch_events"),
    "webhooks is gone ": lambda op: op.rename_table("webhooks", "hooks"),
    "users.display_name is gone": change("users", "drop_column", "display_name"),
    "users.email is gone": change("users", "alter_column", "email", new_column_name="address"),
    "users.nick is new, and needs": change(
        "users", "add_column", sa.Column("nick", text(9), nullable=False)
    ),
    "users.password_hash must not be null": change(
        "users", "alter_column", "password_hash", nullable=False
    ),
    "users.user_name was": change("users", "alter_column", "user_name", type_=text(32)),
    "audit_events.details was": change(
        "audit_events", "alter_column", "details", type_=sa.Integer(), postgresql_using="1"
    ),
    "usage.input_bytes was": change("usage", "alter_column", "input_bytes", type_=sa.Integer()),
    "users must be unique by display_name": change(
        "users", "create_unique_constraint", "once", ["display_name"]
    ),
    "users has a new check": change(
        "users", "create_check_constraint", "long", sa.text("length(user_name) > 5")
    ),
    "audit_events must have target_id in users": change(
        "audit_events", "create_foreign_key", "who", "users", ["target_id"], ["user_id"]
    ),
    "notes keeps rows of users from": lambda op: op.create_table(
        "notes", sa.Column("user_id", text(32), sa.ForeignKey("users.user_id"), primary_key=True)
    ),
}
"""Migrations that would break the release that still runs, by what is said of them."""


async def test_what_the_last_release_would_stumble_over_is_named(database):
    def found(connection: sa.Connection, migration) -> list[str]:
        before = schema_of(connection)
        with connection.begin_nested() as step:
            migration(Operations(MigrationContext.configure(connection)))
            after = schema_of(connection)
            step.rollback()
        assert breaks(before, before) == []
        return breaks(before, after)

    for sentence, migration in BAD.items():
        async with database.connection_for_migrations() as connection:
            said = await connection.run_sync(found, migration)
            await connection.rollback()
        assert [each for each in said if each.startswith(sentence.strip())], (sentence, said)


async def test_what_the_last_release_no_longer_uses_may_go(database):
    before = await schema(database)
    after = {name: table for name, table in before.items() if name != "webhooks"}
    assert breaks(before, after, {"webhooks"}) == []
