"""`ocr-grpc migrate`: brings the configured database to what this version needs."""

import asyncio
from typing import Annotated

import typer

from ocr_grpc.commands.database import open_database, revision_of
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.settings import Settings, SettingsError, load_settings
from ocr_grpc.store import migrations
from ocr_grpc.store.database import Database
from ocr_grpc.store.sqlite import make_file
from ocr_grpc.store.troubles import DATABASE_ERRORS, sentence_about
from ocr_grpc.telemetry.logs import configure_logs


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 if it is behind.")
    ] = False,
) -> None:
    """Bring the configured database to the newest revision."""
    try:
        settings = load_settings()
    except SettingsError as error:
        raise CommandFailed(" ".join(str(error).splitlines()), exit_code=2) from None
    configure_logs("console", "error")  # what goes wrong is said below, once
    asyncio.run(_migrate(settings, check))


async def _migrate(settings: Settings, check: bool) -> None:
    database = open_database(settings)
    try:
        if check:
            await _check(database)
        else:
            await _upgrade(database, settings)
    except DATABASE_ERRORS as error:
        raise CommandFailed(sentence_about(error, database)) from None
    finally:
        await database.close()


async def _check(database: Database) -> None:
    revision = await revision_of(database)
    newest = migrations.newest_revision()
    if revision.is_behind:
        raise CommandFailed(
            f"The database is at revision {revision}, this version needs {newest}. "
            "Run: ocr-grpc migrate"
        )
    newer = ", which a newer version made" if revision.is_newer else ""
    typer.echo(f"The database is at revision {revision}{newer}; this version needs {newest}.")


async def _upgrade(database: Database, settings: Settings) -> None:
    if not settings.database_url.get_secret_value():
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = await revision_of(database)
    if before.is_newer:
        typer.echo(f"The database is at revision {before}, of a newer version; nothing is done.")
        return
    if not before.is_behind:
        typer.echo(f"The database is at revision {before}; there is nothing to do.")
        return
    if database.path:
        make_file(database.path)
    await migrations.upgrade(database)
    typer.echo(f"The database went from revision {before} to {await revision_of(database)}.")
