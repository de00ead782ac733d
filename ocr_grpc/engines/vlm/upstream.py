"""One server of vision-language models, through the client of OpenAI.

This layer makes one call at a time and never tries again: what is worth another try depends on
what the page has already shown, and `PageReading` knows that. So the client's own retries are off.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream

from ocr_grpc.engines.vlm import failures
from ocr_grpc.engines.vlm.chunks import (
    ListedModel,
    complaint_in,
    fields_of,
    models_in,
    name_in,
    status_in,
    text_and_end,
)
from ocr_grpc.engines.vlm.circuit import Circuit
from ocr_grpc.engines.vlm.failures import CallFailed
from ocr_grpc.engines.vlm.spending import CallCount
from ocr_grpc.engines.vlm.transport import CountedBytes, SentOnce, http_client
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.engines.vlm.watch import Unwatched, VisionWatch, watched
from ocr_grpc.engines.vlm.whole_characters import WholeCharacters
from ocr_grpc.telemetry import tracing

MAX_ANSWER_CHARS = 250_000
"""Of one answer, markup included. The densest have a fifth; servers may ignore max_tokens."""
MAX_PIECE_CHARS = 2_000
"""What is handed on at once. Taking off the markup of so much blocks for some 10 ms."""
EVENTS_AFTER_END = 16
SECONDS_AFTER_END = 2.0
"""For the counts and the end of the connection, once the model has said that it is done."""
LIST_SECONDS = 10.0
JSON = {"Content-Type": "application/json"}
NO_KEY = "none"
"""Sent where there is no key, because the client insists, and else looks into the environment."""

CLIENTS_ERRORS = (APIError, httpx2.HTTPError, httpx2.StreamError, ValueError, RecursionError)
"""What the client raises: its own, those of the layer below, and those of reading JSON."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is complete. `reason` is the server's word: `stop` or `length`."""

    reason: str


