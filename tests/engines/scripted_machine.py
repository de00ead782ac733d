"""An engine machine that says of itself what a test wants, and takes pages as it likes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import grpc
import grpc.aio

from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import (
    EngineServiceServicer,
    add_EngineServiceServicer_to_server,
)


class ScriptedMachine(EngineServiceServicer):
    """Reads every page in no time.

    Attributes:
        model_version, precision: of its engine.
        refusals: so many pages it refuses first.
        pages: how many it has read.
        port: where it listens.
    """

    def __init__(self, model_version: str = "1", precision: str = "f32", refusals: int = 0) -> None:
        self.model_version = model_version
        self.precision = precision
        self.refusals = refusals
        self.pages = 0
        self.port = 0
        self._ends = asyncio.Event()

    def end_connections(self) -> None:
        """Leave all servers, which come back at once."""
        self._ends.set()
        self._ends = asyncio.Event()

    async def Describe(self, request, context):  # noqa: N802
        return pb.DescribeResponse(
            name="null", model="null", model_version=self.model_version, precision=self.precision
        )

    async def Watch(self, request, context):  # noqa: N802
        ends = self._ends
        while not ends.is_set():
            yield pb.WatchResponse(slots=1)
            with suppress(TimeoutError):
                await asyncio.wait_for(ends.wait(), 1)

    async def Read(self, requests, context):  # noqa: N802
        if self.refusals:
            self.refusals -= 1
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "It is full.")
        await context.send_initial_metadata((("page-admitted", "1"),))
        async for _ in requests:
            pass
        self.pages += 1
        yield pb.ReadResponse(begun=pb.ReadBegun())
        yield pb.ReadResponse(done=pb.ReadDone(seconds=0, cpu_seconds=0))


@asynccontextmanager
async def serving(machine: ScriptedMachine) -> AsyncIterator[ScriptedMachine]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_EngineServiceServicer_to_server(machine, server)
    machine.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield machine
    finally:
        await server.stop(None)
