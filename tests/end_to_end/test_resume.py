"""Streams that were broken go on where they stopped: here, at another server, after a kill."""

import asyncio
import signal
from collections.abc import AsyncIterator

import grpc
import pytest

from ocr_grpc.rpc.whole_document import WholeDocument
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import usage_service_pb2 as usage_pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from ocr_grpc.v1.usage_service_pb2_grpc import UsageServiceStub
from tests.people import House, Metadata, house
from tests.processes import serve
from tests.support import (
    FORCE_OCR,
    TEXT_LAYER_ONLY,
    channel_to,
    collect,
    encoded,
    failed_stream,
    image_pdf,
    kinds,
    picture,
    reason_of,
    refusal,
    running,
    upload,
)

SECRET = "a secret that all servers of an installation have"
HANGS = picture(first_pixel=0)
FRAMES = [picture(), HANGS, picture()]
DOCUMENT = encoded(picture(), "TIFF", save_all=True, append_images=FRAMES)
"""Four pages; the engine `hang` ends after a line of the third, `null` reads them all."""

LIMITS = {"pages_per_month": 4, "concurrent_streams": 1}
"""As few as one document needs: a part that goes on must not want more."""

NULL_TEXT = "null line 1\nnull line 2\nnull line 3\nnull line 4"


async def until_it_hangs(call, page_number: int = 3) -> list:
    """Return the events up to the first text of the page that hangs."""
    events = []
    async with asyncio.timeout(60):
        async for event in call:
            events.append(event)
            if event.HasField("delta") and event.delta.page_number == page_number:
                return events
    raise AssertionError("The page came to its end.")


def resume(stub: OcrServiceStub, events: list, metadata: Metadata | None = None):
    """Go on after events that came."""
    request = pb.ResumeExtractRequest(
        extraction_id=events[0].started.extraction_id, after_sequence=events[-1].sequence
    )
    return stub.ResumeExtract(request, metadata=metadata)


def assembled(events: list) -> pb.ExtractResponse:
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    whole = WholeDocument()
    for event in events:
        whole.add(event)
    return whole.response()


@pytest.fixture
async def homes(tmp_path, production) -> AsyncIterator[tuple[House, House]]:
    """Two servers on one database and one folder of documents; the first one hangs."""
    values = production.settings | {"secret_key": SECRET, "blob_url": f"file://{tmp_path}/blobs"}
    (tmp_path / "blobs").mkdir()
    async with (
        house(tmp_path / "first", engine="hang", **values) as first,
        house(tmp_path / "second", engine="null", **values) as second,
    ):
        yield first, second


async def test_a_stream_goes_on_anywhere_and_each_page_is_charged_once(homes):
    first, second = homes
    _, user = await first.create_user("ann", limits=LIMITS)
    _, other = await first.create_user("bob")
    request = pb.StreamExtractRequest(content=DOCUMENT, resumable=True)
    call = first.ocr.StreamExtract(request, metadata=user)
    events = await until_it_hangs(call)
    call.cancel()  # the connection broke

    call = resume(first.ocr, events, user)
    again = await until_it_hangs(call)
    # The page that was under way begins anew, without the line that was sent.
    anew = [event for event in again if 3 in (event.retract.page_number, event.delta.page_number)]
    assert kinds(anew) == ["retract", "delta"]
    assert anew[0].retract.offset == 0
    events += again

    # Nobody noticed that this connection is broken too, and the caller goes on elsewhere.
    left_behind = asyncio.create_task(failed_stream(call))
    assert await refusal(resume(second.ocr, events, other)) == (
        grpc.StatusCode.NOT_FOUND,
        "EXTRACTION_NOT_FOUND",
    )
    seen = len(events)
    events += await collect(resume(second.ocr, events, user))
    async with asyncio.timeout(60):
        unseen, cut_off = await left_behind
    assert unseen == events[seen : seen + len(unseen)]
    assert cut_off.code() is grpc.StatusCode.ABORTED
    assert reason_of(cut_off) == "EXTRACTION_RESUMED"

    whole = assembled(events)
    assert kinds(events).count("started") == kinds(events).count("finished") == 1
    assert sorted(page.text for page in whole.pages) == [NULL_TEXT] * 4
    assert all("\n".join(line.text for line in page.lines) == page.text for page in whole.pages)
    finished = events[-1].finished
    assert (finished.pages_ok, finished.usage.pages) == (4, 4)
    assert finished.usage.input_bytes == len(DOCUMENT)
    left = await second.usage.GetUsageSummary(usage_pb.GetUsageSummaryRequest(), metadata=user)
    assert (left.quota.used_pages, left.quota.reserved_pages) == (4, 0)
    rows = await second.usage.ListUsage(usage_pb.ListUsageRequest(), metadata=user)
    parts = [row for row in rows.records if row.extraction_id == whole.extraction_id]
    assert sum(row.usage.pages for row in parts) == 4
    assert [row.status for row in reversed(parts)] == ["CANCELLED", "ABORTED", "OK"]

    # It has ended, and can be had again from any event on.
    for stub in (first.ocr, second.ocr):
        assert await collect(resume(stub, events[:7], user)) == [same(each) for each in events[7:]]
    beyond = pb.ResumeExtractRequest(
        extraction_id=whole.extraction_id, after_sequence=len(events) + 1
    )
    assert await refusal(first.ocr.ResumeExtract(beyond, metadata=user)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "SEQUENCE_OUT_OF_RANGE",
    )


