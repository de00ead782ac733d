"""Answers for a machine of many engine workers: `ocr-grpc engine`, as `serve` speaks to it.

Pixels come in chunks and become a file of this machine, which one of its workers reads. There are
as many files as pages were admitted: one more than there are workers.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack, aclosing, contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import grpc
import grpc.aio
import structlog

from ocr_grpc.engines.errors import (
    EngineFailed,
    EngineUnavailable,
    PageTimedOut,
    PixelsLate,
    WorkerBusy,
    WorkerLost,
)
from ocr_grpc.engines.load import LoadBoard
from ocr_grpc.engines.page_input import (
    InvalidPage,
    in_time,
    options_of,
    receive_header,
    received_file,
)
from ocr_grpc.engines.page_output import PRIORITIES
from ocr_grpc.engines.page_read import PageRead, Priority, ReadBegan, ReadTimes
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.engines.wire import (
    ADMITTED_KEY,
    PAGE_SECONDS_KEY,
    RPC,
    description_to_proto,
    load_to_proto,
    part_to_proto,
)
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import EngineServiceServicer
from ocr_grpc.model import Line, PageGeometry, RenderedPage
from ocr_grpc.telemetry import tracing

# Generic only in the stub files of grpc.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

log = structlog.get_logger()

SEND_SECONDS = 30.0

CODES: dict[type[Exception], tuple[grpc.StatusCode, str]] = {
    WorkerBusy: (grpc.StatusCode.RESOURCE_EXHAUSTED, "There is no room for a page now."),
    EngineUnavailable: (grpc.StatusCode.RESOURCE_EXHAUSTED, "No engine worker is ready."),
    OSError: (grpc.StatusCode.RESOURCE_EXHAUSTED, "The page cannot be written to the disk."),
    PixelsLate: (grpc.StatusCode.DATA_LOSS, "The pixels of the page did not arrive in time."),
    WorkerLost: (grpc.StatusCode.DATA_LOSS, "The process that read the page ended."),
    PageTimedOut: (grpc.StatusCode.DEADLINE_EXCEEDED, "The engine took too long over this page."),
    EngineFailed: (grpc.StatusCode.ABORTED, "The engine failed on this page."),
}
"""What failures are for `serve`: it asks another machine, reads the page again, or lets it fail."""


class _NotTaken(Exception):
    """The server does not take what was read."""


READ, CANCELLED, UNEXPECTED = "ok", "cancelled", "error"
OUTCOMES: dict[type[Exception], str] = {
    WorkerBusy: "busy",
    EngineUnavailable: "no_worker",
    PageTimedOut: "timed_out",
    EngineFailed: "failed",
    WorkerLost: "worker_lost",
    PixelsLate: "pixels_late",
    InvalidPage: "invalid",
    _NotTaken: "not_taken",
    grpc.aio.InternalError: CANCELLED,
}
"""What became of pages that were not read, for metrics; any other error is `UNEXPECTED`."""


def _ignored(outcome: str, seconds: float | None) -> None:
    """Count nothing."""


class MachineServicer(EngineServiceServicer):
    """Answers `EngineService` for a pool."""

    def __init__(
        self,
        pool: EnginePool,
        spool: Path,
        page_timeout_seconds: float,
        send_seconds: float = SEND_SECONDS,
        on_page_ended: Callable[[str, float | None], None] = _ignored,
    ) -> None:
        """Take what reads.

        Args:
            pool: its workers see the files in `spool`.
            spool: folder of this service alone.
            page_timeout_seconds: what the engine may take over a page at most.
            send_seconds: how long a server may take until it takes some lines.
            on_page_ended: called with what became of a page, and if it was read the seconds that
                took, for metrics.
        """
        self._pool = pool
        self._spool = spool
        self._page_timeout_seconds = page_timeout_seconds
        self._send_seconds = send_seconds
        self._on_page_ended = on_page_ended
        self.board = LoadBoard(slots=0)

    async def Describe(  # noqa: N802 - the name in the proto
        self, request: pb.DescribeRequest, context: Context
    ) -> pb.DescribeResponse:
        """Return what the engine is."""
        return description_to_proto(self._pool.description)

    async def Watch(  # noqa: N802 - the name in the proto
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncGenerator[pb.WatchResponse, None]:
        """Send how busy the workers are."""
        async with aclosing(self.board.watch()) as loads:
            async for load in loads:
                yield load_to_proto(load)

    # The generated base knows no handlers that write; gRPC does.
    async def Read(  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        request_iterator: AsyncIterator[pb.ReadRequest],
        context: Context,
    ) -> None:
        """Read one page, if there is room."""
        try:
            traced = tracing.span_of(context.invocation_metadata(), "engine machine", RPC)
            with traced, self._counted(), self.board.admitted(context.peer()):
                await context.send_initial_metadata(((ADMITTED_KEY, "1"),))
                seconds = min(self._page_timeout_seconds, _told_seconds(context))
                async with aclosing(self._parts(request_iterator, seconds)) as parts:
                    async for part in parts:
                        await self._send(context, part_to_proto(part))
        except _NotTaken:
            log.warning("page_not_taken", peer=context.peer())
            await self._give_up(context)
        except grpc.aio.InternalError:
            return  # The server went away while lines were on their way to it.
        except InvalidPage as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except tuple(CODES) as error:
            if isinstance(error, OSError):
                log.error("page_not_written", reason=error.strerror)
            code, sentence = next(CODES[kind] for kind in CODES if isinstance(error, kind))
            await context.abort(code, sentence)
        except Exception:
            log.exception("page_not_read")
            await context.abort(grpc.StatusCode.INTERNAL, "Something unexpected happened.")

    @contextmanager
    def _counted(self) -> Generator[None]:
        began, outcome, seconds = perf_counter(), CANCELLED, None
        try:
            yield
            outcome, seconds = READ, perf_counter() - began
        except Exception as error:
            named = (name for kind, name in OUTCOMES.items() if isinstance(error, kind))
            outcome = next(named, UNEXPECTED)
            raise
        finally:
            self._on_page_ended(outcome, seconds)

    async def _send(self, context: Context, message: pb.ReadResponse) -> None:
        # Not by `yield`: that waits without end for a server that takes nothing, and meanwhile
        # the page keeps its place. The call is over once this is cut, so nothing is lost by it.
        try:
            async with asyncio.timeout(self._send_seconds):
                await context.write(message)
        except TimeoutError:
            raise _NotTaken from None

    async def _give_up(self, context: Context) -> None:
        # This too leaves only behind what the server does not take.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._send_seconds):
                await context.abort(grpc.StatusCode.CANCELLED, "The lines were not taken in time.")

    async def _parts(
        self, requests: AsyncIterator[pb.ReadRequest], seconds: float
    ) -> AsyncGenerator[ReadBegan | list[Line] | ReadTimes]:
        async with AsyncExitStack() as stack:
            messages = await stack.enter_async_context(aclosing(in_time(requests)))
            header = await receive_header(messages)
            path = await stack.enter_async_context(received_file(header, messages, self._spool))
            read = _page_read(header, path, seconds)
            parts = await stack.enter_async_context(aclosing(self._pool.parts(read)))
            async for part in parts:
                yield part


_PRIORITIES = {number: priority for priority, number in PRIORITIES.items()}


def _page_read(header: pb.ReadHeader, path: Path, seconds: float) -> PageRead:
    geometry = PageGeometry(header.width_px, header.height_px, header.dpi)
    return PageRead(
        page=RenderedPage(path, geometry, header.channels),
        options=options_of(header),
        caller=header.caller,
        extraction_id=header.extraction_id,
        page_number=header.page_number,
        timeout_seconds=seconds,
        priority=_PRIORITIES.get(header.priority, Priority.INTERACTIVE),
        weight=header.weight if 0 < header.weight < math.inf else 1.0,
    )


def _told_seconds(context: Context) -> float:
    """Return what the server gives the page; without bound if it does not tell."""
    for key, value in context.invocation_metadata() or ():
        if key == PAGE_SECONDS_KEY:
            try:
                seconds = float(value)
            except ValueError:
                break
            return seconds if seconds > 0 else math.inf
    return math.inf