class Upstream:
    """Calls of one server. Does not print its key, in no representation and no error."""

    def __init__(
        self, settings: VisionSettings, circuit: Circuit, watch: VisionWatch | None = None
    ) -> None:
        """Connect to nothing yet; `watch` is told what becomes of calls."""
        self._watch = watch or Unwatched()
        self._first_token_seconds = settings.llm_first_token_seconds
        self._idle_seconds = settings.llm_idle_seconds
        self._circuit = circuit
        self._root = settings.llm_base_url.rstrip("/").removesuffix("/v1")
        self._client = AsyncOpenAI(
            base_url=settings.llm_base_url,
            api_key=settings.llm_api_key.get_secret_value() or NO_KEY,
            max_retries=0,
            http_client=http_client(settings.llm_concurrency),
        )
        # These it takes from the environment, where they are meant for OpenAI's own service.
        self._client.organization = self._client.project = self._client.admin_api_key = None

    async def close(self) -> None:
        """Close all connections; calls under way fail."""
        await self._client.close()

    async def answer(
        self, body: SentOnce, count: CallCount, deadline: float, *, blame: bool = True
    ) -> AsyncGenerator[str | Finish, None]:
        """Yield the text of one answer as it arrives, and at last why it ended.

        Closing the generator hangs up: vLLM stops reading a page only when it sees that.

        Args:
            body: of the request, JSON; it asks for a stream.
            count: is told what is used up.
            deadline: in the time of the event loop.
            blame: whether a failure counts for the circuit breaker; see `Circuit.call`.

        Raises:
            CallFailed: the answer did not come to its end.
        """
        with watched(self._watch) as call, self._circuit.call(counts=blame):
            clock = _Clock(self._first_token_seconds, self._idle_seconds, deadline)
            count.sent()
            stream = await self._open(body, clock)
            count.accepted()
            try:
                async with aclosing(self._texts(stream, count, clock)) as texts:
                    async for text in texts:
                        if not isinstance(text, Finish):
                            call.heard()
                        yield text
            finally:
                await stream.close()

    async def models(self) -> list[ListedModel]:
        """Return what the server lists, its first model first; empty if it lists nothing legible.

        Raises:
            CallFailed: it cannot be asked.
        """
        return models_in(await self._get("/models"))

    async def version(self) -> str:
        """Return the version of vLLM that serves; empty if the server does not tell, or is none."""
        try:
            told = await self._get(self._root + "/version")
        except CallFailed:
            return ""
        return name_in(fields_of(told).get("version"))

    async def _get(self, path: str) -> object:
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._client.get(path, cast_to=object)
        except TimeoutError:
            raise failures.no_connection() from None
        except CLIENTS_ERRORS as error:
            raise _meaning(error, failures.no_connection()) from None

    async def _open(self, body: SentOnce, clock: "_Clock") -> AsyncStream[object]:
        """Send the request and return the answer once it begins."""
        headers = JSON | {"Content-Length": str(body.size_bytes)} | dict(tracing.carrier())
        try:
            async with asyncio.timeout_at(clock.until):
                # Not `chat.completions.create`: the typed object that makes of every chunk costs
                # 90 µs, and a plain mapping has to be looked at with the same care.
                stream = await self._client.post(
                    "/chat/completions",
                    content=body,
                    options={"headers": headers},
                    cast_to=object,
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
        except TimeoutError:
            raise clock.ran_out() from None
        except CLIENTS_ERRORS as error:
            raise _meaning(error, failures.no_connection()) from None
        if not stream.response.headers.get("content-type", "").startswith("text/event-stream"):
            await stream.close()
            raise failures.illegible()
        return stream

    async def _texts(
        self, stream: AsyncStream[object], count: CallCount, clock: "_Clock"
    ) -> AsyncGenerator[str | Finish, None]:
        counted: CountedBytes = stream.response.extensions["counted"]
        characters, reason, chars, after_end = WholeCharacters(), "", 0, 0
        while after_end < EVENTS_AFTER_END and chars <= MAX_ANSWER_CHARS:
            try:
                async with asyncio.timeout_at(clock.until):
                    event = await anext(stream)
            except StopAsyncIteration:
                break
            except TimeoutError:
                if reason:
                    break  # all was said; only the connection was not closed
                raise clock.ran_out() from None
            except CLIENTS_ERRORS as error:
                if reason:
                    break
                raise _meaning(error, failures.broken_off()) from None
            counted.unread_bytes = 0
            chunk = fields_of(event)
            text, ended = text_and_end(chunk)
            if text:
                count.heard(text)
            count.told(chunk.get("usage"))
            if text and not reason:
                if not clock.began:
                    self._circuit.heard()
                whole = characters.feed(text[: MAX_ANSWER_CHARS - chars])
                chars += len(text)
                for start in range(0, len(whole), MAX_PIECE_CHARS):
                    yield whole[start : start + MAX_PIECE_CHARS]
                    # A server may send a whole page as one event; others want the loop, too.
                    await asyncio.sleep(0)
                clock.heard()
            if ended and not reason:
                reason = ended
                clock.ended()
            after_end += bool(reason)
        if chars > MAX_ANSWER_CHARS:
            reason = "length"
        if reason in ("", "abort", "error"):
            raise failures.broken_off() if clock.began or reason else failures.illegible()
        yield Finish(reason)


class _Clock:
    """Until when the next token of one answer has to come, in the time of the event loop."""

    def __init__(self, first_seconds: float, idle_seconds: float, deadline: float) -> None:
        self._now = asyncio.get_running_loop().time
        self._first_seconds, self._idle_seconds = first_seconds, idle_seconds
        self._start, self._deadline = self._now(), deadline
        self.began = False
        self.until = min(deadline, self._start + first_seconds)

    def heard(self) -> None:
        """Note that a token came."""
        self.began = True
        self.until = min(self._deadline, self._now() + self._idle_seconds)

    def ended(self) -> None:
        """Note that no more tokens come."""
        self.began = True
        self.until = min(self._deadline, self._now() + SECONDS_AFTER_END)

    def ran_out(self) -> CallFailed:
        """Return what it means that none came."""
        if self.until >= self._deadline:
            return failures.too_slow(
                "for this page, all tries together",
                self._deadline - self._start,
                again=False,
                servers_fault=not self.began,
            )
        what = "between two tokens" if self.began else "until the first token"
        seconds = self._idle_seconds if self.began else self._first_seconds
        return failures.too_slow(what, seconds, again=True, servers_fault=True)


def _meaning(error: Exception, connection_lost: CallFailed) -> CallFailed:
    """Return what an exception of the client means."""
    if isinstance(error, APIStatusError):
        return failures.of_status(error.status_code, error.response.headers, complaint_in(error))
    if isinstance(error, APIConnectionError | httpx2.HTTPError | httpx2.StreamError):
        return connection_lost
    if isinstance(error, APIError):
        return failures.of_status(max(400, status_in(error)), {}, complaint_in(error))
    return failures.illegible()
