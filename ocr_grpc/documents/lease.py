"""How the calls of one document get a reader: they wait in line, and leases work them off.

A *lease* is a slot of the pool with a reader, held for at most `LEASE_CALLS` calls and only while
calls of this document wait. A document may hold as many leases as its caller may have slots, if
nobody else wants them.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from ocr_grpc.documents import answers, refusals
from ocr_grpc.documents.answers import ProtocolBroken
from ocr_grpc.documents.call import Call, Question
from ocr_grpc.documents.endings import DOUBTFUL, Ending, after_error
from ocr_grpc.documents.errors import ReaderUnavailable, SpoolFull
from ocr_grpc.documents.files import DocumentFiles, made
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.protocol import Message
from ocr_grpc.documents.reader import Answer, Reader, ReaderBroke, ReaderGone, ReaderLost
from ocr_grpc.documents.readers import Readers
from ocr_grpc.errors import OcrError
from ocr_grpc.fairness import FairSlots

log = structlog.get_logger()

LEASE_CALLS = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all documents of a pool share."""

    spool: Path
    limits: DocumentLimits
    slots: FairSlots
    readers: Readers


class Leases:
    """The calls and the leases of one document."""

    def __init__(
        self,
        opening: Message,
        files: DocumentFiles,
        caller: str,
        priority: int,
        workplace: Workplace,
    ) -> None:
        """Serve a document that the message `opening` with `files` opens in a reader."""
        self._opening = opening
        self._files = files
        self._caller = caller
        self._priority = priority
        self._work = workplace
        # As few as pages are under way, and empty for most of the time.
        self._waiting: list[Call] = []
        self._leases: set[asyncio.Task[None]] = set()
        self._running: dict[asyncio.Task[None], Call] = {}
        self._without_call = 0
        self._closed = False

    async def ask(self, question: Question[T]) -> T:
        """Return the understood answer.

        Cancelling it takes it out of the line, or stops the reader that is at work on it.

        Raises:
            OcrError: as the question says.
        """
        if self._closed:
            raise refusals.closed()
        call = Call(question)
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
        for call in (*self._waiting, *self._running.values()):
            call.fail(refusals.closed())
        self._waiting.clear()
        for lease in self._leases:
            call = self._running.get(lease)
            if call is None or not call.stop_soon():
                lease.cancel()
        try:
            if self._leases:
                await asyncio.wait(self._leases)
        finally:
            self._work.readers.forget(self)

    def _abandon(self, call: Call) -> None:
        if call in self._waiting:
            self._waiting.remove(call)
        elif call.answer.cancelled():
            call.stop_soon()
        elif call.answer.exception() is None and call.question.output is not None:
            # Answered in the same moment; the file is whole, but nobody will ever read it.
            self._work.readers.delete_later(call.question.output)

    def _lease_as_needed(self) -> None:
        enough = len(self._leases) >= self._work.slots.capacity
        if self._closed or enough or self._without_call >= len(self._waiting):
            return
        self._without_call += 1
        urgent = any(call.question.urgent for call in self._waiting)
        lease = asyncio.create_task(self._lease(self._priority - urgent))
        self._leases.add(lease)
        lease.add_done_callback(self._lease_ended)

    def _lease_ended(self, lease: "asyncio.Task[None]") -> None:
        self._leases.discard(lease)
        if not lease.cancelled() and (error := lease.exception()) is not None:
            log.error("document_lease_failed", exc_info=error)
        # Whatever became of it: calls that wait in line would wait for ever.
        self._lease_as_needed()

    async def _lease(self, priority: int) -> None:
        try:
            await self._work.slots.acquire(self._caller, priority)
        finally:
            self._without_call -= 1
        try:
            await self._work_off()
        finally:
            self._work.slots.release(self._caller)

    async def _work_off(self) -> None:
        reader: Reader | None = None
        until = time.monotonic() + self._work.limits.contended_lease_seconds
        for _ in range(LEASE_CALLS):
            if not self._waiting:
                break
            if self._work.slots.contended and time.monotonic() > until:
                break  # slow pages: sixteen of them would be too long for the others
            call = self._waiting.pop(0)
            reader = await self._serve(call, reader)
        if reader is not None:
            self._work.readers.give_back(reader)

    async def _serve(self, call: Call, reader: Reader | None) -> Reader | None:
        """Answer a call; return the reader if it can go on."""
        lease = asyncio.current_task()
        assert lease is not None  # noqa: S101 - a coroutine always runs in a task
        self._running[lease] = call
        try:
            return await self._answer(call, reader)
        except ReaderLost as lost:
            error = call.question.lost(lost)
            error.__cause__ = lost
            call.fail(error)
        except OcrError as error:
            call.fail(error)
        except Exception as error:
            # A bug: it belongs to this call, and must not cost the others in line.
            log.exception("document_call_failed")
            call.fail(error)
        except BaseException:
            # Cancelled: whoever waits must not wait for ever.
            call.fail(refusals.closed())
            raise
        finally:
            del self._running[lease]
        return None

    async def _answer(self, call: Call, reader: Reader | None) -> Reader | None:
        readers = self._work.readers
        try:
            return await self._attempt(call, reader or await readers.take(self))
        except ReaderGone as gone:
            # It never saw the question. Once more, with a reader that is known to be well.
            log.warning("document_reader_gone", error=str(gone))
        if not call.wanted:
            return None
        try:
            return await self._attempt(call, await readers.take(self, fresh=True))
        except ReaderGone as gone:
            raise ReaderUnavailable from gone

    async def _attempt(self, call: Call, reader: Reader) -> Reader | None:
        leftover = call.question.output
        ending: Ending | None = None
        call.begin(reader)
        try:
            await reader.prove()
            ending = await self._exchange(call, reader)
        except SpoolFull as full:
            # What it needs could not be made; it knows nothing of it.
            call.fail(full)
        except BaseException as error:
            ending = after_error(error) if call.wanted else Ending.CANCELLED
            if isinstance(error, ReaderGone):
                leftover = None  # never begun, and the next attempt writes to the same path
            raise
        finally:
            call.end()
            if ending is not None:
                self._work.readers.discard(reader, leftover, ending)
        return reader if ending is None else None

    async def _exchange(self, call: Call, reader: Reader) -> Ending | None:
        """Ask; return how the reader must end, None if it is still to be trusted."""
        question, limits = call.question, self._work.limits
        answer = Answer({})
        failure = None
        if reader.document is not self:
            reader.document = None
            with self._files.opened() as files:
                answer = await reader.ask(self._opening, limits.open_seconds, files)
            failure = _checked(answers.failure, answer.message)
            reader.document = self if failure is None else None
        if failure is None and question.request is not None and call.wanted:
            with made(question.output) as files:
                answer = await reader.ask(question.request, question.seconds, files)
            failure = _checked(answers.failure, answer.message)
        if failure is not None:
            call.fail(question.refused(failure, _checked(answers.figures, answer.message)))
        elif call.wanted:
            understood = await _understood(question.understand, answer)
            if call.wanted:
                call.answer.set_result(understood)
                return None
        if question.output is not None:
            self._work.readers.delete_later(question.output)
        return DOUBTFUL.get(failure) if failure else None


async def _understood(understand: Callable[[Message], T], answer: Answer) -> T:
    if answer.large:
        return await asyncio.to_thread(_checked, understand, answer.message)
    return _checked(understand, answer.message)


def _checked(understand: Callable[[Message], T], answer: Message) -> T:
    try:
        return understand(answer)
    except ProtocolBroken as error:
        raise ReaderBroke(f"it broke the protocol: {error}") from error
    except Exception as error:
        # Whatever a hijacked reader thinks of, its document is refused like any other.
        raise ReaderBroke(f"it broke the protocol: {type(error).__name__}") from error
