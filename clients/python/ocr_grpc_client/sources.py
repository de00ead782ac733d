"""Documents to send: a path, bytes, or a stream, in pieces and never whole in memory."""

import os
import stat
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from .threads import begin, in_thread

PIECE_BYTES = 256 * 1024

T = TypeVar("T")


@runtime_checkable
class Readable(Protocol):
    """A file that was opened for reading bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes, none at the end."""
        ...


Source = (
    str | os.PathLike[str] | bytes | bytearray | Readable | Iterable[bytes] | AsyncIterable[bytes]
)
"""A path, the bytes, an open file, or whatever yields bytes."""


@dataclass(frozen=True)
class Upload:
    """A document that is about to be sent.

    Attributes:
        source: where its bytes are.
        file_name: what it is called, without folders. May be empty.
        size_bytes: its size; 0 if that is not known.
        repeatable: whether it can be sent more than once.
    """

    source: Source
    file_name: str
    size_bytes: int
    repeatable: bool

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield its bytes; pieces of at most 256 KiB, and none that is empty.

        Reading files does not block the event loop, nor does an iterator that waits.

        Raises:
            OSError: a file cannot be read.
        """
        source = self.source
        if isinstance(source, bytes | bytearray):
            for piece in cut(source):
                yield piece
        elif isinstance(source, str | os.PathLike):
            file = _File(Path(source))
            try:
                async with aclosing(_read(file)) as pieces:
                    async for piece in pieces:
                        yield piece
            finally:
                begin(file.close)
        elif isinstance(source, Readable):
            async with aclosing(_read(source)) as pieces:
                async for piece in pieces:
                    yield piece
        else:
            async for chunk in source if isinstance(source, AsyncIterable) else iterate(source):
                for piece in cut(chunk):
                    yield piece


class _File:
    """A file that threads open, read and close, each of which may wait long, as for a pipe."""

    def __init__(self, path: Path) -> None:
        self._path, self._file, self._closed = path, None, False
        self._lock = threading.Lock()

    def read(self, size: int, /) -> bytes:
        with self._lock:
            if self._closed:
                return b""
            self._file = self._file or self._path.open("rb")
            return self._file.read(size)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file:
                self._file.close()


async def upload_of(source: Source, file_name: str = "") -> Upload:
    """Return what to send for a source, with what can be known of it before it is read.

    Raises:
        OSError: there is no such file.
    """
    if isinstance(source, bytes | bytearray):
        return Upload(source, file_name, len(source), repeatable=True)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        about = await in_thread(path.stat)
        # A pipe can be read once.
        return Upload(
            path, file_name or path.name, about.st_size, repeatable=stat.S_ISREG(about.st_mode)
        )
    return Upload(source, file_name or _name_of(source), 0, repeatable=False)


def cut(content: bytes | bytearray) -> Iterator[bytes]:
    """Yield content in pieces."""
    view = memoryview(content)
    for start in range(0, len(view), PIECE_BYTES):
        yield bytes(view[start : start + PIECE_BYTES])


async def iterate(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Yield what an iterator brings that may block."""
    iterator = iter(items)
    while item := await in_thread(lambda: [*islice(iterator, 1)]):
        yield item[0]


async def _read(file: Readable) -> AsyncGenerator[bytes, None]:
    while piece := await in_thread(partial(file.read, PIECE_BYTES)):
        # memoryview: refuses the text that a file opened without "b" gives.
        yield bytes(memoryview(piece))


def _name_of(source: object) -> str:
    """Return the name of an open file; sockets and the like have a number or none."""
    name = getattr(source, "name", "")
    return Path(name).name if isinstance(name, str) else ""
