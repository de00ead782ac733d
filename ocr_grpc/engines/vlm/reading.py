"""One page before the model: its tries, and what is taken back between them.

Two things are tried again. A call that the server or the way to it failed is made once more, after
a pause, as often as the operator allows. An answer that is no good (it repeats itself, has no end,
or is empty) is asked for in the next way that the profile knows. Text of an earlier try stays
shown until the next one has text of its own.
"""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import aclosing
from typing import Any

import structlog

from ocr_grpc.engines.vlm.answer import Answer
from ocr_grpc.engines.vlm.dialect import Dialect
from ocr_grpc.engines.vlm.errors import (
    OutputDamaged,
    OutputEmpty,
    OutputRepeated,
    OutputTruncated,
    UpstreamRefused,
    UpstreamTimedOut,
    VisionFailed,
)
from ocr_grpc.engines.vlm.failures import CallFailed, backoff_seconds
from ocr_grpc.engines.vlm.parts import TakeBack, VisionDone, VisionPart, VisionRead
from ocr_grpc.engines.vlm.profile import Rung
from ocr_grpc.engines.vlm.renderings import Rendering, ShownPage, shown
from ocr_grpc.engines.vlm.requests import call_of
from ocr_grpc.engines.vlm.served import ServedModel
from ocr_grpc.engines.vlm.spending import PageCount, prompt_tokens
from ocr_grpc.engines.vlm.upstream import Finish, Upstream

MOST_LESSONS = 4
"""What a server may refuse of one request, one after the other, until the page is given up."""

NO_GOOD = (OutputRepeated, OutputTruncated, OutputEmpty)

log = structlog.get_logger()


