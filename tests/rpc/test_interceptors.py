"""What stands between grpc and the servicers, for all four kinds of RPC."""

from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest

from ocr_grpc.rpc.errors import OptionsTooLate
from ocr_grpc.rpc.interceptors.base import CallInterceptor
from ocr_grpc.rpc.interceptors.chain import InterceptorChain
from ocr_grpc.rpc.interceptors.errors import ErrorInterceptor
from ocr_grpc.rpc.interceptors.telemetry import TelemetryInterceptor
from tests.support import failed_stream, reason_of, refusal

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Recorder(CallInterceptor):
    """Writes down when calls begin and end."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    @asynccontextmanager
    async def around(self, call):
        self.seen.append(f"begin {call.method}")
        try:
            yield
        finally:
            self.seen.append(f"end {call.method}")


def handlers(fail: Exception | None = None) -> grpc.GenericRpcHandler:
    async def unary(_, context):
        if fail:
            raise fail
        return b"answer"

    async def stream(_, context):
        yield b"first"
        if fail:
            raise fail
        yield b"second"

    async def written(_, context):
        await context.write(b"first")
        await context.write(b"second")

    made = {
        kind: getattr(grpc, f"{kind}_rpc_method_handler")(stream if "_s" in kind else unary)
        for kind in KINDS
    }
    made["written"] = grpc.unary_stream_rpc_method_handler(written)
    return grpc.method_handlers_generic_handler("test.Service", made)


@asynccontextmanager
async def serving(interceptors, fail=None):
    server = grpc.aio.server(interceptors=interceptors)
    server.add_generic_rpc_handlers((handlers(fail),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


def start(channel, kind: str):
    method = getattr(channel, kind)(f"/test.Service/{kind}")
    return method(iter([b"x"])) if kind.startswith("stream") else method(b"x")


async def answers(call) -> list[bytes]:
    if hasattr(call, "__aiter__"):
        return [answer async for answer in call]
    return [await call]


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_call_is_stood_around_once(kind):
    recorder = Recorder()
    async with serving([recorder]) as channel:
        got = await answers(start(channel, kind))
    assert got == ([b"first", b"second"] if kind.endswith("stream") else [b"answer"])
    assert recorder.seen == [f"begin /test.Service/{kind}", f"end /test.Service/{kind}"]


async def test_a_handler_that_writes_by_itself_is_stood_around_too():
    recorder = Recorder()
    async with serving([recorder]) as channel:
        call = channel.unary_stream("/test.Service/written")(b"x")
        assert await answers(call) == [b"first", b"second"]
    assert recorder.seen[-1] == "end /test.Service/written"


async def error_of(fail: Exception, kind: str) -> grpc.aio.AioRpcError:
    async with serving([TelemetryInterceptor(), ErrorInterceptor()], fail) as channel:
        call = start(channel, kind)
        if kind.endswith("stream"):
            return (await failed_stream(call))[1]
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await call
        return failed.value


@pytest.mark.parametrize("kind", KINDS)
async def test_a_domain_error_becomes_its_status_with_the_request_id_beside_it(kind):
    error = await error_of(OptionsTooLate("Options come first."), kind)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "OPTIONS_TOO_LATE"
    assert dict(error.trailing_metadata())["x-request-id"]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unexpected_error_tells_the_caller_nothing(kind):
    error = await error_of(ValueError("the password is hunter2"), kind)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert reason_of(error) == "INTERNAL"
    assert "hunter2" not in repr(error)
    assert b"hunter2" not in b"".join(
        value if isinstance(value, bytes) else value.encode()
        for _, value in error.trailing_metadata()
    )


class Link(Recorder):
    """One of several, which writes into a list they share; refuses calls if told to."""

    def __init__(self, name: str, seen: list[str], refuses: bool = False) -> None:
        super().__init__()
        self.name, self.seen, self._refuses = name, seen, refuses

    @asynccontextmanager
    async def around(self, call):
        self.seen.append(f"{self.name} begins")
        if self._refuses:
            raise OptionsTooLate("Options come first.")
        try:
            yield
        except Exception as error:
            self.seen.append(f"{self.name} sees {type(error).__name__}")
            raise
        finally:
            self.seen.append(f"{self.name} ends")

    async def before_first_response(self, call):
        self.seen.append(f"{self.name} lets an answer out")


@pytest.mark.parametrize("kind", KINDS)
async def test_links_of_a_chain_stand_around_a_call_in_their_order(kind):
    seen: list[str] = []
    chain = InterceptorChain([Link("outer", seen), Link("inner", seen)])
    async with serving([chain]) as channel:
        assert await answers(start(channel, kind))
    assert seen == [
        "outer begins",
        "inner begins",
        "inner lets an answer out",
        "outer lets an answer out",
        "inner ends",
        "outer ends",
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_error_passes_through_all_links_that_began(kind):
    seen: list[str] = []
    chain = InterceptorChain(
        [ErrorInterceptor(), Link("outer", seen), Link("inner", seen, refuses=True)]
    )
    async with serving([TelemetryInterceptor(), chain]) as channel:
        assert (await refusal(start(channel, kind)))[1] == "OPTIONS_TOO_LATE"
    assert seen == ["outer begins", "inner begins", "outer sees OptionsTooLate", "outer ends"]
