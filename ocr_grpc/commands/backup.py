"""`ocr-grpc backup`: copies what the embedded mode keeps, while the service runs."""

import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ocr_grpc.accounts.bootstrap import ADMIN_PASSWORD_FILE, LOCAL_KEY_FILE
from ocr_grpc.accounts.tokens import SECRET_FILE
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.settings import Settings, SettingsError, load_settings
from ocr_grpc.store.backup_manifest import BackupUnusable
from ocr_grpc.store.backups import make_backup

OWN_FILES = (SECRET_FILE, ADMIN_PASSWORD_FILE, LOCAL_KEY_FILE)


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for it.", show_default=False)],
) -> None:
    """Back up accounts, usage, batches, documents and secrets under DATA_DIR."""
    settings = embedded_settings()
    data_dir = settings.data_dir
    try:
        made = make_backup(data_dir, folder, OWN_FILES, version("ocr-grpc"), settings.blob_url)
    except BackupUnusable as error:
        raise CommandFailed(str(error)) from None
    except OSError as error:
        raise CommandFailed(f"{error.filename or folder}: {error.strerror}.") from None
    except sqlite3.Error as error:
        raise CommandFailed(f"The database in {data_dir} cannot be copied: {error}.") from None
    typer.echo(f"{len(made.files)} files, {made.size_bytes:,} bytes, revision {made.revision}")
    if settings.blob_url:
        typer.echo(f"Documents are left at {settings.blob_url}; back that up now.")
    if settings.secret_key.get_secret_value():
        typer.echo("SECRET_KEY is not in it; without it options and webhooks cannot be read.")


def embedded_settings() -> Settings:
    """Return the settings of a service with a database of its own.

    Raises:
        CommandFailed: they are wrong, or there is another database.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        raise CommandFailed(" ".join(str(error).splitlines()), exit_code=2) from None
    if settings.database_url.get_secret_value():
        raise CommandFailed(
            "DATABASE_URL is set: that database is backed up and restored with its own tools, "
            "PostgreSQL with pg_dump and pg_restore, and then BLOB_URL. See docs/backup.md."
        )
    return settings
