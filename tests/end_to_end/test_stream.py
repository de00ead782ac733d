"""What a caller sees of a document that is read well."""

import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import page_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from ocr_grpc.v1.user_pb2 import ROLE_ADMIN, ROLE_BUSINESS, ROLE_USER
from tests.support import (
    FORCE_OCR,
    TEXT_LAYER_ONLY,
    channel_to,
    collect,
    encoded,
    image_pdf,
    kinds,
    picture,
    refusal,
    running,
    serving,
    text_of,
    text_pdf,
    upload,
)

NULL_TEXT = "null line 1\nnull line 2\nnull line 3\nnull line 4"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(tmp_path_factory):
    """To one server for all tests that need no settings of their own."""
    async with (
        running(tmp_path_factory.mktemp("data"), readers=2) as server,
        channel_to(server) as channel,
    ):
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return OcrServiceStub(channel)


def stream(stub, content, **options):
    return collect(stub.StreamExtract(pb.StreamExtractRequest(content=content, options=options)))


async def test_events_come_in_order_and_are_numbered_without_gaps(stub):
    events = await stream(stub, encoded(picture()))
    assert kinds(events) == ["started", "page_started", *["delta"] * 4, "page_finished", "finished"]
    assert [event.sequence for event in events] == list(range(1, 9))
    assert text_of(events) == events[-2].page_finished.text == NULL_TEXT
    assert events[0].started.extraction_id
    assert events[1].page_started.width_px == 800


async def test_pieces_may_be_larger_than_whole_documents(tmp_path):
    content = encoded(picture(size=(1_200, 900)), "BMP")
    async with serving(tmp_path, max_inline_bytes=10_000) as stub:
        events = await collect(stub.UploadExtract(upload(content, chunk_bytes=1024 * 1024)))
    assert events[-1].finished.pages_ok == 1


async def test_an_answer_that_would_be_too_large_is_refused_and_a_stream_is_not(tmp_path):
    content = ("A line of a long text.\n" * 900).encode()
    async with serving(tmp_path, max_inline_bytes=30_000) as stub:
        assert len(content) < 30_000
        refused = await refusal(stub.Extract(pb.ExtractRequest(content=content)))
        assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "ANSWER_TOO_LARGE")
        events = await stream(stub, content)
    assert events[-1].finished.pages_ok > 1


async def test_several_pages_are_read_at_once_and_each_keeps_its_order(stub):
    events = await stream(stub, image_pdf([picture() for _ in range(9)]))
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    for page in range(1, 10):
        own = [
            event
            for event in events
            if page in (event.page_started.page_number, event.delta.page_number)
            or event.page_finished.page_number == page
        ]
        assert kinds(own) == ["page_started", *["delta"] * 4, "page_finished"]
        assert text_of(events, page) == NULL_TEXT
    assert events[-1].finished.pages_ok == 9
    assert events[-1].finished.usage.pages == 9


async def test_usage_of_the_pages_adds_up_to_the_usage_of_the_document(stub):
    content = image_pdf([picture() for _ in range(7)])
    events = await stream(stub, content)
    pages = [event.page_finished.usage for event in events if event.HasField("page_finished")]
    total = events[-1].finished.usage
    assert total.input_bytes == sum(page.input_bytes for page in pages) == len(content)
    assert total.completion_chars == sum(page.completion_chars for page in pages) > 0


async def test_a_text_layer_is_used_in_auto_and_says_so(stub):
    events = await stream(stub, text_pdf(1, lines_per_page=3))
    assert text_of(events) == (
        "Page 1, line 0: the quick brown fox.\nPage 1, line 1: the quick brown fox.\n"
        "Page 1, line 2: the quick brown fox."
    )
    provenance = events[-2].page_finished.provenance
    assert provenance.source == page_pb2.TEXT_SOURCE_TEXT_LAYER
    assert provenance.engine == ""


async def test_force_ocr_reads_the_image_of_a_page_with_text(stub):
    events = await stream(stub, text_pdf(1), mode=FORCE_OCR, dpi=100)
    assert text_of(events) == NULL_TEXT
    provenance = events[-2].page_finished.provenance
    assert provenance.source == page_pb2.TEXT_SOURCE_IMAGE
    assert provenance.engine == "null"
    assert provenance.dpi == pytest.approx(100, abs=1)


async def test_auto_says_why_it_did_not_use_the_text_layer(stub):
    events = await stream(stub, image_pdf([picture()]))
    assert events[-2].page_finished.provenance.text_layer_rejected == "none"


