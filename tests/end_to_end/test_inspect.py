"""`Inspect`: what a document is and what reading it would cost, without reading it."""

import asyncio

import grpc
import pytest
import pytest_asyncio
from PIL import Image

from ocr_grpc.v1 import document_pb2
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import usage_service_pb2 as usage_pb
from tests.people import house
from tests.support import (
    TEXT_LAYER_ONLY,
    encoded,
    image_pdf,
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


def request(content: bytes, file_name: str = "", **options) -> pb.InspectRequest:
    return pb.InspectRequest(content=content, options=options, file_name=file_name)


async def test_a_pdf_tells_its_pages_and_their_text(stub):
    found = await stub.Inspect(request(text_pdf(3), pages="2-"))
    assert found.kind == document_pb2.DOCUMENT_KIND_PDF
    assert (found.document_page_count, found.cost_pages) == (3, 2)
    assert found.size_bytes == len(text_pdf(3))
    assert [page.page_number for page in found.pages] == [2, 3]
    page = found.pages[0]
    assert (round(page.width_pt), round(page.height_pt)) == (595, 842)
    assert page.text_layer_share == 1
    assert page.dpi == 200
    assert not page.blank


async def test_a_scan_has_no_text_and_a_blank_page_is_blank(stub):
    pages = [picture(), Image.new("L", (800, 200), 255)]
    found = await stub.Inspect(request(image_pdf(pages)))
    assert [page.text_layer_share for page in found.pages] == [0, 0]
    assert [page.blank for page in found.pages] == [False, True]
    assert found.pages[0].text_layer_rejected == "none"


async def test_pages_that_would_fail_cost_nothing(stub):
    found = await stub.Inspect(request(image_pdf([picture()] * 2), mode=TEXT_LAYER_ONLY))
    assert found.cost_pages == 0
    assert {page.reason for page in found.pages} == {"NO_TEXT_LAYER"}


async def test_a_turned_photograph_says_by_how_much(stub):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    photo = encoded(picture(), "JPEG", exif=exif)
    (page,) = (await stub.Inspect(request(photo))).pages
    assert page.rotation_degrees == 90
    assert (page.width_px, page.height_px) == (200, 800)


async def test_written_documents_have_text_and_no_size(stub):
    found = await stub.Inspect(request(b"# Title\n\nSome text.\n", "notes.md"))
    assert found.kind == document_pb2.DOCUMENT_KIND_MARKDOWN
    (page,) = found.pages
    assert (page.text_layer_share, page.width_px, page.picture_count) == (1, 0, 0)


@pytest.mark.parametrize(
    ("content", "options", "refused"),
    [
        (b"", {}, "EMPTY_DOCUMENT"),
        (b"\x00\x01\x02" * 50, {}, "UNKNOWN_FORMAT"),
        (text_pdf(1), {"pages": "2"}, "PAGE_OUT_OF_RANGE"),
        (encoded(picture()), {"mode": TEXT_LAYER_ONLY}, "MODE_NOT_SUPPORTED"),
    ],
)
async def test_it_refuses_what_an_extraction_would(stub, content, options, refused):
    code, reason = await refusal(stub.Inspect(request(content, **options)))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, refused)


async def test_it_costs_no_pages(tmp_path):
    async with house(tmp_path) as people:
        _, ann = await people.create_user("ann", limits={"pages_per_month": 1})
        found = await people.ocr.Inspect(request(text_pdf(5)), metadata=ann)
        assert found.cost_pages == 5
        request_ = usage_pb.GetUsageSummaryRequest()
        total = (await people.usage.GetUsageSummary(request_, metadata=ann)).total
        while not total.calls:  # rows of calls are written a moment later
            await asyncio.sleep(0.05)
            total = (await people.usage.GetUsageSummary(request_, metadata=ann)).total
        assert total.usage.pages == 0
