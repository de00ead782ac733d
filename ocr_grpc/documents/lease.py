"""How the calls of one document get a reader: they wait in line, and leases work them off.

A *lease* is a slot of the pool with a reader, held for at most `LEASE_CALLS` calls and only while
calls of this document wait. A document may hold as many leases as there are readers, if nobody
else wants them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ocr_grpc.documents import answers, refusals
from ocr_grpc.documents.answers import ProtocolBroken
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.protocol import Failure, Message
from ocr_grpc.documents.reader import Reader, ReaderDied, ReaderLost
from ocr_grpc.documents.readers import Readers
from ocr_grpc.documents.refusals import Lost, Refused
from ocr_grpc.errors import OcrError
from ocr_grpc.fairness import FairSlots

LEASE_CALLS = 16
CONTENDED_LEASE_SECONDS = 2.0
"""While others wait, a lease of slow pages ends earlier."""

_DOUBTFUL = frozenset((Failure.MEMORY, Failure.BROKEN))
"""After these failures a reader may be left in any state."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all documents of a pool share."""

    spool: Path
    limits: DocumentLimits
    slots: FairSlots
    readers: Readers


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """Something to ask a reader.

    Attributes:
        request: the message; None if opening the document is all that is wanted.
        seconds: how long the answer may take.
        understand: checks the answer and returns what the caller wants of it.
        lost: the error for a reader that hung or died over it.
        refused: the error for a failure the reader reports.
        leftover: a file to delete if the answer is none, or reaches nobody.
    """

    request: Message | None
    seconds: float
    understand: Callable[[Message], T]
    lost: Lost
    refused: Refused
    leftover: Path | None = None


class _Call:
    """A question that waits, or is being answered by `lease`."""

    def __init__(self, question: Question[Any]) -> None:
        self.question = question
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.lease: asyncio.Task[None] | None = None

    def fail(self, error: OcrError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Leases:
    """The calls and the leases of one document."""

    def __init__(self, opening: Message, caller: str, priority: int, workplace: Workplace) -> None:
        """Serve a document that the message `opening` opens in a reader."""
        self._opening = opening
        self._caller = caller
        self._priority = priority
        self._work = workplace
        self._waiting: deque[_Call] = deque()
        self._leases: set[asyncio.Task[None]] = set()
        self._without_call = 0
        self._closed = False

    async def ask(self, question: Question[T]) -> T:
        """Return the understood answer.

        Cancelling it kills the reader that is at work on it, or takes it out of the line.

        Raises:
            OcrError: as the question says.
        """
        if self._closed:
            raise refusals.closed()
        call = _Call(question)
        self._waiting.append(call)
        self._lease_as_needed()
        try:
            return await call.answer
        except asyncio.CancelledError:
            self._abandon(call)
            raise

    async def close(self) -> None:
        """Stop what is under way; calls that wait fail. May be called twice."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft().fail(refusals.closed())
        for lease in self._leases:
            lease.cancel()
        self._work.readers.forget(self)
        if self._leases:
            await asyncio.wait(self._leases)

    def _abandon(self, call: _Call) -> None:
        if call.lease is not None and not call.lease.done() and call.answer.cancelled():
            call.lease.cancel()
        elif call.lease is None:
            with suppress(ValueError):
                self._waiting.remove(call)
        elif call.question.leftover is not None:
            # Answered in the same moment; the file is whole, but nobody will ever read it.
            self._work.readers.delete_later(call.question.leftover)

    def _lease_as_needed(self) -> None:
        enough = len(self._leases) >= self._work.slots.capacity
        if self._closed or enough or self._without_call >= len(self._waiting):
            return
        self._without_call += 1
        lease = asyncio.create_task(self._lease())
        self._leases.add(lease)
        lease.add_done_callback(self._lease_ended)

    def _lease_ended(self, lease: "asyncio.Task[None]") -> None:
        self._leases.discard(lease)
        if not lease.cancelled():
            lease.result()
        self._lease_as_needed()

    async def _lease(self) -> None:
        try:
            await self._work.slots.acquire(self._caller, self._priority)
        finally:
            self._without_call -= 1
        try:
            await self._work_off()
        finally:
            self._work.slots.release()

    async def _work_off(self) -> None:
        reader: Reader | None = None
        began = time.monotonic()
        for _ in range(LEASE_CALLS):
            if not self._waiting:
                break
            if self._work.slots.contended and time.monotonic() > began + CONTENDED_LEASE_SECONDS:
                break
            call = self._waiting.popleft()
            call.lease = asyncio.current_task()
            reader = await self._serve(call, reader)
        if reader is not None:
            self._work.readers.give_back(reader)

    async def _serve(self, call: _Call, reader: Reader | None) -> Reader | None:
        """Answer a call; return the reader if it can go on."""
        question = call.question
        try:
            reader = reader or await self._work.readers.take(self)
            healthy = await self._exchange(call, reader)
        except ReaderLost as lost:
            self._discard(reader, question)
            error = question.lost(lost)
            error.__cause__ = lost
            call.fail(error)
            return None
        except BaseException as error:
            # Cancelled: the caller has left, so nothing of this may run on.
            self._discard(reader, question)
            if not isinstance(error, asyncio.CancelledError):
                call.fail(question.lost(ReaderDied("internal error")))
                raise
            call.fail(refusals.closed())
            raise
        if healthy:
            return reader
        self._discard(reader, question)
        return None

    async def _exchange(self, call: _Call, reader: Reader) -> bool:
        """Ask; return whether the reader is still to be trusted."""
        question, limits = call.question, self._work.limits
        answer: Message = {}
        failure = None
        if reader.document is not self:
            reader.document = None
            answer = await reader.ask(self._opening, limits.open_seconds)
            failure = _checked(answers.failure, answer)
            reader.document = self if failure is None else None
        if failure is None and question.request is not None:
            answer = await reader.ask(question.request, question.seconds)
            failure = _checked(answers.failure, answer)
        if failure is None:
            understood = _checked(question.understand, answer)
            if not call.answer.done():
                call.answer.set_result(understood)
            return True
        if failure not in _DOUBTFUL and question.leftover is not None:
            self._work.readers.delete_later(question.leftover)
        call.fail(question.refused(failure, _checked(answers.wanted_size, answer)))
        return failure not in _DOUBTFUL

    def _discard(self, reader: Reader | None, question: Question[Any]) -> None:
        if reader is not None:
            self._work.readers.discard(reader, question.leftover)


def _checked(understand: Callable[[Message], T], answer: Message) -> T:
    try:
        return understand(answer)
    except ProtocolBroken as error:
        raise ReaderDied(f"it broke the protocol: {error}") from error