class PageReading:
    """Reads one page once."""

    def __init__(
        self,
        read: VisionRead,
        model: ServedModel,
        prompt: str,
        retries: int,
        upstream: Upstream,
        dialect: Dialect,
        encoders: Executor,
    ) -> None:
        self._read = read
        self._model = model
        self._prompt = prompt
        self._retries_left = retries
        self._upstream = upstream
        self._dialect = dialect
        self._encoders = encoders
        self._deadline = asyncio.get_running_loop().time() + read.timeout_seconds
        self._rendering = Rendering()
        self._page: ShownPage | None = None
        self._lessons_left = MOST_LESSONS
        self._failed_calls = 0
        self._shows_something = False
        self._shown_chars = 0
        self._damaged = False
        self._count = PageCount()
        self._body: dict[str, Any] = {}

    async def parts(self) -> AsyncGenerator[VisionPart, None]:
        """Yield the text of the page, and at last what it took.

        Raises:
            VisionFailed: the page could not be read; what was shown is worth nothing.
        """
        failed: list[VisionFailed] = []
        try:
            for rung in self._model.profile.ladder(self._read.text_format, self._prompt):
                try:
                    async with aclosing(self._climbed(rung)) as parts:
                        async for part in parts:
                            yield part
                except NO_GOOD as error:
                    log.warning("llm_answer_no_good", reason=error.reason, rung=rung.name)
                    failed.append(error)
                else:
                    problem = _problem(failed, rung, self._damaged)
                    yield VisionDone(self._count.spent, rung.text_format, problem)
                    return
            raise failed[-1]
        except VisionFailed as error:
            error.spent = self._count.spent
            raise

    async def _climbed(self, rung: Rung) -> AsyncGenerator[VisionPart, None]:
        """Yield the text that this rung gives, calling as often as it takes.

        Raises:
            VisionFailed: no further call of this kind will do.
        """
        while True:
            try:
                async with aclosing(self._try(rung)) as parts:
                    async for part in parts:
                        yield part
            except _Turned as turned:
                self._show(Rendering(turned.degrees, self._rendering.margin))
            except CallFailed as failure:
                await self._prepare_another(failure)
            else:
                return

    async def _try(self, rung: Rung) -> AsyncGenerator[VisionPart, None]:
        """Call once and yield what the model says."""
        page = self._page = self._page or await self._encoded()
        profile, earlier = self._model.profile, self._shows_something
        call = call_of(
            profile, rung, page.image, self._model.name, self._prompt, self._model.context_tokens
        )
        count = self._count.call(call.prompt_chars, prompt_tokens(profile, page.image, call))
        self._body = self._dialect.body(call.keywords)
        answer = Answer(rung, profile, page, self._read.page.geometry)
        finish, begun = None, False
        async with aclosing(self._upstream.answer(self._body, count, self._deadline)) as said:
            async for text in said:
                finish = text if isinstance(text, Finish) else None
                piece = answer.finish() if isinstance(text, Finish) else answer.feed(text)
                if answer.repeats_from is not None or (not begun and self._askew(answer)):
                    break
                if piece:
                    if earlier and not begun:
                        self._shown_chars = 0
                        yield TakeBack(0)
                    begun = True
                    self._shows_something = True
                    self._shown_chars += len(piece.text)
                    yield piece
        # The connection is closed by now: what is left to say may take its time.
        if not begun and self._askew(answer):
            raise _Turned(answer.askew_degrees)
        repeats_from = answer.repeats_from
        if repeats_from is not None and begun and repeats_from < self._shown_chars:
            self._shown_chars = repeats_from
            yield TakeBack(repeats_from)
        _check(answer, finish)
        self._damaged = answer.damaged

    def _askew(self, answer: Answer) -> bool:
        return bool(answer.askew_degrees) and not self._rendering.turn_degrees

    async def _encoded(self) -> ShownPage:
        encoding = asyncio.get_running_loop().run_in_executor(
            self._encoders, shown, self._read.page, self._model.profile.image, self._rendering
        )
        try:
            async with asyncio.timeout_at(self._deadline):
                return await encoding
        except TimeoutError:
            raise UpstreamTimedOut("The page took too long to be encoded.") from None

    async def _prepare_another(self, failure: CallFailed) -> None:
        """Return once another call may be made that has a chance.

        Raises:
            VisionFailed: there is none.
        """
        if self._lessons_left and self._dialect.learn(self._body, failure.complaint):
            self._lessons_left -= 1
            return
        may_again = failure.again and self._retries_left > 0
        if failure.blames_image and not self._rendering.margin:
            self._show(Rendering(self._rendering.turn_degrees, margin=True))
            if not may_again:
                return
        if not may_again:
            raise failure.error from None
        self._retries_left -= 1
        self._failed_calls += 1
        wait_seconds = failure.wait_seconds
        if wait_seconds is None:
            wait_seconds = backoff_seconds(self._failed_calls)
        if asyncio.get_running_loop().time() + wait_seconds >= self._deadline:
            raise failure.error from None
        await asyncio.sleep(wait_seconds)

    def _show(self, rendering: Rendering) -> None:
        """Have the page look like this from the next call on."""
        self._rendering, self._page = rendering, None


class _Turned(Exception):
    """The model says that the page does not stand upright."""

    def __init__(self, degrees: int) -> None:
        super().__init__()
        self.degrees = degrees


def _check(answer: Answer, finish: Finish | None) -> None:
    """Raise what is wrong with an answer that is over."""
    if answer.repeats_from is not None:
        raise OutputRepeated("The model said the same again and again, however it was asked.")
    if finish is None or finish.reason == "length":
        raise OutputTruncated("The model came to no end, however it was asked.")
    if finish.reason == "content_filter":
        raise UpstreamRefused("The model's server withholds the text of the page.")
    if answer.empty:
        raise OutputEmpty("The model said nothing about the page, however it was asked.")


def _problem(failed: list[VisionFailed], rung: Rung, damaged: bool) -> VisionFailed | None:
    """Return why the text of a rung is less than was asked for, after other rungs failed so."""
    if damaged:
        return OutputDamaged("Some of what the model wrote could not be made out.")
    instead = f"What stands here is its answer to another way of asking ({rung.name})."
    for error in failed:
        if isinstance(error, OutputRepeated):
            return OutputRepeated(f"The model repeated itself. {instead}", rung=rung.name)
        if isinstance(error, OutputTruncated):
            return OutputTruncated(f"The model came to no end. {instead}", rung=rung.name)
    if failed and rung.less:
        return OutputEmpty(f"The model said nothing at first. {instead}", rung=rung.name)
    return None
