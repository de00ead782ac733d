"""Pictures of the pages, in the stream that brings their text."""

import io

import pytest
import pytest_asyncio
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.support import (
    AUTO,
    FORCE_OCR,
    collect,
    encoded,
    image_pdf,
    kinds,
    picture,
    refusal,
    serving,
    text_pdf,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub(tmp_path_factory):
    async with serving(tmp_path_factory.mktemp("data")) as stub:
        yield stub


async def events_of(stub, content: bytes, side_px: int, **options):
    asked = {"page_image_side_px": side_px, **options}
    request = pb.StreamExtractRequest(content=content, options=asked)
    return await collect(stub.StreamExtract(request))


def images(events) -> dict[int, Image.Image]:
    return {
        event.page_image.page_number: Image.open(io.BytesIO(event.page_image.content))
        for event in events
        if event.HasField("page_image")
    }


@pytest.mark.parametrize("mode", [AUTO, FORCE_OCR])
async def test_every_page_comes_with_its_picture_before_its_text(stub, mode):
    events = await events_of(stub, text_pdf(3), 300, mode=mode)
    for number in (1, 2, 3):
        own = [
            event
            for event in events
            if number in (event.page_started.page_number, event.page_image.page_number)
            or number in (event.delta.page_number, event.page_finished.page_number)
        ]
        assert kinds(own)[:3] == ["page_started", "page_image", "delta"]
        started, told = own[0].page_started, own[1].page_image
        image = images(events)[number]
        assert (told.content_type, image.format) == ("image/jpeg", "JPEG")
        assert image.size == (told.width_px, told.height_px)
        assert max(image.size) <= 300
        assert 0.98 < (image.width / image.height) / (started.width_px / started.height_px) < 1.02
        assert image.convert("L").getextrema()[0] < 100  # there is ink on it


async def test_a_scan_looks_as_it_does_and_is_never_enlarged(stub):
    scan = Image.new("RGB", (200, 100), (250, 20, 20))
    scan.paste((20, 20, 250), (100, 0, 200, 100))
    found = images(await events_of(stub, encoded(scan), 1_000))[1]
    assert found.size == (200, 100)
    left, right = found.getpixel((20, 50)), found.getpixel((180, 50))
    assert left[0] > 200 > 100 > left[2]
    assert right[2] > 200 > 100 > right[0]


async def test_an_enormous_page_is_thinned_out_first(stub):
    events = await events_of(stub, image_pdf([picture(size=(6_000, 4_000))]), 100, mode=FORCE_OCR)
    assert max(images(events)[1].size) <= 100


async def test_a_huge_page_is_drawn_no_larger_than_it_is_wanted(stub):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(14_000, 7_000))
    canvas.setFont("Helvetica", 400)
    canvas.drawString(1_000, 3_000, "A line on a huge page")
    canvas.save()
    found = images(await events_of(stub, buffer.getvalue(), 64))[1]
    # Drawn by the dot per inch, so that it is a little smaller than asked for, or as large.
    assert 32 <= max(found.size) <= 64


async def test_nothing_comes_unasked_or_where_nothing_can_be_drawn(stub):
    assert not images(await events_of(stub, text_pdf(1), 0))
    assert not images(await events_of(stub, b"# A heading\n\nand words\n", 300))


@pytest.mark.parametrize("side_px", [-1, 63, 2_049])
async def test_sizes_that_cannot_be_are_refused(stub, side_px):
    call = stub.StreamExtract(
        pb.StreamExtractRequest(content=text_pdf(1), options={"page_image_side_px": side_px})
    )
    assert (await refusal(call))[1] == "INVALID_OPTION"


@pytest.mark.parametrize("request_kind", [pb.ExtractRequest, pb.InspectRequest])
async def test_calls_that_do_not_stream_refuse_pictures(stub, request_kind):
    request = request_kind(content=text_pdf(1), options={"page_image_side_px": 300})
    call = stub.Extract if request_kind is pb.ExtractRequest else stub.Inspect
    assert (await refusal(call(request)))[1] == "INVALID_OPTION"
