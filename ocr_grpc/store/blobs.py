"""Where the bytes of documents lie: a folder of this machine, or a store elsewhere.

A blob is written once under an id of ours and never changed. Keys are spread over folders by their
first two characters, everywhere alike, so that a folder can be copied into a bucket as it is.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import obstore
import structlog

from ocr_grpc.store.blob_copies import BlobCopies
from ocr_grpc.store.blob_errors import refused, told, translated
from ocr_grpc.store.blob_place import MIB, find_place
from ocr_grpc.store.blob_upload import Uploading, upload
from ocr_grpc.store.errors import BlobMissing, BlobsUnavailable

log = structlog.get_logger()

WAIT_SECONDS = 90.0
"""For one request with its repetitions, which end after some 60 s."""
RANGE_BYTES = 8 * MIB
"""What is asked for at a time, so that no answer takes longer than a request may."""
DELETED_AT_ONCE = 100
LISTED_AT_ONCE = 500

MARKER = "ocr-grpc"
"""A blob that says that this is the right place, and that it answers."""
_KEY = re.compile(r"[A-Za-z0-9_-]{3,64}")
_ID = re.compile(r"[0-9a-f]{24}")
"""What `new_id` gives out."""

Answer = TypeVar("Answer")


class Blobs:
    """Documents by key, of 3 to 64 letters, digits, `_` and `-`. One for the whole process."""

    def __init__(self, url: str, data_dir: Path, max_bytes: int = 0) -> None:
        """Make the folder of a local store, and ask nobody yet.

        Args:
            url: `BLOB_URL`. Empty: `blobs` below `data_dir`.
            data_dir: `DATA_DIR`.
            max_bytes: the largest blob there will be; stores elsewhere take 10,000 parts of one.

        Raises:
            ValueError: the URL leads nowhere; the sentence names the setting.
        """
        self._place = find_place(url, data_dir, max_bytes)
        self._uploading = Uploading(
            self._place.store, self._place.part_bytes, WAIT_SECONDS, lambda: translated("put")
        )
        self._copies = BlobCopies(self._download)

    @property
    def name(self) -> str:
        """What messages call the place."""
        return self._place.name

    async def marker(self) -> str:
        """Return what `mark` has written, by whatever process; empty if none has.

        Raises:
            ValueError: the place cannot be read; the sentence names the setting.
            BlobsUnavailable: it does not answer.
        """
        with self._checked():
            try:
                return await self._marker()
            except FileNotFoundError as error:
                if refused(error):
                    raise  # it is the bucket that is not there
                return ""

    async def mark(self, said: str) -> None:
        """Write a blob and read it, so that a wrong setting is told at once.

        Raises:
            ValueError: that cannot be done; the sentence names the setting.
            BlobsUnavailable: the store does not answer.
        """
        with self._checked():
            await _answered(obstore.put_async(self._place.store, MARKER, said.encode()))
            is_same = await self._marker() == said
        if not is_same:
            raise ValueError(f"BLOB_URL: what is written to {self._place.name} comes back changed.")

    async def _marker(self) -> str:
        found = await _answered(obstore.get_async(self._place.store, MARKER))
        return bytes(await _answered(found.bytes_async())).decode(errors="replace")

    @contextmanager
    def _checked(self) -> Generator[None, None, None]:
        """Tell a place that is wrong from one that does not answer now."""
        try:
            yield
        except Exception as error:  # what is wrong may make the library itself fall over
            if not self._place.folder and not refused(error):
                log.warning("blobs_unavailable", call="check", error=told(error))
                raise BlobsUnavailable from None
            raise ValueError(
                f"BLOB_URL: documents cannot be written and read at {self._place.name}: "
                f"{told(error)}. Credentials come from the environment; see docs/storage.md."
            ) from None

    async def ping(self) -> None:
        """Look for what `mark` has written.

        Raises:
            BlobsUnavailable: the store does not answer, or is another one.
        """
        with translated("ping"):
            await _answered(obstore.head_async(self._place.store, MARKER))

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write a blob from chunks of any size, holding a few parts of it in memory.

        It is there whole and for good when this returns. If it raises, or is cancelled, nothing is.

        Raises:
            BlobsUnavailable: the store does not answer or has no room. Only then something may be
                there; delete it when the store is back. Errors of `chunks` pass.
            ValueError: there is not one byte.
        """
        path = _path(key)
        try:
            if self._place.folder:
                with translated("put"):
                    # Made here, as the library would make one that others may look into.
                    folder = (self._place.folder / path).parent
                    await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
            await upload(self._uploading, path, chunks)
            if self._place.folder:
                with translated("put"):
                    await asyncio.to_thread(_make_durable, self._place.folder / path)
        except BlobsUnavailable:
            raise  # whoever waits has waited for long enough, and a deletion would fail as well
        except BaseException:
            await self._forget(key)
            raise

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Write a blob that is in memory; else as `put`."""

        async def whole() -> AsyncGenerator[bytes, None]:
            yield data

        await self.put(key, whole())

    async def put_file(self, key: str, path: Path) -> None:
        """Write a blob from a file; else as `put`."""

        async def pieces() -> AsyncGenerator[bytes, None]:
            with path.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, MIB):
                    yield piece

        async with aclosing(pieces()) as chunks:
            await self.put(key, chunks)

    def local(self, key: str, folder: Path) -> AbstractAsyncContextManager[Path]:
        """Yield the path of a blob as a file that must not be changed.

        Of a local store it is the file itself. Else it is a copy in `folder`, one for all who use
        it at a time, kept until the block is left and a little longer while there is room.

        Raises:
            BlobMissing: there is none of that key.
            BlobsUnavailable: the store does not answer, or there is no room for the copy.
        """
        path = _path(key)
        if self._place.folder:
            return _in_place(self._place.folder / path)
        return self._copies.held(path, folder)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete blobs, and what a killed process left of them; missing ones are no matter.

        Raises:
            BlobsUnavailable: the store does not answer; some of them may be gone.
        """
        paths = [_path(key) for key in keys]
        with translated("delete"):
            if self._place.folder:
                files = [self._place.folder / path for path in paths]
                await asyncio.to_thread(_unlink, files)
                return
            for path in paths:
                self._copies.forget(path)
            for start in range(0, len(paths), DELETED_AT_ONCE):
                await self._delete_elsewhere(paths[start : start + DELETED_AT_ONCE])

    async def listed(self, before: datetime) -> AsyncGenerator[list[str], None]:
        """Yield the keys of blobs that were written before a time, some at a time.

        Whatever else lies in the same place is left out.

        Raises:
            BlobsUnavailable: the store does not answer.
        """
        with translated("list"):
            # The stubs know of tables as well, of a library that is not there.
            listing = cast("Any", obstore).list(self._place.store, chunk_size=LISTED_AT_ONCE)
            async for some in listing:
                old = [each["path"] for each in some if each["last_modified"] < before]
                keys = [path.rpartition("/")[2] for path in old]
                yield [key for key, path in zip(keys, old, strict=True) if _is_ours(key, path)]

    async def close(self) -> None:
        """Remove the copies that were kept."""
        await self._copies.close()

    async def _forget(self, key: str) -> None:
        """Delete what may have been written, even when cancelled."""
        deleting = asyncio.ensure_future(self.delete([key]))
        await asyncio.wait({deleting}, timeout=WAIT_SECONDS)
        if deleting.done() and not deleting.cancelled():
            deleting.exception()  # was logged; what led here is raised

    async def _download(self, path: str, target: Path) -> int:
        """Write a blob to a new file, a range at a time; return its size."""
        done, size = 0, 1
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, translated("get", missing=BlobMissing):
            while done < size:
                part = await _answered(
                    obstore.get_async(
                        self._place.store, path, options={"range": (done, done + RANGE_BYTES)}
                    )
                )
                size = part.meta["size"]
                done += await asyncio.to_thread(file.write, await _answered(part.bytes_async()))
            await asyncio.to_thread(file.flush)
        return done

    async def _delete_elsewhere(self, paths: list[str]) -> None:
        try:
            await _answered(obstore.delete_async(self._place.store, paths))
        except FileNotFoundError:  # some stores stop at the first that is missing
            if len(paths) > 1:
                for path in paths:
                    await self._delete_elsewhere([path])


def _is_ours(key: str, path: str) -> bool:
    return bool(_ID.fullmatch(key)) and path == _path(key)


def _path(key: str) -> str:
    """Return where a blob lies.

    Raises:
        BlobMissing: nothing has such a key.
    """
    if not _KEY.fullmatch(key):
        raise BlobMissing
    return f"{key[:2]}/{key}"


@asynccontextmanager
async def _in_place(path: Path) -> AsyncGenerator[Path, None]:
    if not await asyncio.to_thread(path.is_file):
        raise BlobMissing
    yield path


async def _answered(answer: Awaitable[Answer]) -> Answer:
    async with asyncio.timeout(WAIT_SECONDS):
        return await answer


def _make_durable(path: Path) -> None:
    """Write a file and its name through to the disk: a row refers to it from now on."""
    path.chmod(0o600)
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        # What object_store calls a file while it writes it; one process writes a key, once.
        path.with_name(f"{path.name}#1").unlink(missing_ok=True)
