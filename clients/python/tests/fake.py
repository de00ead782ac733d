"""A service that does what a test says: breaks off, refuses, sends twice."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from ocr_grpc_client._generated.google.protobuf import Any, Duration
from ocr_grpc_client.messages import (
    ErrorInfo,
    ExtractionStarted,
    ResumeExtractRequest,
    Status,
    TextDelta,
    UploadExtractRequest,
    UploadExtractResponse,
)

Trailing = tuple[tuple[str, str | bytes], ...]
Step = UploadExtractResponse | tuple[grpc.StatusCode, Trailing] | asyncio.Event


def refusal(
    code: grpc.StatusCode, reason: str, retry_seconds: float | None = None
) -> tuple[grpc.StatusCode, Trailing]:
    """Return an end as the service makes one."""
    details = [ErrorInfo(reason=reason, domain="ocr_grpc")]
    found = [Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=bytes(details[0]))]
    if retry_seconds is not None:
        delay = bytes(Duration(int(retry_seconds), int(retry_seconds % 1 * 1e9)))
        # RetryInfo has the delay as its field 1.
        found.append(
            Any(
                type_url="type.googleapis.com/google.rpc.RetryInfo",
                value=b"\x0a" + bytes([len(delay)]) + delay,
            )
        )
    status = Status(code=code.value[0], message="No.", details=found)
    return code, (("grpc-status-details-bin", bytes(status)), ("grpc-retry-pushback-ms", "-1"))


def broken(code: grpc.StatusCode) -> tuple[grpc.StatusCode, Trailing]:
    """Return an end that the service did not make."""
    return code, ()


def started(sequence: int = 1) -> UploadExtractResponse:
    return UploadExtractResponse(
        sequence=sequence, started=ExtractionStarted(extraction_id="the-extraction")
    )


def text(sequence: int) -> UploadExtractResponse:
    return UploadExtractResponse(
        sequence=sequence, delta=TextDelta(page_number=1, revision=1, text=f"<{sequence}>")
    )


class FakeService:
    """Answers each call by the next of its scripts, and keeps what it was asked.

    An `asyncio.Event` in a script is waited for.
    """

    def __init__(self, *scripts: Iterable[Step], reads: bool = True) -> None:
        self._scripts, self._reads = iter(scripts), reads
        self.uploads: list[list[UploadExtractRequest]] = []
        self.resumes: list[ResumeExtractRequest] = []
        self.calls: list[str] = []

    async def upload(self, requests: AsyncIterator[UploadExtractRequest], context):
        self.calls.append("upload")
        if self._reads:
            self.uploads.append([request async for request in requests])
        async for step in self._play(context):
            yield step

    async def resume(self, request: ResumeExtractRequest, context):
        self.calls.append("resume")
        self.resumes.append(request)
        async for step in self._play(context):
            yield step

    async def get_me(self, request: object, context):
        self.calls.append("get_me")
        return await anext(self._play(context))

    async def _play(self, context):
        for step in next(self._scripts):
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, tuple):
                code, trailing = step
                await context.abort(code, "No.", trailing)
            else:
                yield step


@asynccontextmanager
async def serving(service: FakeService) -> AsyncIterator[str]:
    """Run a service on a free port; yield its address."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler(
                "ocr_grpc.v1.OcrService",
                {
                    "UploadExtract": grpc.stream_stream_rpc_method_handler(
                        service.upload, UploadExtractRequest.FromString, bytes
                    ),
                    "ResumeExtract": grpc.unary_stream_rpc_method_handler(
                        service.resume, ResumeExtractRequest.FromString, bytes
                    ),
                },
            ),
            grpc.method_handlers_generic_handler(
                "ocr_grpc.v1.AuthService",
                {"GetMe": grpc.unary_unary_rpc_method_handler(service.get_me, bytes, bytes)},
            ),
        ]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
