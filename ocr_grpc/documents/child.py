"""The reader process: `python -I -m ocr_grpc.documents.child CONFIG`.

Loads the libraries of its family, locks itself in, then answers requests on stdin until that ends.
It is the only program here that parses what strangers send, and it expects to be killed at any
moment.
"""

import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from ocr_grpc.documents import protocol, sandbox
from ocr_grpc.documents.child_families import Opener, opener_of, programs_of
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening, ReaderLimits
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.protocol import Failure, Message, ReaderFailure

_NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT))
"""Not EFBIG: that is our own limit on the size of a page's file."""
_MAX_FILES = 2


class Reader:
    """Holds the one open document and does what is asked of it."""

    def __init__(self, opener: Opener, limits: ReaderLimits) -> None:
        self._opener = opener
        self._limits = limits
        # What it can do depends on its family, and so does what it is asked.
        self._file: Any = None
        self._operations: dict[str, Callable[[Message, list[int]], Any]] = {
            "ping": lambda _, __: {},
            "open": self._open,
            "text": lambda it, _: self._opened().text_layer(it["page"], it["dpi"]),
            "structured": lambda it, _: self._opened().structured(
                it["page"], it["format"] == "markdown"
            ),
            "render": lambda it, files: self._opened().render(it["page"], it["dpi"], files[0]),
            "picture": lambda it, files: self._opened().picture(it["picture"], files[0]),
            "inspect": lambda it, _: self._opened().inspect(it["page"], it["dpi"]),
        }

    def answer(self, request: Message, files: list[int]) -> Message:
        """Do what `request` asks; never raises for what a document may cause.

        Args:
            request: the message.
            files: descriptors that came with it; closed here, save those of an opened document.
        """
        try:
            return {"ok": self._operations[request["op"]](request, files)}
        except ReaderFailure as failure:
            return {"error": failure.code.value, **failure.fields}
        except MemoryError:
            return {"error": Failure.MEMORY.value}
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _NO_SPACE:
                return {"error": Failure.NO_SPACE.value}
            # The name alone: messages of parsers quote the document.
            print(f"unexpected {type(error).__name__}", file=sys.stderr, flush=True)
            return {"error": Failure.BROKEN.value}
        finally:
            for descriptor in files:
                os.close(descriptor)

    def close(self) -> None:
        """Close the open document, if any."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, request: Message, files: list[int]) -> Message:
        self.close()
        opening = Opening(
            file=os.fdopen(files.pop(0), "rb"),
            kind=DocumentKind(request["kind"]) if request["kind"] else None,
            name_ending=request["name"],
            limits=self._limits,
            password=request["password"],
            scratch=os.fdopen(files.pop(0), "r+b") if files else None,
        )
        try:
            self._file = self._opener(opening)
        except BaseException:
            opening.file.close()
            if opening.scratch is not None:
                opening.scratch.close()
            raise
        return {"pages": self._file.page_count, "kind": self._file.kind.value}

    def _opened(self) -> Any:
        if self._file is None:
            raise ReaderFailure(Failure.BROKEN)
        return self._file


def main() -> None:
    """Serve requests until stdin ends."""
    config = json.loads(sys.argv[1])
    family = Family(config["family"])
    files = socket.socket(fileno=config["files"])
    # Libraries print to stdout when they feel like it; the answers must not mix with that.
    answers = os.dup(1)
    os.dup2(2, 1)
    opener = opener_of(family)
    layers = sandbox.enter(
        family,
        sandbox.SandboxLimits(config["memory_bytes"], config["file_bytes"]),
        config["parent_pid"],
        programs_of(family),
    )
    reader = Reader(opener, ReaderLimits(**config["limits"]))
    _write(answers, {"ok": {"layers": layers}})
    while request := _read():
        sandbox.allow_cpu(config["cpu_seconds"])
        if request["op"] == "close":
            reader.close()
        else:
            _write(answers, reader.answer(request, _received(files, request.get("files", 0))))


def _received(files: socket.socket, count: int) -> list[int]:
    if not count:
        return []
    _, descriptors, _, _ = socket.recv_fds(files, 1, _MAX_FILES)
    return list(descriptors)


def _read() -> Message | None:
    header = _read_exactly(protocol.HEADER_BYTES)
    size = int.from_bytes(header, "big")
    if not header or size > protocol.MAX_REQUEST_BYTES:
        return None
    return protocol.decode(_read_exactly(size))


def _read_exactly(size: int) -> bytes:
    received = b""
    while len(received) < size:
        piece = os.read(0, size - len(received))
        if not piece:
            return b""
        received += piece
    return received


def _write(descriptor: int, message: Message) -> None:
    unsent = memoryview(protocol.encode(message))
    while unsent:
        unsent = unsent[os.write(descriptor, unsent) :]


if __name__ == "__main__":
    main()
