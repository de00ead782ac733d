"""`ocr-grpc restore`: puts a backup in the place of an empty DATA_DIR."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ocr_grpc.accounts.tokens import SECRET_FILE
from ocr_grpc.commands.backup import embedded_settings
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.settings import Settings
from ocr_grpc.store.backup_manifest import BackupUnusable
from ocr_grpc.store.errors import SealBroken
from ocr_grpc.store.migrations import known_revisions
from ocr_grpc.store.restoring import restore_backup
from ocr_grpc.store.sealing import Seal
from ocr_grpc.store.sqlite import EMBEDDED_FILE

SEALED = "SELECT value FROM installation WHERE key = 'secret'"


def restore(
    folder: Annotated[Path, typer.Argument(help="What `backup` made.", show_default=False)],
) -> None:
    """Put a backup in the place of DATA_DIR, which must be empty; all sessions are ended."""
    settings = embedded_settings()
    try:
        manifest, ended = restore_backup(
            folder, settings.data_dir, known_revisions(), lambda staged: _check(settings, staged)
        )
    except BackupUnusable as error:
        raise CommandFailed(str(error)) from None
    except OSError as error:
        raise CommandFailed(f"{error.filename or folder}: {error.strerror}.") from None
    typer.echo(
        f"{settings.data_dir} is as it was at {manifest.create_time} (version {manifest.version}). "
        f"Sessions ended: {ended}."
    )
    if manifest.documents_elsewhere:
        typer.echo(f"Documents were left at {manifest.documents_elsewhere}.")


def _check(settings: Settings, staged: Path) -> None:
    """Check that what the database has sealed can be opened.

    Raises:
        BackupUnusable: the secret is another one.
    """
    configured = settings.secret_key.get_secret_value().encode()
    kept = staged / SECRET_FILE
    secret = configured or (kept.read_bytes().strip() if kept.exists() else b"")
    with closing(sqlite3.connect(staged / EMBEDDED_FILE)) as connection:
        row = connection.execute(SEALED).fetchone()
    try:
        if row:
            Seal(secret).open(row[0].encode())
    except SealBroken:
        raise BackupUnusable(
            "SECRET_KEY is not the one that the backed up service had: options and webhooks could "
            "not be read. Set the old one, or none if it was kept under DATA_DIR."
        ) from None
