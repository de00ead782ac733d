"""Documents on their way to the service: refused, cut off, late, sent again."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from fake import FakeService, broken, refusal, serving, started

from ocr_grpc_client import OcrClient, OcrError
from ocr_grpc_client.messages import (
    ExtractionFailed,
    ExtractionFinished,
    Status,
    UploadExtractResponse,
)

pytestmark = pytest.mark.usefixtures("hastily")

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
MUCH = bytes(20_000_000)  # more than gRPC takes before the other side reads


def finished(sequence: int) -> UploadExtractResponse:
    return UploadExtractResponse(sequence=sequence, finished=ExtractionFinished(pages_ok=1))


def failed(code: grpc.StatusCode) -> UploadExtractResponse:
    status = Status(code=code.value[0], message="Not now.")
    return UploadExtractResponse(sequence=1, failed=ExtractionFailed(status=status))


async def sequences(service: FakeService, source: object = b"abc", **arguments) -> list[int]:
    async with serving(service) as address, OcrClient(address, resume_seconds=5) as client:
        return [event.sequence async for event in client.extract(source, **arguments)]


@pytest.mark.parametrize(
    ("code", "reason"), [(EXHAUSTED, "TOO_MANY_STREAMS"), (UNAVAILABLE, "SHUTTING_DOWN")]
)
async def test_a_refusal_that_comes_as_an_event_first_is_tried_again(code, reason: str):
    refused = [failed(code), refusal(code, reason, retry_seconds=0)]
    service = FakeService(refused, refused, [started(), finished(2)])
    assert await sequences(service) == [1, 2]
    assert service.calls == ["upload"] * 3


async def test_a_refusal_does_not_hide_how_a_later_attempt_ends():
    service = FakeService(
        [failed(EXHAUSTED), refusal(EXHAUSTED, "QUEUE_FULL", retry_seconds=0)],
        [started(), broken(UNAVAILABLE)],
        [finished(2)],
    )
    assert await sequences(service) == [1, 2]
    assert service.calls == ["upload", "upload", "resume"]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED"])
async def test_a_connection_that_breaks_before_the_beginning_is_tried_again(code: str):
    service = FakeService([broken(grpc.StatusCode[code])], [started(), finished(2)])
    assert await sequences(service) == [1, 2]


async def test_an_upload_that_ends_well_with_nothing_is_tried_again():
    assert await sequences(FakeService([], [started(), finished(2)])) == [1, 2]


async def test_a_long_wait_is_an_error_whatever_its_code():
    service = FakeService([refusal(UNAVAILABLE, "ENGINE_UNAVAILABLE", retry_seconds=21)])
    with pytest.raises(OcrError) as refused:
        await sequences(service)
    assert refused.value.retry_delay_seconds == 21


@pytest.mark.parametrize("repeatable", [True, False])
async def test_grpc_does_not_send_uploads_again_beside_us(repeatable: bool):
    """Small ones it could: five times for each of our five."""
    code, trailing = refusal(EXHAUSTED, "QUEUE_FULL", retry_seconds=0)
    soon = (*trailing[:1], ("grpc-retry-pushback-ms", "0"))
    service = FakeService(*[[(code, soon)]] * 25)
    with pytest.raises(OcrError):
        await sequences(service, b"abc" if repeatable else iter([b"abc"]))
    assert service.calls == ["upload"] * (5 if repeatable else 1)


@pytest.mark.parametrize("times", range(10))
async def test_a_refusal_in_the_middle_of_an_upload_keeps_its_reason(times: int):
    service = FakeService([refusal(grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID")], reads=False)
    with pytest.raises(OcrError) as refused:
        await sequences(service, MUCH)
    assert refused.value.reason == "KEY_INVALID"


async def test_a_deadline_in_the_middle_of_an_upload_is_told_as_one():
    service = FakeService([asyncio.Event()], reads=False)
    with pytest.raises(OcrError) as late:
        await sequences(service, MUCH, timeout=0.2)
    assert late.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_source_may_fail_as_a_call_does():
    """A document that comes from another gRPC service, which breaks."""

    async def source() -> AsyncIterator[bytes]:
        yield b"%PDF"
        metadata = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.DATA_LOSS, metadata, metadata, "gone")

    with pytest.raises(grpc.aio.AioRpcError, match="gone"):
        await sequences(FakeService([started(), finished(2)]), source())


@pytest.mark.parametrize("source", ["none", "waiting"])
async def test_calls_under_way_end_when_their_client_is_closed(source: str):
    service = FakeService([started(), asyncio.Event()], reads=False)

    async def waiting() -> AsyncIterator[bytes]:
        yield b"%PDF"
        await asyncio.Event().wait()

    async with serving(service) as address:
        client = OcrClient(address)
        events = client.extract(b"abc" if source == "none" else waiting())
        assert (await anext(events)).started
        reading = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(RuntimeError, match="closed"):
            await reading
