"""Sends a case to a server, the way that it says."""

import time
from collections.abc import Iterator

import grpc.aio

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.fuzz.cases import Case
from tests.fuzz.verdict import LONGEST_SECONDS, Ended, events_end_well, failed, pages_end_well

PIECE_BYTES = 256 * 1024
GRACE_SECONDS = 15
"""How long after its time a call is still waited for, to tell late from never."""


async def send(stub: OcrServiceStub, case: Case) -> Ended:
    """Return how the call ended."""
    ended, began = Ended(), time.monotonic()
    try:
        await _SENDERS[case.method](stub, case, ended)
    except grpc.aio.AioRpcError as error:
        failed(error, ended)
    ended.seconds = time.monotonic() - began
    return ended


async def _stream(stub: OcrServiceStub, case: Case, ended: Ended) -> None:
    request = pb.StreamExtractRequest(
        content=case.content, file_name=case.file_name, options=case.options
    )
    await _followed(stub.StreamExtract(request, timeout=LONGEST_SECONDS + GRACE_SECONDS), ended)


async def _upload(stub: OcrServiceStub, case: Case, ended: Ended) -> None:
    def requests() -> Iterator[pb.UploadExtractRequest]:
        yield pb.UploadExtractRequest(file_name=case.file_name, options=case.options)
        for start in range(0, len(case.content), PIECE_BYTES):
            data = case.content[start : start + PIECE_BYTES]
            yield pb.UploadExtractRequest(content={"data": data})

    call = stub.UploadExtract(requests(), timeout=LONGEST_SECONDS + GRACE_SECONDS)
    await _followed(call, ended)


async def _followed(call, ended: Ended) -> None:
    events, error = [], None
    try:
        async for event in call:
            events.append(event)  # noqa: PERF401 - those before a failure must be kept
    except grpc.aio.AioRpcError as broken:
        error = broken
        failed(broken, ended)
    # A stream that broke off without details says nothing that could be held to the rules.
    if error is None or ended.reason:
        events_end_well(events, ended)


async def _extract(stub: OcrServiceStub, case: Case, ended: Ended) -> None:
    request = pb.ExtractRequest(
        content=case.content, file_name=case.file_name, options=case.options
    )
    answer = await stub.Extract(request, timeout=LONGEST_SECONDS + GRACE_SECONDS)
    pages_end_well(iter(answer.pages), ended)


async def _inspect(stub: OcrServiceStub, case: Case, ended: Ended) -> None:
    request = pb.InspectRequest(
        content=case.content, file_name=case.file_name, options=case.options
    )
    answer = await stub.Inspect(request, timeout=LONGEST_SECONDS + GRACE_SECONDS)
    for page in answer.pages:
        if page.reason:
            ended.pages[page.reason] += 1


_SENDERS = {"stream": _stream, "upload": _upload, "extract": _extract, "inspect": _inspect}
