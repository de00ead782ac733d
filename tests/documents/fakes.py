"""Readers whose process is a script in this one: they can say and do what no real one would."""

import asyncio
import socket
from asyncio.subprocess import Process
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

from ocr_grpc.documents import protocol
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.endings import Ending
from ocr_grpc.documents.errors import ReaderUnavailable
from ocr_grpc.documents.lease import Workplace
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.opened import DocumentFile, PooledDocument
from ocr_grpc.documents.protocol import Message
from ocr_grpc.documents.reader import Reader
from ocr_grpc.documents.readers import Readers
from ocr_grpc.fairness import FairSlots

Script = Callable[[Message], Message | None]
"""What to answer; None ends the process. What it raises, writing to its pipe raises."""


def well_behaved(request: Message) -> Message:
    """Answer as a reader does that has a document of three pages without text."""
    page = {"width": 9, "height": 9, "dpi": 0, "because": "none", "lines": [], "channels": 1}
    return {"ok": {"open": {"pages": 3, "kind": "pdf"}, "ping": {}}.get(request["op"], page)}


class FakeProcess:
    """Implements what a `Reader` needs of a process, and of its standard input."""

    pid = 2**22 + 1  # more than there can be: no signal to it, or to its group, hits anybody

    def __init__(self, script: Script) -> None:
        self._script = script
        self.stdin = self
        self.stdout, self.stderr = asyncio.StreamReader(), asyncio.StreamReader()
        self.returncode: int | None = None
        self.requests: list[Message] = []

    def write(self, framed: bytes) -> None:
        request = protocol.decode(framed[protocol.HEADER_BYTES :])
        self.requests.append(request)
        answer = self._script(request)
        if answer is None:
            self.kill()
        else:
            self.stdout.feed_data(protocol.encode(answer))

    def kill(self) -> None:
        if self.returncode is None:
            self.returncode = -9
            self.stdout.feed_eof()
            self.stderr.feed_eof()

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    async def drain(self) -> None:
        pass

    async def wait_closed(self) -> None:
        pass

    async def wait(self) -> int | None:
        return self.returncode


class FakeSocket:
    """Implements what a `Reader` needs of its socket, and notes which files it was handed."""

    def __init__(self) -> None:
        self.handed: list[Path] = []

    def sendmsg(self, _: object, ancillary: list[tuple[int, int, Iterable[int]]]) -> None:
        for _, _, descriptors in ancillary:
            self.handed += [Path(f"/proc/self/fd/{each}").readlink() for each in descriptors]

    def close(self) -> None:
        pass


class FakeReaders:
    """Lends the readers it was given, one after the other."""

    def __init__(self, *scripts: Script) -> None:
        self.processes = [FakeProcess(script) for script in scripts]
        self.sockets = [FakeSocket() for _ in scripts]
        self._idle = [
            Reader(cast("Process", process), cast("socket.socket", ours))
            for process, ours in zip(self.processes, self.sockets, strict=True)
        ]
        self.discarded: list[Reader] = []
        self.endings: list[Ending] = []

    async def take(self, document: object, *, fresh: bool = False) -> Reader:
        if not self._idle:
            raise ReaderUnavailable
        return self._idle.pop(0)

    def give_back(self, reader: Reader) -> None:
        self._idle.insert(0, reader)

    def discard(self, reader: Reader, leftover: Path | None, ending: Ending) -> None:
        reader.kill()
        self.discarded.append(reader)
        self.endings.append(ending)

    def forget(self, document: object) -> None:
        pass

    def delete_later(self, path: Path) -> None:
        pass


def document_of(*scripts: Script, spool: Path = Path("/")) -> tuple[PooledDocument, FakeReaders]:
    """Return a PDF that has yet to be opened, and the readers that will read it."""
    return opened_by(DocumentFile(Path("/dev/null"), DocumentKind.PDF), *scripts, spool=spool)


def opened_by(
    file: DocumentFile, *scripts: Script, spool: Path = Path("/")
) -> tuple[PooledDocument, FakeReaders]:
    """Return a document that has yet to be opened, and the readers that will read it."""
    readers = FakeReaders(*scripts)
    work = Workplace(spool, DocumentLimits(), FairSlots(1), cast("Readers", cast("Any", readers)))
    return PooledDocument(file, "", 0, work), readers
