"""A service that is told to end while it is still starting, but answers already."""

import asyncio
from pathlib import Path

import grpc.aio
import pytest

from ocr_grpc.server import Server
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.support import channel_to, text_pdf

CALLERS = 8


def never_ready(folder: Path) -> Path:
    """Return a program that is taken for Envoy and never listens."""
    program = folder / "envoy"
    program.write_text("#!/bin/sh\ncase $* in *validate*) exit 0;; esac\nexec sleep 60\n")
    program.chmod(0o700)
    return program


@pytest.mark.timeout(120)
async def test_callers_are_told_to_come_again_and_not_that_their_pages_are_damaged(folder):
    settings = Settings(
        _env_file=None,
        data_dir=folder / "data",
        engine="null",
        engine_workers=1,
        readers=1,
        office_readers=1,
        tesseract_workers=0,
        grpc_port=0,
        metrics_port=0,
        http_port=0,
        auth_enabled=False,
        batches_in_serve=False,
        envoy_binary=never_ready(folder),
    )
    server = Server(settings)
    starting = asyncio.create_task(server.start())
    answered, ends = asyncio.Event(), set[grpc.StatusCode]()
    request = pb.ExtractRequest(content=text_pdf(10))

    async def call_on() -> None:
        async with channel_to(server) as channel:
            while True:
                try:
                    await OcrServiceStub(channel).Extract(request, wait_for_ready=not answered)
                    answered.set()
                except grpc.aio.AioRpcError as error:
                    if answered.is_set():
                        ends.add(error.code())
                        return
                    await asyncio.sleep(0.05)

    while not server.port and not starting.done():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.02)
    callers = [asyncio.create_task(call_on()) for _ in range(CALLERS)]
    async with asyncio.timeout(60):
        await answered.wait()
        assert not starting.done()
        starting.cancel()
        await asyncio.wait({starting})
        await asyncio.gather(*callers)
    assert ends <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
