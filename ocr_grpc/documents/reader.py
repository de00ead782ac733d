"""One reader process, seen from the server: started, asked, killed, and waited for."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass

from ocr_grpc.documents import protocol
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.protocol import Message

_START_SECONDS = 60.0
"""Python and its libraries on a machine that is busy starting everything else as well."""
_STDERR_BYTES = 4096
_PING_SECONDS = 3.0
"""An idle reader answers at once, on the busiest machine; one that does not is stopped."""
_TRUSTED_SECONDS = 0.05
"""A reader that answered so lately need not prove that it still does."""
_INLINE_BYTES = 64 * 1024
"""Larger answers are parsed and checked off the event loop."""


class ReaderLost(Exception):
    """The reader gave no answer and must be discarded."""


class ReaderHung(ReaderLost):
    """It did not answer in time."""


class ReaderDied(ReaderLost):
    """It ended, or said something it must not say."""


class ReaderGone(ReaderDied):
    """It had ended, or stood still, before it was asked: no document is to blame."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader said, parsed but not checked; `large` ones are checked off the event loop."""

    message: Message
    large: bool = False


class Reader:
    """A reader process. One question at a time.

    Attributes:
        document: whose file it has open; compared by identity only.
        answered_at: when it last answered, on the monotonic clock.
        leases: how many documents it has served.
    """

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("all three pipes are needed")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._stderr = process.stderr
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())
        self.document: object = None
        self.answered_at = time.monotonic()
        self.leases = 0

    @classmethod
    async def start(cls, limits: DocumentLimits) -> "Reader":
        """Start a process and wait until it is warm and locked in.

        Raises:
            ReaderLost: it did not come up.
            OSError: no process can be started.
        """
        config = {
            "parent_pid": os.getpid(),
            "memory_bytes": limits.reader_memory_bytes,
            "file_bytes": limits.spool_file_bytes,
            "max_page_pixels": limits.max_page_pixels,
            "cpu_seconds": max(limits.open_seconds, limits.page_seconds),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            "ocr_grpc.documents.child",
            json.dumps(config),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd="/",
            # Whatever the server's environment holds, secrets included, is none of its business.
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
            close_fds=True,
            start_new_session=True,
        )
        reader = cls(process)
        try:
            await reader._receive(_START_SECONDS)
        except BaseException:
            reader.kill()
            await asyncio.shield(reader.wait())
            raise
        return reader

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs, as far as is known."""
        return (
            self._process.returncode is None
            and not self._stdout.at_eof()
            and not self._stdin.is_closing()
        )

    @property
    def last_words(self) -> str:
        """The end of what it wrote to stderr, for logs; it may quote the document."""
        return self._last_words.decode("utf-8", "replace")

    async def prove(self) -> None:
        """Make sure that it still answers, unless it did so a moment ago.

        A document that is given to a reader which died or stopped while idle would be blamed.

        Raises:
            ReaderGone: it does not.
        """
        if time.monotonic() - self.answered_at < _TRUSTED_SECONDS:
            return
        try:
            await self.ask({"op": "ping"}, _PING_SECONDS)
        except ReaderLost as lost:
            raise ReaderGone(f"while idle: {lost}") from lost

    async def ask(self, request: Message, seconds: float) -> Answer:
        """Return its answer.

        If this raises anything, a cancellation included, the reader is in an unknown state and
        must be killed.

        Raises:
            ReaderHung: there was none within `seconds`.
            ReaderDied: it ended, or broke the protocol.
            ReaderGone: it had ended before it could be asked.
        """
        self._send(request)
        return await self._receive(seconds)

    def forget_document(self) -> None:
        """Tell it to close its document, without waiting until it has.

        Raises:
            ReaderGone: it has ended, and must be discarded.
        """
        self.document = None
        self._send({"op": "close"})

    def kill(self) -> None:
        """End the process at once; `wait` for it later."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> None:
        """Wait until the killed process is gone and its pipes are closed."""
        await self._process.wait()
        self._stdin.close()
        with contextlib.suppress(OSError):
            await self._stdin.wait_closed()
        await self._listening

    def _send(self, request: Message) -> None:
        if not self.alive:
            raise ReaderGone("it has ended")
        try:
            self._stdin.write(protocol.encode(request))
        except (RuntimeError, OSError) as error:
            # uvloop's word for a pipe that it closed, because the process ended, is RuntimeError.
            raise ReaderGone("its pipe is closed") from error

    async def _receive(self, seconds: float) -> Answer:
        try:
            async with asyncio.timeout(seconds):
                await self._stdin.drain()
                header = await self._stdout.readexactly(protocol.HEADER_BYTES)
                size = int.from_bytes(header, "big")
                if size > protocol.MAX_ANSWER_BYTES:
                    raise ReaderDied("answer too long")
                body = await self._stdout.readexactly(size)
        except TimeoutError as error:
            raise ReaderHung("no answer in time") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise await self._cause_of_death() from error
        self.answered_at = time.monotonic()
        large = size > _INLINE_BYTES
        try:
            if large:
                return Answer(await asyncio.to_thread(protocol.decode, body), large)
            return Answer(protocol.decode(body))
        except ValueError as error:
            raise ReaderDied("answer is no message") from error

    async def _cause_of_death(self) -> ReaderLost:
        self.kill()
        code = await self._process.wait()
        if code == -signal.SIGXCPU:
            return ReaderHung("CPU time is used up")
        return ReaderDied(f"ended with {code}")

    async def _listen(self) -> None:
        # Read to the end whatever comes, so that a talkative library never blocks the reader.
        while words := await self._stderr.read(_STDERR_BYTES):
            self._last_words = (self._last_words + words)[-_STDERR_BYTES:]
