"""The engine worker: one process, one engine, one page at a time, spoken to over gRPC.

Started by `serve` as `python -m ocr_grpc.engines.worker`. It dies with its parent, and ends itself
when its engine cannot be stopped or has grown too large; whoever started it starts another.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import grpc.aio
import structlog
import uvloop

from ocr_grpc.engines.catalog import EngineChoice, load_engine
from ocr_grpc.engines.engine import PageImage, ReadOptions
from ocr_grpc.engines.engine_thread import EngineStuck, EngineThread
from ocr_grpc.engines.errors import PageDropped, WorkerBusy
from ocr_grpc.engines.load import LoadBoard
from ocr_grpc.engines.page_input import InvalidPage, in_time, receive_page
from ocr_grpc.engines.page_read import ReadBegan, ReadTimes
from ocr_grpc.engines.wire import RPC, description_to_proto, load_to_proto, part_to_proto
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import (
    EngineServiceServicer,
    add_EngineServiceServicer_to_server,
)
from ocr_grpc.processes import die_with_parent, hide_memory, resident_bytes
from ocr_grpc.telemetry import error_tracking, tracing
from ocr_grpc.telemetry.process import Telemetry, telling

# Generic only in the stub files of grpc.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

log = structlog.get_logger()

EXIT_STUCK = 70
EXIT_TOO_LARGE = 71

SERVER_OPTIONS = [
    ("grpc.so_reuseport", 0),
    # `serve` asks whether we live every ten seconds.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
]


class EngineServicer(EngineServiceServicer):
    """Answers `EngineService` for one engine."""

    def __init__(self, thread: EngineThread, spool: Path | None, memory_bytes: int) -> None:
        self._thread = thread
        self._spool = spool
        self._memory_bytes = memory_bytes
        self._turn = asyncio.Lock()
        self.board = LoadBoard(slots=1)
        self.too_large = asyncio.Event()

    async def Describe(  # noqa: N802 - the name in the proto
        self, request: pb.DescribeRequest, context: Context
    ) -> pb.DescribeResponse:
        """Return what the engine is."""
        return description_to_proto(self._thread.description)

    async def Watch(  # noqa: N802 - the name in the proto
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncGenerator[pb.WatchResponse, None]:
        """Send whether there is a page, and whether this worker is about to leave."""
        async with contextlib.aclosing(self.board.watch()) as loads:
            async for load in loads:
                yield load_to_proto(load)

    async def Read(  # noqa: N802 - the name in the proto
        self,
        request_iterator: AsyncIterator[pb.ReadRequest],
        context: Context,
    ) -> AsyncGenerator[pb.ReadResponse, None]:
        """Read one page; a second call waits for the first to end, a third is refused."""
        try:
            with self.board.admitted():
                async with contextlib.aclosing(in_time(request_iterator)) as requests:
                    page, options = await receive_page(requests, self._spool)
                async with self._turn:
                    metadata = context.invocation_metadata()
                    with tracing.span_of(metadata, "engine worker", self._about(page)):
                        async with contextlib.aclosing(self._read(page, options)) as responses:
                            async for response in responses:
                                yield response
        except WorkerBusy as busy:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(busy))
        except PageDropped as dropped:
            await context.abort(grpc.StatusCode.DATA_LOSS, str(dropped))
        except InvalidPage as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except EngineStuck:
            _exit_stuck()
        except Exception:
            log.exception("page_not_read")
            await context.abort(grpc.StatusCode.ABORTED, "The engine failed on this page.")

    def _about(self, page: PageImage) -> dict[str, str | int]:
        """Return what the span of a page says."""
        height, width = page.pixels.shape[:2]
        engine = self._thread.description.name
        return RPC | {"ocr.engine": engine, "ocr.width_px": width, "ocr.height_px": height}

    async def _read(
        self, page: PageImage, options: ReadOptions
    ) -> AsyncGenerator[pb.ReadResponse, None]:
        yield part_to_proto(ReadBegan())
        async with contextlib.aclosing(self._thread.read(page, options)) as parts:
            async for part in parts:
                if isinstance(part, ReadTimes) and resident_bytes() > self._memory_bytes:
                    # Before the page ends, so that no other comes: this process is about to.
                    self.board.drain()
                    self.too_large.set()
                yield part_to_proto(part)


def _exit_stuck() -> NoReturn:
    # The thread cannot be stopped, and an orderly exit would wait for it.
    log.exception("engine_stuck", text="The engine did not stop when it was cancelled.")
    error_tracking.stop()
    sys.stderr.flush()
    os._exit(EXIT_STUCK)


async def _serve(arguments: argparse.Namespace) -> int:
    die_with_parent(arguments.parent)
    choice = EngineChoice(
        arguments.engine, arguments.backend, arguments.precision, arguments.binary
    )
    thread = await EngineThread.load(lambda: load_engine(choice))
    servicer = EngineServicer(thread, arguments.spool, arguments.memory_bytes)
    server = grpc.aio.server(options=SERVER_OPTIONS)
    add_EngineServiceServicer_to_server(servicer, server)
    server.add_insecure_port(f"unix:{arguments.socket}")
    await server.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, servicer.too_large)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    servicer.board.drain()
    await server.stop(grace=1.0)
    for wait in waits:
        wait.cancel()
    return EXIT_TOO_LARGE if servicer.too_large.is_set() else 0


def main() -> NoReturn:
    """Run a worker until it is told to stop."""
    parser = argparse.ArgumentParser(description="One engine worker; `serve` starts these itself.")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--spool", type=Path)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--binary", default="")
    parser.add_argument("--memory-bytes", type=int, default=2**31)
    parser.add_argument("--told", action="store_true", help="What to log and trace is on stdin.")
    arguments = parser.parse_args()
    if arguments.told:
        hide_memory()
    with telling(Telemetry.from_parent(sys.stdin.buffer.read() if arguments.told else b"")):
        code = uvloop.run(_serve(arguments))
    # Not sys.exit: an inference thread of a runtime may outlive the loop and hold the process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
