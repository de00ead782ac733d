"""Files over REST that break off while they are sent: nobody takes them for whole."""

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import httpx
import pytest

from ocr_grpc.batches.errors import BatchDeleted
from ocr_grpc.batches.results import Download
from ocr_grpc.rpc.batch_results import BatchResults, is_rest
from ocr_grpc.rpc.interceptors.errors import ErrorInterceptor
from ocr_grpc.rpc.interceptors.telemetry import TelemetryInterceptor
from ocr_grpc.v1 import batch_service_pb2 as pb
from ocr_grpc.v1.batch_service_pb2_grpc import (
    BatchServiceServicer,
    BatchServiceStub,
    add_BatchServiceServicer_to_server,
)
from tests.sidecar.calls import reason
from tests.sidecar.envoys import sidecar

PIECES = [b"x" * 1000] * 3


class Cut:
    """Results whose last piece is missing, as their batch was deleted; `left` come before."""

    left = 3

    async def document(self, *_: object) -> Download:
        return Download("a.txt", "text/plain; charset=utf-8", self._pieces())

    async def archive(self, *_: object) -> Download:
        return Download("a.zip", "application/zip", self._pieces())

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        for piece in PIECES[: self.left]:
            yield piece
        raise BatchDeleted


class Servicer(BatchServiceServicer):
    def __init__(self, answers: BatchResults) -> None:
        self._answers = answers

    async def DownloadBatchDocument(self, request, context):  # noqa: N802
        async for response in self._answers.document("ann", request, is_rest(context)):
            yield response

    async def DownloadBatch(self, request, context):  # noqa: N802
        async for response in self._answers.archive("ann", request, is_rest(context)):
            yield response


@asynccontextmanager
async def doors(results: Cut):
    """Yield a client for REST, and a stub behind the same sidecar."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # short: a socket is in it
    server = grpc.aio.server(interceptors=[TelemetryInterceptor(), ErrorInterceptor()])
    add_BatchServiceServicer_to_server(Servicer(BatchResults(results, folder)), server)
    server.add_insecure_port(f"unix:{folder}/server.sock")
    await server.start()
    try:
        async with sidecar(f"{folder}/server.sock") as envoy:
            address = f"127.0.0.1:{envoy.port}"
            async with (
                httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
                grpc.aio.insecure_channel(address) as channel,
            ):
                yield client, BatchServiceStub(channel)
    finally:
        await server.stop(None)
        shutil.rmtree(folder)


async def test_an_archive_that_breaks_off_ends_with_a_broken_connection_and_not_as_a_whole_file():
    async with doors(Cut()) as (client, stub):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/v1/batches/b:download", timeout=30)
        call = stub.DownloadBatch(pb.DownloadBatchRequest(batch_id="b"))
        assert [(await call.read()).content.data for _ in PIECES] == PIECES
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call.read()
        assert error.value.details() == BatchDeleted().message


async def test_a_document_is_whole_before_its_first_byte_leaves():
    async with doors(Cut()) as (client, _):
        answer = await client.get("/v1/batches/b/documents/d:download", timeout=30)
    assert reason(answer) == "BATCH_DELETED"
    assert "content-disposition" not in answer.headers
