"""Speaks to one engine worker, whether a process of this machine or a machine of many."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio

from ocr_grpc.engines.deadlines import Deadlines, PageClock
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.errors import (
    EngineFailed,
    PageDropped,
    PageTimedOut,
    WorkerBusy,
    WorkerLost,
)
from ocr_grpc.engines.load import Load
from ocr_grpc.engines.page_output import Admitted, page_in_chunks, page_in_spool
from ocr_grpc.engines.page_read import PageRead, ReadBegan, ReadTimes
from ocr_grpc.engines.wire import (
    ADMITTED_KEY,
    PAGE_SECONDS_KEY,
    description_from_proto,
    lines_from_proto,
    load_from_proto,
)
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import EngineServiceStub
from ocr_grpc.model import Line
from ocr_grpc.telemetry import tracing

if TYPE_CHECKING:  # a type of the stub file alone
    from ocr_grpc.internal.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

# Generic only in the stub files of grpc.
ReadCall: TypeAlias = "grpc.aio.StreamStreamCall[Any, pb.ReadResponse]"

OPTIONS: list[tuple[str, Any]] = [
    # A worker that was killed is back within seconds; the default of up to two minutes is too long.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    # A worker that was stopped keeps its socket open and says nothing.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A connection of its own, whatever else this process connects to.
    ("grpc.use_local_subchannel_pool", 1),
]


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach a worker.

    Attributes:
        target: as gRPC names it.
        credentials: None for plain text.
        token: shown at each call; may be empty.
        name: the host that its certificate must be for.
    """

    target: str
    credentials: grpc.ChannelCredentials | None = None
    token: str = ""
    name: str = ""

    def __repr__(self) -> str:
        """Leave the token out."""
        return f"Address({self.target!r})"

    def open(self) -> grpc.aio.Channel:
        """Return a channel there; it connects at the first call."""
        if self.credentials is None:
            return grpc.aio.insecure_channel(self.target, options=OPTIONS)
        named = [("grpc.ssl_target_name_override", self.name)]
        return grpc.aio.secure_channel(self.target, self.credentials, options=OPTIONS + named)


class EngineClient:
    """A channel to one worker."""

    def __init__(self, address: Address, deadlines: Deadlines, *, shares_spool: bool) -> None:
        """Make a channel; it connects at the first call.

        Args:
            address: where the worker is.
            deadlines: what its pages may take beside the time of the engine.
            shares_spool: whether it sees the files of pages; else their pixels are sent.
        """
        self._channel = address.open()
        self._stub: EngineServiceAsyncStub = EngineServiceStub(self._channel)
        self._metadata: tuple[tuple[str, str], ...] = ()
        if address.token:
            self._metadata = (("authorization", f"Bearer {address.token}"),)
        self._deadlines = deadlines
        self._heard_at = monotonic()
        self._requests: Callable[[PageRead, Admitted], AsyncGenerator[pb.ReadRequest]] = (
            page_in_spool if shares_spool else page_in_chunks
        )

    async def describe(self, timeout_seconds: float, *, wait: bool) -> EngineDescription:
        """Return what the engine of the worker is.

        Args:
            timeout_seconds: for the whole of it.
            wait: whether to wait until there is a worker, or say at once that there is none.

        Raises:
            grpc.aio.AioRpcError: it did not answer in time.
        """
        response = await self._stub.Describe(
            pb.DescribeRequest(),
            timeout=timeout_seconds,
            wait_for_ready=wait,
            metadata=self._metadata,
        )
        return description_from_proto(response)

    async def watch(self, silence_seconds: float) -> AsyncGenerator[Load, None]:
        """Yield how busy the worker is, until it has left.

        Raises:
            TimeoutError: it said nothing for so long.
            grpc.aio.AioRpcError: it went away.
        """
        call = self._stub.Watch(pb.WatchRequest(), metadata=self._metadata)
        try:
            while True:
                async with asyncio.timeout(silence_seconds):
                    message = await call.read()
                if not isinstance(message, pb.WatchResponse):
                    return
                self._heard_at = monotonic()
                yield load_from_proto(message)
        finally:
            call.cancel()

    async def read(self, read: PageRead) -> AsyncGenerator[ReadBegan | list[Line] | ReadTimes]:
        """Yield that the engine turns to a page, its lines as they come, and what it took.

        Closing the iterator early cancels the call, and so stops the engine.

        Raises:
            WorkerBusy: it takes no page now.
            WorkerLost: the worker went away or does not answer; another one may be asked.
            PageTimedOut, EngineFailed: this page failed.
        """
        timeout = (PAGE_SECONDS_KEY, f"{read.timeout_seconds:.3f}")
        metadata = (*self._metadata, timeout, *tracing.carrier())

        async def admitted() -> bool:
            return any(key == ADMITTED_KEY for key, _ in await call.initial_metadata())

        async def requests() -> AsyncGenerator[pb.ReadRequest]:
            async with aclosing(self._requests(read, admitted)) as all_requests:
                async for request in all_requests:
                    yield request
                    clock.move()  # asked for the next, so this one has left

        call = self._stub.Read(requests(), metadata=metadata)
        clock = PageClock(self._deadlines, read.timeout_seconds, self._answers, call.cancel)
        try:
            async with aclosing(_parts(call)) as parts:
                async for part in parts:
                    if isinstance(part, ReadBegan):
                        clock.begin()
                    yield part
        except grpc.aio.AioRpcError as error:
            raise clock.verdict or _translated(error, read, clock.began) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            # Nobody cancelled us: time is up, or the channel was closed as the worker had ended.
            closed = WorkerLost("The channel to the worker was closed.", began=clock.began)
            raise clock.verdict or closed from None
        finally:
            clock.stop()
            call.cancel()

    async def close(self) -> None:
        """End the channel and what runs over it."""
        await self._channel.close()

    async def _answers(self) -> bool:
        """Return whether the worker says something from now on, and be it how busy it is."""
        asked_at = monotonic()
        try:
            return bool(await self.describe(self._deadlines.answer, wait=False))
        except grpc.aio.AioRpcError as error:
            return error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and self._heard_at > asked_at
        except grpc.aio.UsageError:
            return False
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            return False  # the channel was closed meanwhile, which is what the other error says too


async def _parts(call: ReadCall) -> AsyncGenerator[ReadBegan | list[Line] | ReadTimes]:
    done = False
    async for response in call:
        match response.WhichOneof("part"):
            case "begun":
                yield ReadBegan()
            case "done":
                done = True
                sums = response.done
                yield ReadTimes(sums.seconds, sums.cpu_seconds, sums.alphabet)
            case _:
                yield lines_from_proto(response.batch)
    if not done:
        raise PageDropped("The worker ended the page in the middle.", began=True)


def _translated(error: grpc.aio.AioRpcError, read: PageRead, began: bool) -> Exception:
    match error.code():
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return PageTimedOut(
                f"The engine took longer than {read.timeout_seconds:g} s over this page.",
                timeout_seconds=read.timeout_seconds,
            )
        case grpc.StatusCode.ABORTED | grpc.StatusCode.INVALID_ARGUMENT:
            return EngineFailed("The engine failed on this page.")
        case grpc.StatusCode.RESOURCE_EXHAUSTED if not began:
            return WorkerBusy(error.details())
        case grpc.StatusCode.DATA_LOSS:
            return PageDropped(f"Of the worker: {error.details()}", began=began)
        case _:
            return WorkerLost(f"{error.code().name}: {error.details()}", began=began)
