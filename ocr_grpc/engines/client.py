"""Speaks to one engine worker."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import grpc
import grpc.aio

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.errors import EngineFailed, PageTimedOut, WorkerLost
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.engines.wire import description_from_proto, lines_from_proto
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import EngineServiceStub
from ocr_grpc.model import Line

if TYPE_CHECKING:  # a type of the stub file alone
    from ocr_grpc.internal.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

OPTIONS = [
    # A worker that was killed is back within seconds; the default of up to two minutes is too long.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    # A worker that was stopped keeps its socket open and says nothing.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]


class EngineClient:
    """A channel to one worker."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._stub: EngineServiceAsyncStub = EngineServiceStub(self._channel)

    async def describe(self, timeout_seconds: float) -> EngineDescription:
        """Wait until the worker answers, and return what its engine is.

        Raises:
            grpc.aio.AioRpcError: it did not answer in time.
        """
        response = await self._stub.Describe(
            pb.DescribeRequest(), timeout=timeout_seconds, wait_for_ready=True
        )
        return description_from_proto(response)

    async def read(self, read: PageRead) -> AsyncGenerator[list[Line] | ReadTimes, None]:
        """Yield the lines of a page as they come, and at last what it took.

        Closing the iterator early cancels the call, and so stops the engine.

        Raises:
            WorkerLost: the worker went away; another one may be asked.
            PageTimedOut, EngineFailed: this page failed.
        """
        call = self._stub.Read(_requests(read), timeout=read.timeout_seconds)
        began = False
        try:
            async for response in call:
                match response.WhichOneof("part"):
                    case "begun":
                        began = True
                    case "done":
                        yield ReadTimes(response.done.seconds, response.done.cpu_seconds)
                    case _:
                        yield lines_from_proto(response.batch)
        except grpc.aio.AioRpcError as error:
            raise _translated(error, read, began) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            # Nobody cancelled us: the channel was closed, because the worker had ended.
            raise WorkerLost("The channel to the worker was closed.", began=began) from None
        finally:
            call.cancel()

    async def close(self) -> None:
        """End the channel and what runs over it."""
        await self._channel.close()


async def _requests(read: PageRead) -> AsyncGenerator[pb.ReadRequest, None]:
    geometry = read.page.geometry
    yield pb.ReadRequest(
        header=pb.ReadHeader(
            width_px=geometry.width_px,
            height_px=geometry.height_px,
            channels=read.page.channels,
            dpi=geometry.dpi,
            languages=read.options.languages,
            caller=read.caller,
            priority=pb.PRIORITY_INTERACTIVE,
            extraction_id=read.extraction_id,
            page_number=read.page_number,
        )
    )
    yield pb.ReadRequest(spool_file=read.page.path.name)


def _translated(error: grpc.aio.AioRpcError, read: PageRead, began: bool) -> Exception:
    match error.code():
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return PageTimedOut(
                f"The engine took longer than {read.timeout_seconds:g} s over this page.",
                timeout_seconds=read.timeout_seconds,
            )
        case grpc.StatusCode.ABORTED | grpc.StatusCode.INVALID_ARGUMENT:
            return EngineFailed("The engine failed on this page.")
        case _:
            return WorkerLost(f"{error.code().name}: {error.details()}", began=began)
