"""Bad input gets a status and a stable reason, and costs nobody else anything."""

import asyncio
import io

import grpc
import pypdfium2
import pytest
import pytest_asyncio

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import page_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.support import (
    NO_DOCUMENT,
    TEXT_LAYER_ONLY,
    channel_to,
    collect,
    encoded,
    error_info,
    failed_stream,
    image_pdf,
    picture,
    reason_of,
    refusal,
    running,
    serving,
    text_pdf,
    upload,
    upload_bytes,
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(tmp_path_factory):
    """To one server for most of the tests here: what it refuses leaves it as it was."""
    settings = {"max_inline_bytes": 300_000, "max_pages": 20}
    async with (
        running(tmp_path_factory.mktemp("data"), **settings) as server,
        channel_to(server) as channel,
    ):
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return OcrServiceStub(channel)


def encrypted_pdf() -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption("secret", strength=128))
    canvas.drawString(100, 700, "hidden")
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "options", "code", "reason"),
    [
        (b"", {}, INVALID, "EMPTY_DOCUMENT"),
        (NO_DOCUMENT, {}, INVALID, "UNKNOWN_FORMAT"),
        (b"\x00" * 1000, {}, INVALID, "UNKNOWN_FORMAT"),
        (text_pdf(1)[:200], {}, INVALID, "CORRUPT_DOCUMENT"),
        (encoded(picture())[:20], {}, INVALID, "CORRUPT_DOCUMENT"),
        (encoded(picture())[:500], {}, INVALID, "UNREADABLE_PAGE"),
        (encrypted_pdf(), {}, grpc.StatusCode.FAILED_PRECONDITION, "PASSWORD_REQUIRED"),
        (text_pdf(21, 1), {}, INVALID, "TOO_MANY_PAGES"),
        (b"%PDF-1.7" + b"x" * 300_000, {}, INVALID, "DOCUMENT_TOO_LARGE"),
        (text_pdf(3), {"pages": "4"}, INVALID, "PAGE_OUT_OF_RANGE"),
        (text_pdf(3), {"pages": "one"}, INVALID, "INVALID_PAGES"),
        (text_pdf(3), {"languages": ["tlh"]}, INVALID, "LANGUAGE_NOT_SUPPORTED"),
        (text_pdf(3), {"engine": "other"}, INVALID, "ENGINE_NOT_AVAILABLE"),
        (text_pdf(3), {"prompt": "Free OCR."}, INVALID, "PROMPT_NOT_SUPPORTED"),
        (text_pdf(3), {"dpi": 10_000}, INVALID, "INVALID_OPTION"),
        (text_pdf(3), {"mode": 99}, INVALID, "INVALID_OPTION"),
        (encoded(picture()), {"mode": TEXT_LAYER_ONLY}, INVALID, "MODE_NOT_SUPPORTED"),
        (image_pdf([picture()]), {"mode": TEXT_LAYER_ONLY}, INVALID, "NO_TEXT_LAYER"),
    ],
)
async def test_a_document_that_cannot_be_read_is_refused(stub, content, options, code, reason):
    stream = pb.StreamExtractRequest(content=content, options=options)
    whole = pb.ExtractRequest(content=content, options=options)
    assert await refusal(stub.StreamExtract(stream)) == (code, reason)
    assert await refusal(stub.Extract(whole)) == (code, reason)


async def test_a_refused_stream_ends_in_a_failed_event_and_the_same_status(stub):
    call = stub.StreamExtract(pb.StreamExtractRequest(content=NO_DOCUMENT))
    events, error = await failed_stream(call)
    assert [event.WhichOneof("event") for event in events] == ["failed"]
    assert events[0].sequence == 1
    assert events[0].failed.reason == reason_of(error) == "UNKNOWN_FORMAT"
    assert events[0].failed.status.code == INVALID.value[0]


