"""Brings the tables up to date, or says that they are not."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import ocr_grpc
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import SchemaBehind


def _scripts() -> Path:
    """Return the folder of the migrations: of the checkout, or inside the installed package."""
    package = Path(ocr_grpc.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """Return the revision this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or ""


def known_revisions() -> set[str]:
    """Return all revisions that this program can bring up to date."""
    scripts = ScriptDirectory.from_config(_config())
    return {script.revision for script in scripts.walk_revisions()}


async def current_revision(database: Database) -> str | None:
    """Return the revision of the tables, None if there are none yet.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """

    def revision(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.read() as session:
        return await (await session.connection()).run_sync(revision)


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction."""
    async with database.connection_for_migrations() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), revision))


async def downgrade(database: Database, revision: str) -> None:
    """Bring the tables back to an older revision, in one transaction; `base` removes all."""
    async with database.connection_for_migrations() as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync), revision))


async def bring_up_to_date(database: Database) -> str | None:
    """Bring tables that are older than this program up to date, and leave newer ones alone.

    Returns:
        As `require_current`.
    """
    try:
        return await require_current(database)
    except SchemaBehind:
        await upgrade(database)
        return None


async def require_current(database: Database) -> str | None:
    """Check that the tables are not older than this program.

    Newer ones are fine: the next release is being rolled out, and its tables still suit this one.

    Returns:
        The revision of the tables if this program does not know it, None if it does.

    Raises:
        SchemaBehind: they are older; the message says the command.
    """
    current = await current_revision(database)
    known = known_revisions()
    behind = current is None or (current in known and current != newest_revision())
    if behind:
        raise SchemaBehind(
            f"The database is at revision {current or 'none'}, this version needs "
            f"{newest_revision()}. Run: ocr-grpc migrate"
        )
    return None if current in known else current
