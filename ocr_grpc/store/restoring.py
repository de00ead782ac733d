"""Puts a backup in the place of `DATA_DIR`, after looking at every byte of it."""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ocr_grpc.store.backup_manifest import (
    BackupUnusable,
    Manifest,
    copy_file,
    read_manifest,
    sync_folder,
)
from ocr_grpc.store.sqlite import EMBEDDED_FILE, lock_of

IGNORED = {"lost+found"}
"""What an empty file system has."""


def restore_backup(
    source: Path, data_dir: Path, known: Collection[str], check: Callable[[Path], None]
) -> tuple[Manifest, int]:
    """Put a backup in the place of an empty `DATA_DIR`. Blocks.

    All sessions are ended: which of them were ended since the backup is not known.

    Args:
        source: the backup; it is not changed.
        data_dir: `DATA_DIR`; missing or empty.
        known: the revisions of tables that this program knows.
        check: looks at the folder before it is put in place; raises `BackupUnusable`.

    Returns:
        What the backup holds, and how many sessions were ended.

    Raises:
        BackupUnusable: it is damaged or newer, or the folder is in use.
        OSError: something cannot be read or written.
    """
    manifest = read_manifest(source)
    if manifest.revision not in known:
        raise BackupUnusable(
            f"The backup was made by version {manifest.version}, whose tables (revision "
            f"{manifest.revision}) this one does not know."
        )
    data_dir = data_dir.resolve()  # a link is not replaced, but what it leads to
    _require_empty(data_dir)
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if not _is_filled_in_place(data_dir):
        return manifest, _restored(source, manifest, check, data_dir.parent, data_dir)
    with _held(data_dir):
        return manifest, _restored(source, manifest, check, data_dir, data_dir)


def _restored(
    source: Path, manifest: Manifest, check: Callable[[Path], None], beside: Path, data_dir: Path
) -> int:
    """Put the backup in its place by way of a folder in another; return how many sessions ended."""
    staged = Path(tempfile.mkdtemp(prefix=f".{data_dir.name}-", dir=beside))
    try:
        _copy(source, staged, manifest)
        ended = _end_sessions(staged / EMBEDDED_FILE, manifest)
        check(staged)
        if beside == data_dir:
            _move_into(staged, data_dir)
        else:
            staged.replace(data_dir)
        sync_folder(beside)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    return ended


def _is_filled_in_place(data_dir: Path) -> bool:
    """Return whether no folder beside it can take its place.

    It is a file system of its own, or nothing may be made beside it, as under `/var/lib`.
    """
    return data_dir.is_mount() or (data_dir.is_dir() and not os.access(data_dir.parent, os.W_OK))


@contextmanager
def _held(data_dir: Path) -> Generator[None, None, None]:
    """Keep services away for the duration: one that begins meanwhile would make a database.

    Whatever starts services again when they end, such as Docker, does not know of a restore.

    Raises:
        BackupUnusable: a service was quicker.
    """
    path = lock_of(data_dir / EMBEDDED_FILE)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(lock, data_dir)
        try:
            _require_empty(data_dir, {path.name})
            yield
        except BaseException:
            path.unlink(missing_ok=True)  # the folder is empty again, for another attempt
            raise
    finally:
        os.close(lock)


def _lock(file: int, data_dir: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BackupUnusable(
            f"A service runs on {data_dir}. Stop it, and move the folder away."
        ) from None


def _require_empty(data_dir: Path, own: Collection[str] = ()) -> None:
    lock = lock_of(data_dir / EMBEDDED_FILE)
    if lock.exists() and lock.name not in own:
        with lock.open("rb") as file:
            _lock(file.fileno(), data_dir)
    if data_dir.exists() and {each.name for each in data_dir.iterdir()} - IGNORED - {*own}:
        raise BackupUnusable(
            f"{data_dir} is not empty. Move it away, or have DATA_DIR name another folder."
        )


def _copy(source: Path, staged: Path, manifest: Manifest) -> None:
    for file in manifest.files:
        try:
            copied = copy_file(source / file.path, staged, file.path)
        except FileNotFoundError:
            raise BackupUnusable(f"The backup is damaged: {file.path} is missing.") from None
        if copied != file:
            raise BackupUnusable(f"The backup is damaged: {file.path} is not what was written.")


def _end_sessions(database: Path, manifest: Manifest) -> int:
    """End all sessions of a copied database, which was found to be what the manifest says."""
    # As the columns are written by SQLAlchemy.
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            ending = "UPDATE sessions SET revoke_time = ? WHERE revoke_time IS NULL"
            ended = connection.execute(ending, (now,)).rowcount
    except (sqlite3.Error, TypeError) as error:
        raise BackupUnusable(f"The backup is damaged: {EMBEDDED_FILE}: {error}.") from None
    if revision != manifest.revision:
        raise BackupUnusable(f"The backup is damaged: {EMBEDDED_FILE} is of revision {revision}.")
    return ended


def _move_into(staged: Path, data_dir: Path) -> None:
    """Move all files one folder up; the database last, so that whatever has one is whole."""
    for each in sorted(staged.iterdir(), key=lambda path: path.name == EMBEDDED_FILE):
        each.replace(data_dir / each.name)
    staged.rmdir()