async def test_over_rest_a_refusal_before_the_first_event_is_the_status_alone(stub):
    call = stub.StreamExtract(
        pb.StreamExtractRequest(content=NO_DOCUMENT),
        metadata=(("x-envoy-original-path", "/v1/ocr:stream"),),
    )
    events, error = await failed_stream(call)
    assert events == []
    assert reason_of(error) == "UNKNOWN_FORMAT"


async def test_a_refusal_says_what_varies_in_its_metadata(stub):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Extract(pb.ExtractRequest(content=text_pdf(3), options={"pages": "7"}))
    info = error_info(refused.value)
    assert info.domain == "ocr_grpc"
    assert info.metadata["page"] == "7"
    assert info.metadata["page_count"] == "3"


async def test_an_upload_without_a_byte_is_refused(stub):
    for requests in ([], list(upload(b"")), [upload_bytes(b""), upload_bytes(b"")]):
        call = stub.UploadExtract(iter(requests))
        assert await refusal(call) == (INVALID, "EMPTY_DOCUMENT")


async def test_options_in_a_later_message_are_refused(stub):
    content = encoded(picture())
    for late in ({"options": {"dpi": 100}}, {"file_name": "a.png"}, {"size_bytes": 5}):
        requests = [*upload(content), pb.UploadExtractRequest(**late)]
        assert await refusal(stub.UploadExtract(iter(requests))) == (INVALID, "OPTIONS_TOO_LATE")


async def test_an_upload_without_options_has_the_defaults(stub):
    events = await collect(stub.UploadExtract(iter([upload_bytes(encoded(picture()))])))
    assert events[-1].finished.pages_ok == 1


@pytest.mark.parametrize("announced", [-1, 1, 10_000_000])
async def test_an_upload_of_another_length_than_announced_is_refused(stub, announced):
    call = stub.UploadExtract(upload(encoded(picture()), size_bytes=announced))
    assert await refusal(call) == (INVALID, "UPLOAD_TRUNCATED")


async def test_a_name_that_is_too_long_is_refused(stub):
    call = stub.UploadExtract(upload(encoded(picture()), file_name="x" * 256))
    assert await refusal(call) == (INVALID, "INVALID_FILE_NAME")


async def test_a_hostile_name_is_only_a_name(stub):
    for name in ("../../etc/passwd", "a\x00b", "scan.docx", "\u202egpj.exe"):
        call = stub.UploadExtract(upload(encoded(picture()), file_name=name))
        assert (await collect(call))[-1].finished.pages_ok == 1


async def test_an_upload_over_the_limit_is_refused_while_it_comes(tmp_path):
    async with serving(tmp_path, max_document_bytes=1_000_000) as stub:
        content = b"%PDF-1.7" + bytes(5_000_000)
        assert await refusal(stub.UploadExtract(upload(content))) == (INVALID, "DOCUMENT_TOO_LARGE")
    assert not list(tmp_path.rglob("document-*"))


async def test_an_upload_that_stalls_is_given_up(tmp_path):
    async def requests():
        yield upload_bytes(b"%PDF-1.7")
        await asyncio.sleep(60)

    async with serving(tmp_path, upload_idle_seconds=0.3) as stub:
        assert await refusal(stub.UploadExtract(requests())) == (INVALID, "UPLOAD_STALLED")


async def test_a_caller_that_stops_in_mid_upload_leaves_nothing_behind(tmp_path):
    arrived = asyncio.Event()

    async def requests():
        yield upload_bytes(encoded(picture())[:500])
        arrived.set()
        await asyncio.sleep(60)

    async with running(tmp_path) as server:
        async with channel_to(server) as channel:
            call = OcrServiceStub(channel).UploadExtract(requests())
            reading = asyncio.create_task(collect(call))
            await arrived.wait()
            await asyncio.sleep(0.2)
            assert list(tmp_path.rglob("document-*"))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        await asyncio.sleep(0.5)
        assert not list(tmp_path.rglob("document-*"))


