"""What is done about streams that break, against a service that breaks them on purpose."""

import time

import grpc
import pytest
from fake import FakeService, broken, refusal, serving, started, text

from ocr_grpc_client import OcrClient, OcrError
from ocr_grpc_client.messages import (
    ExtractionFailed,
    ExtractionFinished,
    GetMeRequest,
    GetMeResponse,
    Status,
    UploadExtractResponse,
    User,
)

pytestmark = pytest.mark.usefixtures("hastily")

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def finished(sequence: int) -> UploadExtractResponse:
    return UploadExtractResponse(sequence=sequence, finished=ExtractionFinished(pages_ok=1))


async def sequences(service: FakeService, source: object = b"abc", **arguments) -> list[int]:
    async with serving(service) as address, OcrClient(address, resume_seconds=5) as client:
        return [event.sequence async for event in client.extract(source, **arguments)]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED"])
async def test_a_broken_stream_goes_on_after_the_last_event(code: str):
    service = FakeService(
        [started(), text(2), broken(grpc.StatusCode[code])],
        [broken(grpc.StatusCode[code])] if code != "UNAVAILABLE" else [text(3)],
        [text(3), finished(4)],
    )
    if code == "UNAVAILABLE":
        service = FakeService([started(), text(2), broken(UNAVAILABLE)], [text(3), finished(4)])
    assert await sequences(service) == [1, 2, 3, 4]
    assert {request.after_sequence for request in service.resumes} == {2}
    assert {request.extraction_id for request in service.resumes} == {"the-extraction"}


async def test_a_server_that_shuts_down_is_a_broken_stream():
    service = FakeService(
        [started(), refusal(UNAVAILABLE, "SHUTTING_DOWN")], [text(2), finished(3)]
    )
    assert await sequences(service) == [1, 2, 3]


async def test_a_stream_that_ends_well_without_its_last_event_goes_on():
    assert await sequences(FakeService([started()], [text(2), finished(3)])) == [1, 2, 3]


async def test_an_event_that_comes_twice_is_given_once():
    service = FakeService(
        [started(), text(2), broken(UNAVAILABLE)], [text(2), text(3), finished(4)]
    )
    assert await sequences(service) == [1, 2, 3, 4]


async def test_a_resumption_that_is_to_wait_waits():
    service = FakeService(
        [started(), broken(UNAVAILABLE)],
        [refusal(EXHAUSTED, "TOO_MANY_STREAMS", retry_seconds=0.3)],
        [finished(2)],
    )
    began = time.monotonic()
    assert await sequences(service) == [1, 2]
    assert time.monotonic() - began >= 0.3


async def test_a_refusal_in_the_middle_is_raised():
    service = FakeService(
        [started(), text(2), refusal(grpc.StatusCode.ABORTED, "EXTRACTION_RESUMED")]
    )
    with pytest.raises(OcrError) as aborted:
        await sequences(service)
    assert aborted.value.reason == "EXTRACTION_RESUMED"
    assert service.calls == ["upload"]


async def test_what_is_not_resumable_breaks():
    service = FakeService([started(), broken(UNAVAILABLE)])
    with pytest.raises(OcrError):
        await sequences(service, resumable=False)
    assert service.calls == ["upload"]
    assert not service.uploads[0][0].resumable


async def test_patience_ends():
    service = FakeService([started(), broken(UNAVAILABLE)])
    async with serving(service) as address:
        client = OcrClient(address, resume_seconds=0.1)
        events = client.extract(b"abc")
        assert (await anext(events)).sequence == 1
    async with client:
        with pytest.raises(OcrError) as gone:  # nobody listens there any more
            await anext(events)
    assert gone.value.code is UNAVAILABLE


async def test_an_upload_that_did_not_begin_is_sent_again_whole():
    service = FakeService(
        [broken(UNAVAILABLE)],
        [refusal(EXHAUSTED, "TOO_MANY_STREAMS", retry_seconds=0)],
        [started(), finished(2)],
    )
    assert await sequences(service) == [1, 2]
    contents = [
        b"".join(request.content.data for request in upload if request.content)
        for upload in service.uploads
    ]
    assert contents == [b"abc"] * 3
    assert len({upload[0].request_id for upload in service.uploads} - {""}) == 1
    assert service.uploads[0][0].size_bytes == 3


async def test_a_stream_that_is_spent_is_not_sent_again():
    service = FakeService([broken(UNAVAILABLE)])
    with pytest.raises(OcrError):
        await sequences(service, iter([b"abc"]))
    assert service.calls == ["upload"]


@pytest.mark.parametrize("retry_seconds", [None, 21])
async def test_a_long_wait_or_none_is_an_error_at_once(retry_seconds: int | None):
    service = FakeService([refusal(EXHAUSTED, "QUOTA_EXCEEDED", retry_seconds)])
    with pytest.raises(OcrError) as refused:
        await sequences(service)
    assert refused.value.retry_delay_seconds == retry_seconds
    assert service.calls == ["upload"]


async def test_attempts_end_with_the_policy():
    service = FakeService(*[[broken(UNAVAILABLE)]] * 5)
    with pytest.raises(OcrError):
        await sequences(service)
    assert service.calls == ["upload"] * 5


async def test_a_failure_is_told_even_if_its_status_is_lost():
    failed = ExtractionFailed(
        status=Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0], message="Broken.")
    )
    service = FakeService(
        [started(), UploadExtractResponse(sequence=2, failed=failed), broken(UNAVAILABLE)]
    )
    with pytest.raises(OcrError, match="Broken") as told:
        await sequences(service)
    assert told.value.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_status_that_is_lost_after_finished_does_not_matter():
    assert await sequences(FakeService([started(), finished(2), broken(UNAVAILABLE)])) == [1, 2]


async def test_unary_calls_are_tried_again_by_grpc_when_the_service_says():
    """GetMe may be repeated; the pushback of 100 ms is obeyed by gRPC itself."""
    code, trailing = refusal(EXHAUSTED, "RATE_LIMITED", retry_seconds=0)
    later = (*trailing[:1], ("grpc-retry-pushback-ms", "100"))
    answer = GetMeResponse(user=User(user_name="ann"))
    service = FakeService([(code, later)], [(code, later)], [answer])
    async with serving(service) as address, OcrClient(address) as client:
        assert (await client.auth.get_me(GetMeRequest())).user.user_name == "ann"
    assert service.calls == ["get_me"] * 3


async def test_unary_calls_are_not_tried_again_when_the_service_says_no():
    service = FakeService([refusal(EXHAUSTED, "RATE_LIMITED", retry_seconds=50)])
    async with serving(service) as address, OcrClient(address) as client:
        with pytest.raises(OcrError) as refused:
            await client.auth.get_me(GetMeRequest())
    assert refused.value.retry_delay_seconds == 50
    assert service.calls == ["get_me"]


async def test_a_call_refused_for_its_token_is_made_again_with_a_new_one():
    service = FakeService(
        [refusal(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")],
        [GetMeResponse(user=User(user_name="ann"))],
    )
    async with serving(service) as address, OcrClient(address) as client:
        client.caller.credentials = renewing = Renewing()
        assert (await client.auth.get_me(GetMeRequest())).user.user_name == "ann"
    assert renewing.renewed == 1


class Renewing:
    """Credentials that count how often they were renewed."""

    renewed = 0

    async def metadata(self):
        return (("authorization", f"Bearer {self.renewed}"),)

    async def renew(self, refused: object) -> bool:
        self.renewed += 1
        return True
