"""What a backup holds: its manifest, and copies whose sums are taken on the way."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

FORMAT = 1
"""Of the manifest and of the folder around it. A newer one is refused."""

MANIFEST = "manifest.json"
WORDS = ("version", "revision", "create_time", "documents_elsewhere")
COPIED_BYTES = 1024 * 1024


class BackupUnusable(Exception):
    """A backup cannot be made or restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of a backup.

    Attributes:
        path: below the folder of the backup, and below `DATA_DIR`, with slashes.
        size_bytes: its size.
        sha256: of its bytes, in hexadecimal.
    """

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        version: of the program that made it.
        revision: of its tables.
        create_time: when the database was copied, in RFC 3339.
        missing_documents: how many documents the database knows that were not there to be copied:
            those that were just arriving, or just deleted.
        documents_elsewhere: the place that documents were left in; empty if they are in the backup.
        files: all files of the backup but this one.
        format: of this file.
    """

    version: str
    revision: str
    create_time: str
    missing_documents: int
    documents_elsewhere: str
    files: tuple[KeptFile, ...]
    format: int = FORMAT

    @property
    def size_bytes(self) -> int:
        """Return the size of all files together."""
        return sum(file.size_bytes for file in self.files)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a backup, readable by its owner only."""
    text = json.dumps(asdict(manifest), indent=1) + "\n"
    descriptor = os.open(folder / MANIFEST, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        sync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup.

    Raises:
        BackupUnusable: there is none, it cannot be understood, or it is of a newer format.
    """
    try:
        read: Any = json.loads((folder / MANIFEST).read_text())
        if read["format"] > FORMAT:
            raise BackupUnusable(
                f"The backup was made by version {read['version']}, which is newer than this one."
            )
        files = tuple(_kept_file(each) for each in read.pop("files"))
        if not all(isinstance(read[name], str) for name in WORDS):
            raise ValueError(WORDS)
        return Manifest(files=files, **read)
    except FileNotFoundError:
        raise BackupUnusable(f"There is no {MANIFEST} in {folder}: it is no backup.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BackupUnusable(f"{folder / MANIFEST} is damaged.") from None


def _kept_file(fields: Any) -> KeptFile:
    """Return an entry of the manifest.

    Raises:
        ValueError: it names a file outside of the backup.
    """
    found = KeptFile(str(fields["path"]), int(fields["size_bytes"]), str(fields["sha256"]))
    parts = PurePosixPath(found.path).parts
    if not parts or found.path.startswith("/") or ".." in parts or "\0" in found.path:
        raise ValueError(found.path)
    return found


def copy_file(source: Path, folder: Path, path: str) -> KeptFile:
    """Copy a file to a path below a folder, written through to the disk; return its sum.

    It is readable by its owner only, and so are folders that are made for it.

    Raises:
        OSError: it cannot be read or written.
    """
    target = folder / path
    digest, size_bytes = hashlib.sha256(), 0
    with source.open("rb") as reading:  # before anything is made for it
        _make_folders(target.parent)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as writing:
            for piece in pieces_of(reading):
                digest.update(piece)
                size_bytes += writing.write(piece)
            writing.flush()
            sync(writing.fileno())
    return KeptFile(path, size_bytes, digest.hexdigest())


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it, all for their owner only."""
    if not folder.exists():
        _make_folders(folder.parent)
        folder.mkdir(mode=0o700)


def sum_of(folder: Path, path: str) -> KeptFile:
    """Return the size and sum of a file that is there already."""
    digest, size_bytes = hashlib.sha256(), 0
    with (folder / path).open("rb") as reading:
        for piece in pieces_of(reading):
            digest.update(piece)
            size_bytes += len(piece)
    return KeptFile(path, size_bytes, digest.hexdigest())


def pieces_of(reading: Any) -> Iterator[bytes]:
    """Yield what a file holds, a piece at a time."""
    while piece := reading.read(COPIED_BYTES):
        yield piece


def sync(descriptor: int) -> None:
    """Write a file or folder through to the disk."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder through to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)
