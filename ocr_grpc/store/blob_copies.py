"""Copies of blobs on this machine, shared by all who read the same document at a time."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ocr_grpc.store.errors import BlobsUnavailable

KEPT_BYTES = 256 * 1024 * 1024
"""Of copies that nobody uses: the chunks of a document follow each other."""


@dataclass(eq=False, slots=True)
class _Copy:
    path: Path
    download: "asyncio.Task[int]"
    users: int = 0
    forgotten: bool = False

    @property
    def is_whole(self) -> bool:
        return (
            self.download.done()
            and not self.download.cancelled()
            and self.download.exception() is None
        )


class BlobCopies:
    """Downloads a blob once, however many ask for it."""

    def __init__(
        self, download: Callable[[str, Path], Awaitable[int]], kept_bytes: int = KEPT_BYTES
    ) -> None:
        """Take what is needed.

        Args:
            download: writes a blob to a new file and returns its size.
            kept_bytes: for copies that nobody uses.
        """
        self._download = download
        self._kept_bytes = kept_bytes
        self._copies: dict[str, _Copy] = {}
        """By name, those that were used last at the end."""

    @asynccontextmanager
    async def held(self, name: str, folder: Path) -> AsyncGenerator[Path, None]:
        """Yield the path of a copy, which is there until the block is left.

        Raises:
            BlobMissing, BlobsUnavailable: it cannot be had.
        """
        copy = self._copies.pop(name, None)
        if copy is None or copy.download.cancelled():
            path = folder / f"blob-{secrets.token_hex(16)}"
            copy = _Copy(path, asyncio.create_task(self._downloaded(name, path)))
        self._copies[name] = copy
        copy.users += 1
        try:
            # Whoever gives up waiting does not end it for the others.
            await asyncio.wait({copy.download})
            if copy.download.cancelled():
                raise BlobsUnavailable
            copy.download.result()
            yield copy.path
        finally:
            copy.users -= 1
            self._released(name, copy)

    def forget(self, name: str) -> None:
        """Remove a copy, at once if nobody uses it."""
        copy = self._copies.pop(name, None)
        if copy:
            copy.forgotten = True
            if not copy.users:
                _remove(copy.path)

    async def close(self) -> None:
        """Remove everything and end what is under way."""
        copies = list(self._copies.values())
        self._copies.clear()
        for copy in copies:
            copy.forgotten = True
            copy.download.cancel()
        await asyncio.gather(*(copy.download for copy in copies), return_exceptions=True)
        for copy in copies:
            _remove(copy.path)

    async def _downloaded(self, name: str, path: Path) -> int:
        try:
            return await self._download(name, path)
        except BaseException:
            _remove(path)
            raise

    def _released(self, name: str, copy: _Copy) -> None:
        if copy.users:
            return
        if copy.forgotten or not copy.is_whole:
            if self._copies.get(name) is copy:
                del self._copies[name]
            copy.download.cancel()  # it removes what it has written
            _remove(copy.path)
            return
        unused = [(name, copy) for name, copy in self._copies.items() if self._is_unused(copy)]
        kept_bytes = sum(copy.download.result() for _, copy in unused)
        for name, copy in unused:
            if kept_bytes <= self._kept_bytes:
                return
            kept_bytes -= copy.download.result()
            self.forget(name)

    @staticmethod
    def _is_unused(copy: _Copy) -> bool:
        return not copy.users and copy.is_whole


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
