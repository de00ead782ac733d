"""The reader process: `python -I -m ocr_grpc.documents.child CONFIG`.

Loads its libraries, locks itself in, then answers requests on stdin until that ends. It is the
only program here that parses what strangers send, and it expects to be killed at any moment.
"""

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ocr_grpc.documents import images, pdf, protocol, sandbox
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import OpenFile
from ocr_grpc.documents.protocol import Failure, Message, ReaderFailure

_NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT))
"""Not EFBIG: that is our own limit on the size of a page's file."""


class Reader:
    """Holds the one open document and does what is asked of it."""

    def __init__(self, max_page_pixels: int) -> None:
        self._max_page_pixels = max_page_pixels
        self._file: OpenFile | None = None
        self._operations: dict[str, Callable[[Message], Any]] = {
            "ping": lambda _: {},
            "open": self._open,
            "text": lambda request: self._opened().text_layer(request["page"], request["dpi"]),
            "render": lambda request: self._opened().render(
                request["page"], request["dpi"], Path(request["path"])
            ),
        }

    def answer(self, request: Message) -> Message:
        """Do what `request` asks; never raises for what a document may cause."""
        try:
            return {"ok": self._operations[request["op"]](request)}
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

    def close(self) -> None:
        """Close the open document, if any."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, request: Message) -> Message:
        self.close()
        kind, path = DocumentKind(request["kind"]), Path(request["path"])
        if kind is DocumentKind.PDF:
            self._file = pdf.open_pdf(path, self._max_page_pixels)
        else:
            self._file = images.open_image(path, kind, self._max_page_pixels)
        return {"pages": self._file.page_count}

    def _opened(self) -> OpenFile:
        if self._file is None:
            raise ReaderFailure(Failure.BROKEN)
        return self._file


def main() -> None:
    """Serve requests until stdin ends."""
    config = json.loads(sys.argv[1])
    # Libraries print to stdout when they feel like it; the answers must not mix with that.
    answers = os.dup(1)
    os.dup2(2, 1)
    pdf.warm_up()
    images.warm_up()
    sandbox.enter(
        sandbox.SandboxLimits(config["memory_bytes"], config["file_bytes"]), config["parent_pid"]
    )
    reader = Reader(config["max_page_pixels"])
    _write(answers, {"ok": {"ready": True}})
    while request := _read():
        sandbox.allow_cpu(config["cpu_seconds"])
        if request["op"] == "close":
            reader.close()
        else:
            _write(answers, reader.answer(request))


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
