"""The folder for documents and pixels while they are being worked on.

Each running server has a folder of its own below the common one, held by a file lock. What a server
that was killed left behind is removed by the next one that starts.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_grpc.documents.errors import DocumentTooLarge, EmptyDocument, SpoolFull

if TYPE_CHECKING:
    from hashlib import _Hash as Hash  # pyright: ignore[reportPrivateUsage]  # its only name

_LOCK_NAME = ".lock"
_BUFFER_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class SpooledDocument:
    """A document received completely."""

    path: Path
    size_bytes: int
    sha256: bytes = b""
    """Of the content, if it was wanted while it came in."""


class Spool:
    """The folder of one running server. Blocking calls only at its start and end."""

    def __init__(self, root: Path, hashes: bool = False) -> None:
        """Make the folder of this server.

        Args:
            root: the common one.
            hashes: whether documents come with their SHA-256, worked out while they are written.
        """
        self._hashes = hashes
        # The data folder itself as well: the mode of `mkdir` is not that of the parents it makes.
        root.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        root.mkdir(exist_ok=True, mode=0o700)
        _remove_abandoned(root)
        self.path = Path(tempfile.mkdtemp(prefix="serve-", dir=root)).resolve()
        self._lock = (self.path / _LOCK_NAME).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    @asynccontextmanager
    async def received(
        self, chunks: AsyncIterator[bytes], max_bytes: int
    ) -> AsyncGenerator[SpooledDocument, None]:
        """Write the chunks to a new file, which exists until the block is left.

        Memory holds at most one chunk and `_BUFFER_BYTES` of smaller ones, whatever their number.

        Raises:
            EmptyDocument: there was not one byte.
            DocumentTooLarge: there were more than `max_bytes`.
            SpoolFull: the disk is full.
        """
        path = self.path / f"document-{secrets.token_hex(16)}"
        try:
            try:
                digest = hashlib.sha256() if self._hashes else None
                size_bytes = await _write(path, chunks, max_bytes, digest)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise SpoolFull from None
            yield SpooledDocument(path, size_bytes, digest.digest() if digest else b"")
        finally:
            path.unlink(missing_ok=True)


async def _write(
    path: Path, chunks: AsyncIterator[bytes], max_bytes: int, digest: "Hash | None"
) -> int:
    size_bytes = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        buffer = bytearray()
        async for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > max_bytes:
                raise DocumentTooLarge(max_bytes)
            # A thread a chunk would cost more than the writing of small ones.
            if len(buffer) + len(chunk) < _BUFFER_BYTES:
                buffer += chunk
                continue
            await _write_all(file, digest, buffer, chunk)
            del chunk  # or it would live until the next one comes
            buffer = bytearray()
        await _write_all(file, digest, buffer)
    if not size_bytes:
        raise EmptyDocument("The document is empty: not one byte came.")
    return size_bytes


async def _write_all(file: RawIOBase, digest: "Hash | None", *parts: bytes | bytearray) -> None:
    """Write the parts in a thread, and wait for that thread even when cancelled.

    Otherwise the file would be closed under a write that is still going on.
    """

    def write() -> None:
        for part in parts:
            if digest:
                digest.update(part)
            rest = memoryview(part)
            while rest:  # a full disk takes some of it before it takes nothing
                rest = rest[file.write(rest) or 0 :]

    writing = asyncio.create_task(asyncio.to_thread(write))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        raise


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob("serve-*"):
        try:
            with (folder / _LOCK_NAME).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # held by a server that runs
