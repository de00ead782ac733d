"""Runs migrations, for `alembic` and for `ocr_grpc.store.migrations` alike."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection, text

from ocr_grpc.settings import load_settings
from ocr_grpc.store import tables
from ocr_grpc.store.base import UtcTime
from ocr_grpc.store.database import Database, embedded_url

ADVISORY_LOCK = 0x6F63725F67727063
"""Held while migrating, so that two servers that start together do not both do it."""

LOCK_TIMEOUT = "5s"
"""What a migration waits for a table: longer, and the calls that queue behind it would fail."""

STATEMENT_TIMEOUT = "300s"


def render(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write types of our own as what the database sees, so that migrations stay true."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcTime) else False


def migrate(connection: Connection) -> None:
    """Run the migrations asked for on this connection, in one transaction."""
    is_postgresql = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        # SQLite cannot alter most of a table: Alembic then makes it anew.
        render_as_batch=not is_postgresql,
        render_item=render,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        if is_postgresql:
            connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
            connection.execute(text(f"SET LOCAL lock_timeout = '{STATEMENT_TIMEOUT}'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


async def migrate_configured() -> None:
    """Run the migrations on the database of the settings."""
    settings = load_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    url = settings.database_url.get_secret_value() or embedded_url(settings.data_dir)
    database = Database(url)
    try:
        async with database.connection_for_migrations() as connection:
            await connection.run_sync(migrate)
    finally:
        await database.close()


given: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    raise SystemExit("Migrations look at the database; --sql is not supported.")
if given is not None:
    migrate(given)
else:
    asyncio.run(migrate_configured())
