"""Migrations: which ones came after the last release, and one more than there are."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database

FOLDER = Path(__file__).parent.parent.parent / "migrations"
RELEASED = FOLDER / "released.txt"

NEXT = "next"
NEXT_MIGRATION = '''
"""Add what the next release might: a table, a column that may be null, one with a default."""

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {newest!r}


def upgrade() -> None:
    op.create_table(
        "labels",
        sa.Column("label_id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.String(32), sa.ForeignKey("users.user_id", ondelete="CASCADE")),
    )
    for table in ("users", "api_keys", "sessions", "usage", "batches", "batch_documents"):
        with op.batch_alter_table(table) as change:
            change.add_column(sa.Column("label", sa.String(64), nullable=True))
            change.add_column(sa.Column("color", sa.Integer, nullable=False, server_default="7"))
            change.create_index(f"{{table}}_by_label", ["label"])
'''


@dataclass(frozen=True)
class Release:
    """What the code of the last release needs.

    Attributes:
        revision: of the tables.
        unused: tables, and columns as `table.column`, that it does not touch any more.
    """

    revision: str
    unused: frozenset[str]


def released() -> Release:
    revision, *unused = RELEASED.read_text().split()
    return Release(revision, frozenset(unused))


def revisions_after(revision: str) -> list[str]:
    """Return the revisions after one, oldest first."""
    scripts = ScriptDirectory.from_config(_config(FOLDER))
    walked = scripts.walk_revisions(base=revision, head="heads")
    return [script.revision for script in walked if script.revision != revision][::-1]


async def migrate_ahead(database: Database, folder: Path) -> None:
    """Bring the tables to one revision more than this code knows."""
    ahead = folder / "migrations"
    shutil.copytree(FOLDER, ahead, ignore=shutil.ignore_patterns("__pycache__"))
    text = NEXT_MIGRATION.format(revision=NEXT, newest=migrations.newest_revision())
    (ahead / "versions" / "9999_next.py").write_text(text.lstrip())

    def upgrade(connection: Connection) -> None:
        config = _config(ahead)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with database.connection_for_migrations() as connection:
        await connection.run_sync(upgrade)


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    return config