def same(event) -> pb.ResumeExtractResponse:
    return pb.ResumeExtractResponse.FromString(event.SerializeToString())


async def test_a_server_that_was_killed_goes_on_after_its_restart(tmp_path):
    with serve(tmp_path, ENGINE="hang", SECRET_KEY=SECRET) as (process, address):
        async with grpc.aio.insecure_channel(address) as channel:
            stub = OcrServiceStub(channel)
            options = {"mode": FORCE_OCR, "pages": "2-"}
            call = stub.UploadExtract(upload(DOCUMENT, resumable=True, options=options))
            events = await until_it_hangs(call)
            process.send_signal(signal.SIGKILL)
            _, error = await failed_stream(call)
            assert error.code() is grpc.StatusCode.UNAVAILABLE
    # Of another server, or of the same one when it is back; its lock on the database went with it.
    settings = {"secret_key": SECRET}
    async with running(tmp_path / "data", **settings) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        events += await collect(resume(stub, events))
        whole = assembled(events)
        assert [page.page_number for page in whole.pages] == [2, 3, 4]
        assert {page.text for page in whole.pages} == {NULL_TEXT}
        assert events[-1].finished.pages_ok == 3
        usage = UsageServiceStub(channel)
        summary = await usage.GetUsageSummary(usage_pb.GetUsageSummaryRequest())
        assert summary.total.usage.pages == 3
        await kept_streams_are_like_others(stub)
        await failures_are_kept_too(stub)


async def kept_streams_are_like_others(stub: OcrServiceStub) -> None:
    content = encoded(picture(), "TIFF", save_all=True, append_images=[picture()])
    plain = await collect(stub.StreamExtract(pb.StreamExtractRequest(content=content)))
    kept = await collect(stub.UploadExtract(upload(content, resumable=True)))
    assert sorted(kinds(plain)) == sorted(kinds(kept))
    assert assembled(plain).text == assembled(kept).text
    assert await collect(resume(stub, kept)) == []
    # Of others nothing is kept.
    unkept = (grpc.StatusCode.NOT_FOUND, "EXTRACTION_NOT_FOUND")
    assert await refusal(resume(stub, plain)) == unkept


async def failures_are_kept_too(stub: OcrServiceStub) -> None:
    request = pb.StreamExtractRequest(
        content=image_pdf([picture()]), options={"mode": TEXT_LAYER_ONLY}, resumable=True
    )
    events, error = await failed_stream(stub.StreamExtract(request))
    assert kinds(events)[-1] == "failed"
    again, same_error = await failed_stream(resume(stub, events[:1]))
    assert again == [same(event) for event in events[1:]]
    assert (same_error.code(), reason_of(same_error)) == (error.code(), reason_of(error))
    # But a document that is refused is over with that.
    request = pb.StreamExtractRequest(content=b"%PDF-1.7 broken", resumable=True)
    events, error = await failed_stream(stub.StreamExtract(request))
    assert kinds(events) == ["failed"]
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