async def test_one_bad_page_never_fails_the_rest(stub):
    document = pypdfium2.PdfDocument(text_pdf(2, 2))
    document.new_page(200, 200)
    buffer = io.BytesIO()
    document.save(buffer)
    # The picture of a page without text cannot be taken as text; the other two can.
    mixed = pypdfium2.PdfDocument(buffer.getvalue())
    mixed.import_pages(pypdfium2.PdfDocument(image_pdf([picture()])))
    buffer = io.BytesIO()
    mixed.save(buffer)
    request = pb.StreamExtractRequest(content=buffer.getvalue(), options={"mode": TEXT_LAYER_ONLY})
    events = await collect(stub.StreamExtract(request))
    outcomes = {
        event.page_finished.page_number: event.page_finished
        for event in events
        if event.HasField("page_finished")
    }
    assert {number: page.outcome for number, page in outcomes.items()} == {
        1: page_pb2.PAGE_OUTCOME_OK,
        2: page_pb2.PAGE_OUTCOME_OK,
        3: page_pb2.PAGE_OUTCOME_OK,  # blank, and read as such
        4: page_pb2.PAGE_OUTCOME_FAILED,
    }
    assert outcomes[4].reason == "NO_TEXT_LAYER"
    assert outcomes[4].usage.pages == 0
    assert events[-1].finished.pages_failed == 1
    assert events[-1].finished.usage.pages == 3


async def test_too_many_extractions_of_one_caller_are_told_to_come_again(tmp_path):
    async with (
        running(tmp_path, engine="hang", max_extractions_per_caller=2) as server,
        channel_to(server) as channel,
        channel_to(server) as other,
    ):
        stub = OcrServiceStub(channel)
        request = pb.StreamExtractRequest(content=encoded(picture(first_pixel=0)))
        hanging = [stub.StreamExtract(request) for _ in range(2)]
        for call in hanging:
            await call.read()
        code, reason = await refusal(stub.StreamExtract(request))
        assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
        hanging.append(OcrServiceStub(other).StreamExtract(request))
        assert (await hanging[-1].read()).HasField("started")
        for call in hanging:
            call.cancel()


@pytest.mark.parametrize("method", ["Extract", "StreamExtract", "UploadExtract"])
async def test_bytes_that_are_no_message_are_refused(channel, method):
    path = f"/ocr_grpc.v1.OcrService/{method}"
    if method == "UploadExtract":
        call = channel.stream_stream(path)(iter([b"\xff\xff"]))
    elif method == "StreamExtract":
        call = channel.unary_stream(path)(b"\xff\xff")
    else:
        call = channel.unary_unary(path)(b"\xff\xff")
    assert await refusal(call) == (INVALID, "MALFORMED_REQUEST")


async def test_empty_messages_do_not_keep_an_upload_alive(tmp_path):
    async def requests():
        while True:
            yield upload_bytes(b"")
            await asyncio.sleep(0.05)

    async with serving(tmp_path, upload_idle_seconds=0.5) as stub:
        assert await refusal(stub.UploadExtract(requests())) == (INVALID, "UPLOAD_STALLED")


async def test_an_upload_announced_too_large_is_refused_at_once(tmp_path):
    async with serving(tmp_path, max_document_bytes=1_000_000) as stub:
        requests = [pb.UploadExtractRequest(size_bytes=2_000_000)]
        call = stub.UploadExtract(iter(requests))
        assert await refusal(call) == (INVALID, "DOCUMENT_TOO_LARGE")


async def test_documents_inside_messages_share_a_bound_on_memory(tmp_path):
    content = encoded(picture(first_pixel=0))
    settings = {"engine": "hang", "engine_workers": 2}
    settings |= {"max_inline_total_bytes": len(content) + 2000}
    async with running(tmp_path, **settings) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        hanging = stub.StreamExtract(pb.StreamExtractRequest(content=content))
        await hanging.read()
        call = stub.Extract(pb.ExtractRequest(content=content))
        assert await refusal(call) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "MEMORY_FULL")
        uploaded = stub.UploadExtract(upload(encoded(picture())))
        assert (await collect(uploaded))[-1].finished.pages_ok == 1
        hanging.cancel()
