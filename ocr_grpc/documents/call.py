"""One call on a document: what to ask a reader, who waits for the answer, how to stop it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ocr_grpc.documents.protocol import Message
from ocr_grpc.documents.reader import Reader
from ocr_grpc.documents.refusals import Lost, Refused

GRACE_SECONDS = 0.3
"""How long a reader may still work on what nobody wants: nearly all pages end within, and it is
cheaper than a new reader. Must leave time to kill it within the second that is promised."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """Something to ask a reader.

    Attributes:
        request: the message; None if opening the document is all that is wanted.
        seconds: how long the answer may take.
        understand: checks the answer and returns what the caller wants of it.
        lost: the error for a reader that hung or died over it.
        refused: the error for a failure the reader reports.
        output: a file to make and hand to the reader; deleted if the answer is none, or reaches
            nobody.
        urgent: goes before other questions of the same priority: an engine waits for the answer.
    """

    request: Message | None
    seconds: float
    understand: Callable[[Message], T]
    lost: Lost
    refused: Refused
    output: Path | None = None
    urgent: bool = False


class Call:
    """A question that waits in line, or is being answered."""

    def __init__(self, question: Question[Any]) -> None:
        self.question = question
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._reader: Reader | None = None
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for the answer."""
        return not self.answer.done()

    def fail(self, error: Exception) -> None:
        """Answer with an error, if an answer is still wanted."""
        if self.wanted:
            self.answer.set_exception(error)

    def begin(self, reader: Reader) -> None:
        """Note who works on it, so that it can be stopped."""
        self._reader = reader

    def end(self) -> None:
        """Note that nobody works on it any more."""
        self._reader = None
        if self._deadline is not None:
            self._deadline.cancel()

    def stop_soon(self) -> bool:
        """Give the reader at work a moment to finish, then kill it; return whether there is one."""
        if self._reader is None:
            return False
        if self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(GRACE_SECONDS, self._reader.kill)
        return True
