"""One page before the model: its tries, and what is taken back between them.

Two things are tried again. A call that the server or the way to it failed is made once more, after
a pause, as often as the operator allows. An answer that is no good (it repeats itself, has no end,
or is empty) is asked for in the next way that the profile knows. Text of an earlier try stays
shown until the next one has text of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

import structlog
from pydantic_core import to_json

from ocr_grpc.engines.vlm.answer import Answer
from ocr_grpc.engines.vlm.dialect import Dialect
from ocr_grpc.engines.vlm.errors import (
    OutputEmpty,
    OutputRepeated,
    OutputTruncated,
    UpstreamTimedOut,
    VisionFailed,
)
from ocr_grpc.engines.vlm.failures import CallFailed, backoff_seconds
from ocr_grpc.engines.vlm.parts import TakeBack, VisionDone, VisionPart, VisionRead
from ocr_grpc.engines.vlm.profile import Rung
from ocr_grpc.engines.vlm.renderings import Rendering, ShownPage, shown
from ocr_grpc.engines.vlm.requests import call_of
from ocr_grpc.engines.vlm.served import ServedModel
from ocr_grpc.engines.vlm.spending import CallCount, PageCount, prompt_tokens
from ocr_grpc.engines.vlm.transport import SentOnce
from ocr_grpc.engines.vlm.upstream import Finish, Upstream
from ocr_grpc.engines.vlm.verdicts import check, problem_of
from ocr_grpc.telemetry import tracing
from ocr_grpc.telemetry.tracing import Kind

MOST_LESSONS = 4
"""What a server may refuse of one request, one after the other, until the page is given up."""

NO_GOOD = (OutputRepeated, OutputTruncated, OutputEmpty)

T = TypeVar("T")

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
        self._dialect = dialect.for_page(callers_words=bool(read.prompt))
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
        self._blamed = False

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
                    problem = problem_of(failed, rung, self._damaged)
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
        earlier = self._shows_something
        body, count, answer = await self._request(rung)
        finish, begun = None, False
        said = self._traced(body, count) if tracing.is_on() else self._said(body, count)
        async with aclosing(said):
            async for text in said:
                # Another try encodes the page again; this one may take minutes without it.
                self._page = None
                finish = text if isinstance(text, Finish) else None
                pieces = answer.finish() if isinstance(text, Finish) else answer.feed(text)
                if answer.repeats_from is not None or (not begun and self._askew(answer)):
                    break
                for piece in pieces:
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
        check(answer, finish)
        self._damaged = answer.damaged

    def _said(self, body: SentOnce, count: CallCount) -> AsyncGenerator[str | Finish, None]:
        return self._upstream.answer(body, count, self._deadline, blame=not self._blamed)

    async def _traced(self, body: SentOnce, count: CallCount) -> AsyncGenerator[str | Finish, None]:
        """Yield the same; the call is a span, whose trace the server is told to go on with."""
        about = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self._model.name}
        with tracing.span("language model", about, Kind.CLIENT) as span:
            try:
                async with aclosing(self._said(body, count)) as said:
                    async for text in said:
                        yield text
            finally:
                spent = count.spent
                span.set(
                    {
                        "gen_ai.usage.input_tokens": spent.prompt_tokens,
                        "gen_ai.usage.output_tokens": spent.completion_tokens,
                    }
                )

    def _askew(self, answer: Answer) -> bool:
        return bool(answer.askew_degrees) and not self._rendering.turn_degrees

    async def _request(self, rung: Rung) -> tuple[SentOnce, CallCount, Answer]:
        """Return what is sent, what counts it, and what takes the answer."""
        profile = self._model.profile
        page = self._page = self._page or await self._in_thread(
            partial(shown, self._read.page, profile.image, self._rendering)
        )
        call = call_of(
            profile, rung, page.image, self._model.name, self._prompt, self._model.context_tokens
        )
        count = self._count.call(call.prompt_chars, prompt_tokens(profile, page.image, call))
        body = self._dialect.body(call.keywords)
        sent = SentOnce(await self._in_thread(partial(to_json, body)))
        self._body = body | {"messages": []}
        return sent, count, Answer(rung, profile, page.without_pixels(), self._read.page.geometry)

    async def _in_thread(self, job: Callable[[], T]) -> T:
        job_done = asyncio.get_running_loop().run_in_executor(self._encoders, job)
        try:
            async with asyncio.timeout_at(self._deadline):
                return await job_done
        except TimeoutError:
            raise UpstreamTimedOut("The page took too long to be encoded.") from None

    async def _prepare_another(self, failure: CallFailed) -> None:
        """Return once another call may be made that has a chance.

        Raises:
            VisionFailed: there is none.
        """
        self._blamed = self._blamed or failure.servers_fault
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
