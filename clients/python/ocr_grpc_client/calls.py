"""Makes calls over gRPC: adds credentials, renews a token once, turns failures into `OcrError`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator
from contextlib import aclosing, contextmanager
from typing import Any, TypeVar

import betterproto2
import grpc.aio

from .credentials import TOKEN_EXPIRED, Credentials, Metadata
from .errors import OcrError, from_rpc_error
from .sending import Sender

CLOSED = "The client is closed."

Response = TypeVar("Response", bound=betterproto2.Message)


class GrpcCaller:
    """Makes calls on a channel, which is opened by the first of them.

    gRPC retries by itself as its service config says. Deadlines come from there too; `timeout`, in
    seconds, can only make them shorter. Every call may be cancelled: streams by closing them.
    """

    def __init__(
        self, open_channel: Callable[[], grpc.aio.Channel], credentials: Credentials
    ) -> None:
        """Take what opens the channel, because that must happen in the event loop of the calls."""
        self.credentials = credentials
        self._open_channel = open_channel
        self._channel: grpc.aio.Channel | None = None
        self._closed = False

    async def close(self) -> None:
        """Close the channel; calls that are under way end with a `RuntimeError`."""
        self._closed = True
        if self._channel:
            await self._channel.close()

    async def unary_unary(
        self,
        path: str,
        request: betterproto2.Message,
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
        *,
        credentials: Credentials | None = None,
    ) -> Response:
        """Make a call with one request and one response."""
        credentials = credentials or self.credentials
        method = self._open().unary_unary(path, bytes, response.FromString)
        shown = await credentials.metadata()
        try:
            return await self._answer(
                method(request, timeout=timeout, metadata=(*shown, *metadata))
            )
        except OcrError as error:
            if error.reason != TOKEN_EXPIRED or not await credentials.renew(shown):
                raise
        shown = await credentials.metadata()
        return await self._answer(method(request, timeout=timeout, metadata=(*shown, *metadata)))

    async def unary_stream(
        self,
        path: str,
        request: betterproto2.Message,
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> AsyncGenerator[Response, None]:
        """Make a call with one request and a stream of responses."""
        method = self._open().unary_stream(path, bytes, response.FromString)
        for renewed in (False, True):
            shown = await self.credentials.metadata()
            call = method(request, timeout=timeout, metadata=(*shown, *metadata))
            began = False
            try:
                async with aclosing(self._responses(call)) as responses:
                    async for each in responses:
                        began = True
                        yield each
                return
            except OcrError as error:
                if began or renewed or error.reason != TOKEN_EXPIRED:
                    raise
                if not await self.credentials.renew(shown):
                    raise

    async def stream_unary(
        self,
        path: str,
        request: AsyncIterable[betterproto2.Message],
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> Response:
        """Make a call with a stream of requests and one response.

        A stream of requests cannot be sent again: where the token turns out to be expired it is
        renewed for the next call, and this one fails.
        """
        method = self._open().stream_unary(path, bytes, response.FromString)
        shown = await self.credentials.metadata()
        call = method(timeout=timeout, metadata=(*shown, *metadata))
        sender = Sender(call, request)
        try:
            return await self._answer(call, sender)
        except asyncio.CancelledError:
            if sender.failure and not _is_cancelled():
                raise sender.failure from None
            raise
        except OcrError as error:
            await self._renew_if_expired(error, shown)
            raise
        finally:
            await sender.close()

    async def stream_stream(
        self,
        path: str,
        request: AsyncIterable[betterproto2.Message],
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> AsyncGenerator[Response, None]:
        """Make a call with streams both ways. Expired tokens are as in `stream_unary`."""
        method = self._open().stream_stream(path, bytes, response.FromString)
        shown = await self.credentials.metadata()
        call = method(timeout=timeout, metadata=(*shown, *metadata))
        sender = Sender(call, request)
        try:
            async with aclosing(self._responses(call, sender)) as responses:
                async for each in responses:
                    yield each
        except asyncio.CancelledError:
            if sender.failure and not _is_cancelled():
                raise sender.failure from None
            raise
        except OcrError as error:
            await self._renew_if_expired(error, shown)
            raise
        finally:
            await sender.close()

    def _open(self) -> grpc.aio.Channel:
        if self._closed:
            raise RuntimeError(CLOSED)
        if self._channel is None:
            self._channel = self._open_channel()
        return self._channel

    async def _answer(self, call: Any, sender: Sender | None = None) -> Any:
        try:
            with self._saying_if_closed():
                return await call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(await sender.status(error) if sender else error) from None

    async def _responses(
        self, call: Any, sender: Sender | None = None
    ) -> AsyncGenerator[Any, None]:
        """Yield the responses of a call; cancel it where the reader stops."""
        try:
            with self._saying_if_closed():
                async for response in call:
                    yield response
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(await sender.status(error) if sender else error) from None
        finally:
            call.cancel()  # changes nothing in a call that has ended

    @contextmanager
    def _saying_if_closed(self) -> Generator[None, None, None]:
        """Raise an error where a call was cancelled and its task was not."""
        try:
            yield
        except asyncio.CancelledError:
            if self._closed and not _is_cancelled():
                raise RuntimeError(CLOSED) from None
            raise

    async def _renew_if_expired(self, error: OcrError, shown: Metadata) -> None:
        if error.reason == TOKEN_EXPIRED:
            await self.credentials.renew(shown)


def _is_cancelled() -> bool:
    """Return whether somebody cancelled the task that runs this."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
