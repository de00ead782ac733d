"""Makes a backup of what the embedded mode keeps under `DATA_DIR`, while the service runs.

The database is copied in one step, which holds up no writer (write-ahead log). Documents never
change, and the row of one is there before its bytes and until after them. So they are copied twice:
those known before the database is copied, and then the rest of those that its copy knows. A
document that is deleted in between is in the copy of neither.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from ocr_grpc.store.backup_manifest import (
    BackupUnusable,
    KeptFile,
    Manifest,
    copy_file,
    sum_of,
    sync_folder,
    write_manifest,
)
from ocr_grpc.store.blobs import MARKER
from ocr_grpc.store.sqlite import EMBEDDED_FILE

BLOBS_FOLDER = "blobs"
WAIT_SECONDS = 30.0
"""For a database that another process has locked."""

DOCUMENTS = "SELECT file_id FROM files UNION SELECT extraction_id FROM kept_extractions"


def make_backup(
    data_dir: Path, target: Path, own_files: Iterable[str], version: str, elsewhere: str = ""
) -> Manifest:
    """Copy everything to a new folder, which appears when it is whole. Blocks.

    Args:
        data_dir: `DATA_DIR`.
        target: the folder; missing or empty.
        own_files: names of files right below `data_dir` that belong to it, if they are there.
        version: of this program, for the manifest.
        elsewhere: where documents are, if not below `data_dir`; they are left there.

    Raises:
        BackupUnusable: there is nothing to back up, or the folder is in use.
        OSError: something cannot be read or written.
        sqlite3.Error: the database is damaged, or locked for long.
    """
    if not (data_dir / EMBEDDED_FILE).exists():
        raise BackupUnusable(f"There is no database in {data_dir}. DATA_DIR chooses the folder.")
    target = target.resolve()  # a link is not replaced, but what it leads to
    if target.is_mount():
        raise BackupUnusable(f"{target} is a file system of its own. Name a new folder in it.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupUnusable(f"{target} is there already and is not an empty folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside it and not in it: what is there under its name is whole.
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        manifest = _filled(data_dir, partial, own_files, version, elsewhere)
        write_manifest(partial, manifest)
        sync_folder(partial)
        partial.replace(target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return manifest


def _filled(
    data_dir: Path, folder: Path, own_files: Iterable[str], version: str, elsewhere: str
) -> Manifest:
    source = data_dir / EMBEDDED_FILE
    copied: dict[str, KeptFile] = {}
    if not elsewhere:
        _copy_documents(data_dir, folder, _documents(source), copied)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    snapshot = folder / EMBEDDED_FILE
    revision = _copy_database(source, snapshot)
    known: set[str] = set() if elsewhere else _documents(snapshot)
    missing = _copy_documents(data_dir, folder, known, copied)
    for key in copied.keys() - known:  # deleted meanwhile; no row leads to it any more
        (folder / copied.pop(key).path).unlink()
    files = [sum_of(folder, EMBEDDED_FILE), *copied.values()]
    if not elsewhere:
        own_files = (*own_files, f"{BLOBS_FOLDER}/{MARKER}")
    for name in own_files:
        with suppress(FileNotFoundError):
            files.append(copy_file(data_dir / name, folder, name))
    return Manifest(version, revision, moment, missing, elsewhere, tuple(files))


def _copy_database(source: Path, target: Path) -> str:
    """Copy the database as it is at one moment; return its revision."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(_opened(source)) as reading, closing(sqlite3.connect(target)) as copy:
        # All pages in one step: in several, each write of the service would begin it anew.
        reading.backup(copy)
        # One file, without a log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise BackupUnusable(f"{source} is damaged: {verdict}.")
        try:
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        except (sqlite3.OperationalError, TypeError):
            raise BackupUnusable(f"{source} has no tables of ocr-grpc.") from None
    return str(revision)


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database that must be there, for reading."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT_SECONDS)


def _documents(database: Path) -> set[str]:
    """Return the keys of all documents that a database knows."""
    with closing(_opened(database)) as connection:
        return {str(key) for (key,) in connection.execute(DOCUMENTS)}


def _copy_documents(
    data_dir: Path, folder: Path, keys: set[str], copied: dict[str, KeptFile]
) -> int:
    """Copy those that were not copied yet; return how many were not there."""
    missing = 0
    for key in sorted(keys - copied.keys()):
        path = f"{BLOBS_FOLDER}/{key[:2]}/{key}"
        try:
            copied[key] = copy_file(data_dir / path, folder, path)
        except FileNotFoundError:
            missing += 1
    return missing
