"""Runs pandoc, which knows more formats of text than anybody. Child only.

It is a program of its own and not a library: it gets a document on its stdin and answers on its
stdout, opens no other file, and takes with it all memory that the document made it use.
"""

import os
import subprocess
import sys
import tempfile
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, cast

from ocr_grpc.documents.protocol import Failure, ReaderFailure
from ocr_grpc.processes import die_with_parent

MAX_OUTPUT_BYTES = 192 * 1024 * 1024
"""Several times what the longest book becomes; it is held in memory, and so is what is made of it.
"""
_HEAP = "-M512M"
"""A Word document of a thousand pages takes 480 MB; without it a hostile one takes what it likes.
"""
_HEAP_EXHAUSTED = frozenset((251, 254))
_KILLED = -9
_CHUNK_BYTES = 1024 * 1024


def warm_up() -> None:
    """Find the program, and open what running it takes, before the sandbox closes."""
    program()
    _nowhere()


@cache
def program() -> Path:
    """Return where the program is."""
    # Not by asking the package: that would run whatever else is called pandoc on this machine.
    package = find_spec("pypandoc")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package pypandoc-binary is not installed")
    return Path(package.origin).parent / "files" / "pandoc"


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


def convert(document: bytes, source: str, target: str) -> bytes:
    """Return a document in another form.

    Args:
        document: in the form `source`.
        source: a name that pandoc knows, with its extensions, as `gfm-raw_html`.
        target: the same, of what is wanted.

    Raises:
        ReaderFailure: CORRUPT if pandoc cannot read it, MEMORY if it takes too much of it.
    """
    arguments = (
        str(program()),
        "--sandbox",
        f"--from={source}",
        f"--to={target}",
        "--wrap=none",
        "--reference-location=block",
        "+RTS",
        _HEAP,
        "-RTS",
    )
    # A file in memory and not a pipe: nobody has to write to it while the answer is read.
    with _in_memory() as file:
        file.write(document)
        file.seek(0)  # and all of it is there: seeking empties the buffer
        # What it says on stderr quotes the document.
        with subprocess.Popen(  # noqa: S603 - our own program and words, no shell
            arguments,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=_nowhere(),
            env={},
            # The server ends the whole group; this is for when the server itself was killed.
            preexec_fn=partial(die_with_parent, os.getpid()),
        ) as pandoc:
            answer = _read(pandoc)
    if pandoc.returncode in _HEAP_EXHAUSTED or pandoc.returncode == _KILLED:
        raise ReaderFailure(Failure.MEMORY)
    if pandoc.returncode != 0:
        raise ReaderFailure(Failure.CORRUPT)
    return answer


def _in_memory() -> BinaryIO:
    """Return a new file without a name; in memory where the system has such files."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("document"), "w+b")
    # Elsewhere there is no Landlock either, which would forbid it.
    return cast("BinaryIO", tempfile.TemporaryFile())


def _read(pandoc: "subprocess.Popen[bytes]") -> bytes:
    if pandoc.stdout is None:
        raise ValueError("its stdout is no pipe")
    answer = bytearray()
    while piece := pandoc.stdout.read(_CHUNK_BYTES):
        answer += piece
        if len(answer) > MAX_OUTPUT_BYTES:
            # It ends of itself when it finds its stdout closed; a reader may not kill.
            pandoc.stdout.close()
            raise ReaderFailure(Failure.MEMORY)
    return bytes(answer)
