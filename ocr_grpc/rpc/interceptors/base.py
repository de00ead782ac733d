"""Wraps all four kinds of RPC once, so that an interceptor is only what happens around a call."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio

from ocr_grpc.rpc.interceptors.incoming import Incoming
from ocr_grpc.rpc.interceptors.received import Received, decoding

# Generic only in the stub files of grpc.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


PACKAGE = "/ocr_grpc.v1."


def short_name(method: str) -> str:
    """Return an RPC as people write it, such as `OcrService/Extract`."""
    return method.removeprefix(PACKAGE)


@dataclass(slots=True)
class Call:
    """The call an interceptor stands around."""

    method: str
    """Such as `/ocr_grpc.v1.OcrService/Extract`."""
    context: Context
    incoming: Incoming | None = None
    """What the caller streams. None if it sends one message."""
    streams_answers: bool = False
    """Whether there may be many answers."""
    sent: int = 0
    """Messages that went to the caller so far, but those that a servicer writes by itself."""


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Base of all interceptors: subclasses write `around`, a context manager that yields once."""

    def __init__(self) -> None:
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    def around(self, call: Call) -> AbstractAsyncContextManager[None]:
        """Return what happens before and after the call. Exceptions of the call pass through it."""
        raise NotImplementedError

    async def before_first_response(self, call: Call) -> None:
        """Do something when the call turns out to have an answer; called before it leaves."""

    async def intercept_service(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        continuation: Callable[[grpc.HandlerCallDetails], "Awaitable[Handler | None]"],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Return the handler of the call with `around` about it.

        `continuation` returns before the call runs, so it is the handler that must be wrapped.
        """
        handler = await continuation(handler_call_details)
        if handler is None:
            return None  # grpc answers UNIMPLEMENTED; its types do not know that this happens
        method = handler_call_details.method
        # Wrapped once and not at every call: there are as many as there are methods.
        inner, wrapped = self._wrapped.get(method, (None, None))
        if inner is not handler or wrapped is None:
            wrapped = _wrapped(handler, method, self)
            self._wrapped[method] = (handler, wrapped)
        return wrapped


def _wrapped(handler: Any, method: str, interceptor: CallInterceptor) -> Handler:
    """Return a handler of the same arity; grpc's types know handlers only from outside."""
    receive = _incoming if handler.request_streaming else _taken
    if handler.response_streaming:
        behaviour = handler.stream_stream or handler.unary_stream
        wrapped = _streaming(behaviour, method, interceptor, receive)
        make: Any = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
    else:
        behaviour = handler.stream_unary or handler.unary_unary
        wrapped = _unary(behaviour, method, interceptor, receive)
        make = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
    return make(
        wrapped,
        request_deserializer=decoding(handler.request_deserializer, handler.request_streaming),
        response_serializer=handler.response_serializer,
    )


Receive = Callable[[Any], tuple[Callable[[], Any], Incoming | None]]
"""Returns what gives the handler its request, and the stream it is, if it is one."""


def _incoming(requests: Any) -> tuple[Callable[[], Any], Incoming | None]:
    # Wrapped by the outermost interceptor alone.
    incoming = requests if isinstance(requests, Incoming) else Incoming(requests)
    return lambda: incoming, incoming


def _taken(received: Received) -> tuple[Callable[[], Any], Incoming | None]:
    return received.take, None


def _unary(
    behaviour: Callable[..., Awaitable[Any]],
    method: str,
    interceptor: CallInterceptor,
    receive: Receive,
) -> Any:
    async def handle(request: Any, context: Context) -> Any:
        take, incoming = receive(request)
        del request  # a large one is not to be held while it is worked on
        call = Call(method, context, incoming)
        async with interceptor.around(call):
            response = await behaviour(take(), context)
            await interceptor.before_first_response(call)
            call.sent = 1
            return response

    return handle


def _streaming(
    behaviour: Callable[..., Any], method: str, interceptor: CallInterceptor, receive: Receive
) -> Any:
    async def handle(request: Any, context: Context) -> AsyncGenerator[Any, None]:
        take, incoming = receive(request)
        del request
        call = Call(method, context, incoming, streams_answers=True)
        async with interceptor.around(call):
            responses: AsyncGenerator[Any, None] | Awaitable[None] = behaviour(take(), context)
            if inspect.isawaitable(responses):
                # Written with `context.write`, as grpc's own health servicer is.
                await responses
                return
            # Closed here and not whenever it is collected: its work must stop with the call.
            first = True
            async with aclosing(responses) as open_responses:
                async for response in open_responses:
                    if first:
                        await interceptor.before_first_response(call)
                        first = False
                    call.sent += 1
                    yield response

    return handle