async def test_pages_asked_for_are_read_and_no_others(stub):
    events = await stream(stub, text_pdf(9, 2), mode=TEXT_LAYER_ONLY, pages="8-,2,4-5")
    begun = [event.page_started.page_number for event in events if event.HasField("page_started")]
    assert sorted(begun) == [2, 4, 5, 8, 9]
    assert events[0].started.page_count == 5
    assert events[0].started.document_page_count == 9
    assert not events[0].started.HasField("engine")


async def test_extract_returns_the_same_at_once(stub):
    response = await stub.Extract(pb.ExtractRequest(content=image_pdf([picture(), picture()])))
    assert [page.page_number for page in response.pages] == [1, 2]
    assert response.text == f"{NULL_TEXT}\f{NULL_TEXT}"
    first = response.pages[0]
    assert first.outcome == page_pb2.PAGE_OUTCOME_OK
    assert "\n".join(line.text for line in first.lines) == first.text
    assert len(first.lines[0].polygon) == 4
    assert first.width_px > 0
    assert response.usage.pages == 2


async def test_an_upload_in_pieces_gives_the_same_events(stub):
    content = text_pdf(3)
    whole = await stream(stub, content)
    pieces = await collect(stub.UploadExtract(upload(content, 1000, size_bytes=len(content))))
    assert text_of(pieces, 2) == text_of(whole, 2) != ""
    # Events of different pages interleave as they happen, differently each time.
    assert sorted(kinds(pieces)) == sorted(kinds(whole))
    assert kinds(pieces)[-1] == "finished"


async def test_an_engine_that_finds_nothing_gives_an_empty_page(tmp_path):
    async with serving(tmp_path, engine="empty") as stub:
        events = await stream(stub, encoded(picture()))
    assert kinds(events) == ["started", "page_started", "page_finished", "finished"]
    assert events[2].page_finished.outcome == page_pb2.PAGE_OUTCOME_OK
    assert events[2].page_finished.text == ""


async def test_capabilities_tell_what_callers_may_use_and_who_may_be_one(tmp_path):
    own = {"user_pages_per_month": 123, "registration": "invite", "auth_enabled": True}
    async with serving(tmp_path, **own) as stub:
        found = await stub.GetCapabilities(pb.GetCapabilitiesRequest())
    assert [plan.role for plan in found.plans] == [ROLE_USER, ROLE_BUSINESS, ROLE_ADMIN]
    assert found.plans[0].pages_per_month == 123
    assert found.registration == pb.REGISTRATION_INVITE
    assert found.auth_required


async def test_capabilities_tell_engines_formats_and_limits(tmp_path):
    async with serving(tmp_path, max_pages=77) as stub:
        found = await stub.GetCapabilities(pb.GetCapabilitiesRequest())
    assert [engine.name for engine in found.engines] == ["null"]
    assert list(found.engines[0].languages) == ["de", "en", "fr"]
    assert found.limits.max_pages == 77
    assert {"application/pdf", "image/tiff"} <= {
        media_type for each in found.formats for media_type in each.media_types
    }


async def test_a_request_id_comes_back_and_a_forged_one_does_not(stub):
    for sent, kept in (("abc-123", True), ("two words", False)):
        call = stub.GetCapabilities(pb.GetCapabilitiesRequest(), metadata=(("x-request-id", sent),))
        await call
        returned = dict(await call.trailing_metadata())["x-request-id"]
        assert (returned == sent) is kept
        assert returned


async def test_health_is_told_for_each_service(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "ocr_grpc.v1.OcrService"):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await health.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_reflection_describes_the_service(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    ask = reflection_pb2.ServerReflectionRequest
    answers = await collect(
        stub.ServerReflectionInfo(
            iter([ask(list_services=""), ask(file_containing_symbol="ocr_grpc.v1.OcrService")])
        )
    )
    services = {each.name for each in answers[0].list_services_response.service}
    assert {"ocr_grpc.v1.OcrService", "grpc.health.v1.Health"} <= services
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(each)
        for each in answers[1].file_descriptor_response.file_descriptor_proto
    ]
    assert any(service.name == "OcrService" for file in files for service in file.service)


async def test_an_unknown_method_stays_unimplemented(channel):
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await channel.unary_unary("/ocr_grpc.v1.OcrService/Nothing")(b"")
    assert unknown.value.code() is grpc.StatusCode.UNIMPLEMENTED
