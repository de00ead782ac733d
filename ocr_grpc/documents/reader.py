"""One reader process, seen from the server: started, asked, killed, and waited for."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from ocr_grpc.documents import protocol
from ocr_grpc.documents.family import ReaderLimits
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.protocol import Message

_START_SECONDS = 60.0
"""Python and its libraries on a machine that is busy starting everything else as well."""
_STDERR_BYTES = 4096
_PING_SECONDS = 3.0
"""An idle reader answers at once, on the busiest machine; one that does not is stopped."""
_TRUSTED_SECONDS = 0.05
"""A reader that answered so lately need not prove that it still does."""
_QUICK_SECONDS = 1.0
"""What takes longer is rare, and as likely hostile as large: it must not slow down the others."""
_YIELDING_NICENESS = 5
"""A third of the processor time of one that does not yield, where both want it; all of it alone."""
_INLINE_BYTES = 64 * 1024
"""Larger answers are parsed and checked off the event loop."""


class ReaderLost(Exception):
    """The reader gave no answer and must be discarded."""


class ReaderHung(ReaderLost):
    """It did not answer in time."""


class ReaderDied(ReaderLost):
    """It ended, or cannot go on."""


class ReaderForbidden(ReaderDied):
    """It made a system call that its sandbox ends it for."""


class ReaderBroke(ReaderDied):
    """It said something it must not say."""


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
        yields: whether it was slow, and has to leave the processor to others since.
        layers: the names of the layers of its sandbox that are in force.
    """

    def __init__(self, process: Process, files: socket.socket) -> None:
        """Take over a process, and the socket that it is handed open files through."""
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("all three pipes are needed")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._stderr = process.stderr
        self._files = files
        self._last_words = b""
        self._over = False
        self._listening = asyncio.create_task(self._listen())
        self._ending = asyncio.create_task(self._end())
        self.document: object = None
        self.answered_at = time.monotonic()
        self.leases = 0
        self.yields = False
        self.layers: tuple[str, ...] = ()

    @classmethod
    async def start(cls, family: Family, limits: DocumentLimits) -> "Reader":
        """Start a process and wait until it is warm and locked in.

        Raises:
            ReaderLost: it did not come up.
            OSError: no process can be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            config = json.dumps(_config(family, limits, theirs.fileno()))
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    "-m",
                    "ocr_grpc.documents.child",
                    config,
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=PIPE,
                    cwd="/",
                    # Whatever the server's environment holds, secrets too, is not its business.
                    env={"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
                    close_fds=True,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        reader = cls(process, ours)
        try:
            ready = await reader._receive(_START_SECONDS)
            reader.layers = tuple(str(layer) for layer in ready.message["ok"]["layers"])
        except BaseException as error:
            reader.kill()
            await asyncio.shield(reader.wait())
            # It has seen no document yet that this could quote.
            error.add_note(reader.last_words)
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

    async def ask(self, request: Message, seconds: float, files: Sequence[int] = ()) -> Answer:
        """Return its answer.

        Args:
            request: the message.
            seconds: how long it may take.
            files: open descriptors that it is handed; the caller closes its own.

        If this raises anything, a cancellation included, the reader is in an unknown state and
        must be killed.

        Raises:
            ReaderHung: there was none within `seconds`.
            ReaderDied: it ended, or broke the protocol.
            ReaderGone: it had ended before it could be asked.
        """
        self._send(request, files)
        loop = asyncio.get_running_loop()
        yielding = loop.call_later(_QUICK_SECONDS, self._yield_to_others)
        try:
            return await self._receive(seconds)
        finally:
            yielding.cancel()

    def forget_document(self) -> None:
        """Tell it to close its document, without waiting until it has.

        Raises:
            ReaderGone: it has ended, and must be discarded.
        """
        self.document = None
        self._send({"op": "close"})

    def kill(self) -> None:
        """End the process and what it started at once; `wait` for it later. May be called twice."""
        if not self._over:
            self._kill_group()

    async def wait(self) -> None:
        """Wait until the killed process is gone and its pipes are closed."""
        await self._ending
        self._files.close()
        self._stdin.close()
        with contextlib.suppress(OSError):
            await self._stdin.wait_closed()
        await self._listening

    def _yield_to_others(self) -> None:
        """Lower the priority of the reader and of what it started; there is no way back."""
        self.yields = True
        with contextlib.suppress(OSError):
            mine = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PGRP, self._process.pid, mine + _YIELDING_NICENESS)

    def _send(self, request: Message, files: Sequence[int] = ()) -> None:
        if not self.alive:
            raise ReaderGone("it has ended")
        try:
            if files:
                request = {**request, "files": len(files)}
                # One byte at a time is under way: this cannot block.
                socket.send_fds(self._files, [b"f"], files)
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
                    raise ReaderBroke("answer too long")
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
            raise ReaderBroke("answer is no message") from error

    async def _cause_of_death(self) -> ReaderLost:
        self.kill()
        code = await self._process.wait()
        if code == -signal.SIGXCPU:
            return ReaderHung("CPU time is used up")
        if code == -signal.SIGSYS:
            return ReaderForbidden("made a forbidden system call")
        return ReaderDied(f"ended with {code}")

    async def _end(self) -> None:
        await self._process.wait()
        # However it ended, what it started ends as well. Never again after that: once a group is
        # empty, its number may become that of a stranger.
        self._kill_group()
        self._over = True

    def _kill_group(self) -> None:
        # It leads a group of its own, which a filter keeps its children in.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _listen(self) -> None:
        # Read to the end whatever comes, so that a talkative library never blocks the reader.
        while words := await self._stderr.read(_STDERR_BYTES):
            self._last_words = (self._last_words + words)[-_STDERR_BYTES:]


def _config(family: Family, limits: DocumentLimits, files: int) -> Message:
    known = {field.name for field in fields(ReaderLimits)}
    return {
        "family": family.value,
        "files": files,
        "parent_pid": os.getpid(),
        "memory_bytes": limits.reader_memory_bytes,
        "file_bytes": limits.spool_file_bytes,
        "cpu_seconds": max(limits.open_seconds, limits.page_seconds),
        "limits": {name: value for name, value in asdict(limits).items() if name in known},
    }
