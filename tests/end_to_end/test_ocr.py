"""The real engine behind the real service: known text goes in as pixels and comes out as text."""

import asyncio
import time

import grpc.aio
import psutil
import pytest

from benchmarks.pages import image_pdf, pages
from benchmarks.score import character_error
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import page_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.processes import serve
from tests.support import FORCE_OCR, collect, kinds, text_of

pytestmark = pytest.mark.engine

PAGES = {page.name: page for page in pages()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Run a server with one worker of the real engine; yield its process and address."""
    folder = tmp_path_factory.mktemp("ocr")
    with serve(folder, ENGINE="ppocr", ENGINE_WORKERS="1") as (process, address):
        yield psutil.Process(process.pid), address


@pytest.fixture
async def stub(server):
    async with grpc.aio.insecure_channel(server[1]) as channel:
        yield OcrServiceStub(channel)


def request(name: str, dpi: int = 150, **options) -> pb.StreamExtractRequest:
    return pb.StreamExtractRequest(content=image_pdf(PAGES[name], dpi), options=options)


@pytest.mark.parametrize(
    ("name", "dpi"),
    [
        ("one-size-6pt", 150),
        ("columns-2-de-9pt", 200),
        ("prose-fr-11pt", 150),
        ("table-open-9pt", 150),
        ("mixed-sizes", 150),
        ("scroll", 150),
    ],
)
async def test_a_scanned_page_is_read_with_hardly_an_error(stub, name, dpi):
    events = await collect(stub.StreamExtract(request(name, dpi)))
    assert character_error(PAGES[name].text, text_of(events)) <= 0.005
    finished = events[-2].page_finished
    assert finished.provenance.source == page_pb2.TEXT_SOURCE_IMAGE
    assert finished.provenance.engine == "ppocr"
    assert finished.provenance.dpi == pytest.approx(dpi, abs=1)


async def test_lines_stream_while_the_page_is_still_being_read(stub):
    events = await collect(stub.StreamExtract(request("dense")))
    order = kinds(events)
    assert order[:2] == ["started", "page_started"]
    assert order[-2:] == ["page_finished", "finished"]
    assert set(order[2:-2]) == {"delta"}
    # Many small deltas, the first of few lines: not a whole page that is cut up at its end.
    assert len(order) > 10
    assert len(events[2].delta.lines) <= 4
    assert text_of(events) == events[-2].page_finished.text


async def test_lines_say_where_they_stand_and_how_sure_they_are(stub):
    events = await collect(stub.StreamExtract(request("letter-en")))
    page = events[1].page_started
    lines = [line for event in events for line in event.delta.lines]
    assert len(lines) > 10
    for line in lines:
        assert len(line.polygon) == 4
        assert 0.5 <= line.confidence <= 1
        for point in line.polygon:
            assert -5 <= point.x <= page.width_px + 5
            assert -5 <= point.y <= page.height_px + 5
        top_left, top_right, bottom_right, _ = line.polygon
        assert top_left.x < top_right.x
        assert top_right.y < bottom_right.y


async def test_cancelling_stops_the_engine_within_a_second(server, stub):
    process, _ = server
    call = stub.StreamExtract(request("dense", 200, mode=FORCE_OCR))
    while not (await call.read()).HasField("delta"):
        pass
    call.cancel()
    await asyncio.sleep(1)
    workers = [child for child in process.children() if "engines.worker" in str(child.cmdline())]
    before = [worker.cpu_times().user for worker in workers]
    await asyncio.sleep(0.5)
    assert [worker.cpu_times().user for worker in workers] == pytest.approx(before, abs=0.06)


async def test_a_language_is_read_or_refused(stub):
    capabilities = await stub.GetCapabilities(pb.GetCapabilitiesRequest())
    languages = set(capabilities.engines[0].languages)
    assert {"en", "de", "fr", "zh", "ja"} <= languages
    assert not {"ru", "ko", "ar", "th", "hi"} & languages
    events = await collect(stub.StreamExtract(request("prose-fr-11pt", languages=["fr", "en"])))
    assert events[-1].finished.pages_ok == 1


async def test_a_deadline_is_kept_in_the_middle_of_a_page(stub):
    began = time.monotonic()
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await collect(stub.StreamExtract(request("scroll"), timeout=0.5))
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 6
