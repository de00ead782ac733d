"""A vision-language model behind the whole service, as callers meet it."""

import asyncio
from contextlib import asynccontextmanager

import grpc
import pytest
import pytest_asyncio

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2, page_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.engines.vlm.answers import USAGE, hangs, writes
from tests.engines.vlm.server import serving
from tests.support import channel_to, collect, encoded, picture, refusal, running, text_of

DEEPSEEK = "deepseek-ai/DeepSeek-OCR"
SCAN = encoded(picture(["one", "two", "three", "four"], size=(800, 400)))
GROUNDED = (
    "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 99]]<|/det|>\n# Head",
    "ing\n\n<|ref|>te",
    "xt<|/ref|><|det|>[[0, 500, 499, 999]]<|/det|>\nBody",
)
DRAFTS = options_pb2.QUALITY_DRAFT_THEN_FINAL
NULL_LINES = "null line 1\nnull line 2\nnull line 3\nnull line 4"
REPEATED = "We are one and all alike. " * 400

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def reading(tmp_path, *answers, **settings):
    """Run a model's server and ours; yield both and a stub."""
    async with (
        serving(*answers, model=DEEPSEEK) as model,
        running(tmp_path, llm_base_url=model.url, **settings) as server,
        channel_to(server) as channel,
    ):
        yield model, OcrServiceStub(channel)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory):
    async with reading(tmp_path_factory.mktemp("home"), writes("Text.")) as both:
        yield both


def request(**options) -> pb.StreamExtractRequest:
    return pb.StreamExtractRequest(content=SCAN, options=options)


def revision(events, number: int) -> str:
    """Return the text of one revision of page 1 as a client puts it together."""
    own = [event for event in events if number in (event.delta.revision, event.retract.revision)]
    return text_of(own)


async def test_a_draft_comes_at_once_and_the_models_text_with_its_blocks_after_it(home):
    model, stub = home
    model.answers = [writes(*GROUNDED)]
    events = await collect(stub.StreamExtract(request(quality=DRAFTS)))
    page = next(event.page_finished for event in events if event.HasField("page_finished"))
    assert revision(events, 1) == NULL_LINES
    assert revision(events, 2) == page.text
    assert page.text.split() == ["#", "Heading", "Body"]
    assert "<|" not in page.text
    assert page.revision == 2
    assert page.outcome == page_pb2.PAGE_OUTCOME_OK
    assert (page.provenance.engine, page.provenance.model) == ("vlm", DEEPSEEK)
    assert page.text_format == options_pb2.TEXT_FORMAT_MARKDOWN
    assert page.usage.completion_tokens == USAGE["completion_tokens"]
    blocks = [block for event in events for block in event.delta.blocks]
    assert [block.label for block in blocks] == ["title", "text"]
    assert page.text[blocks[1].offset :].strip() == "Body"
    corners = [(point.x, point.y) for point in blocks[1].polygon]
    assert corners[0] == pytest.approx((0, 400 * 500 / 999), abs=1)
    assert corners[2] == pytest.approx((800 * 499 / 999, 400), abs=1)


async def test_extract_has_the_highest_revision_alone(home):
    model, stub = home
    model.answers = [writes(*GROUNDED)]
    request_ = pb.ExtractRequest(content=SCAN, options={"quality": DRAFTS})
    page = (await stub.Extract(request_)).pages[0]
    assert not page.lines
    assert [block.label for block in page.blocks] == ["title", "text"]
    assert page.text.split() == ["#", "Heading", "Body"]


async def test_a_model_that_repeats_itself_is_replaced_by_lines_and_the_page_says_so(home):
    model, stub = home
    model.answers, before = [writes(REPEATED)], len(model.calls)
    events = await collect(stub.StreamExtract(request(engine="vlm")))
    calls = len(model.calls) - before
    page = next(event.page_finished for event in events if event.HasField("page_finished"))
    assert calls > 1, "no other way of asking was tried"
    assert page.text == text_of(events) == NULL_LINES
    assert page.outcome == page_pb2.PAGE_OUTCOME_DEGRADED
    assert page.reason == "OUTPUT_REPEATED"
    assert (page.provenance.engine, page.provenance.fallback_from) == ("null", "vlm")


async def test_a_prompt_goes_to_the_model_unless_policy_forbids_it(home, tmp_path):
    model, stub = home
    model.answers = [writes("Text.")]
    await collect(stub.StreamExtract(request(prompt="Free OCR.")))
    assert "Free OCR." in str(model.calls[-1].body["messages"])
    assert model.calls[-1].image.startswith("data:image/")
    async with reading(tmp_path, writes("Text."), llm_caller_prompts=False) as (_, stub):
        refused = await refusal(stub.StreamExtract(request(prompt="Free OCR.")))
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "PROMPT_NOT_SUPPORTED")


async def test_capabilities_tell_of_the_model_and_of_drafts(home):
    _, stub = home
    found = await stub.GetCapabilities(pb.GetCapabilitiesRequest())
    async with asyncio.timeout(30):
        while not found.engines[1].model:  # its server is asked beside the start of ours
            await asyncio.sleep(0.05)
            found = await stub.GetCapabilities(pb.GetCapabilitiesRequest())
    engine = found.engines[1]
    assert (engine.name, engine.model, engine.takes_prompt) == ("vlm", DEEPSEEK, True)
    assert engine.gives_blocks
    assert engine.writes_markdown
    assert engine.ready_workers > 0
    assert DRAFTS in found.qualities


async def test_a_model_whose_server_is_away_costs_quality_and_no_page(tmp_path):
    async with reading(tmp_path, writes("Text."), llm_retries=0) as (model, stub):
        await model.close()
        events = await collect(stub.StreamExtract(request(engine="vlm")))
    page = next(event.page_finished for event in events if event.HasField("page_finished"))
    assert page.text == NULL_LINES
    assert (page.outcome, page.reason) == (page_pb2.PAGE_OUTCOME_DEGRADED, "VLM_UNAVAILABLE")


async def test_a_caller_who_hangs_up_is_hung_up_for_at_the_models_server(home):
    model, stub = home
    model.answers, before = [hangs(after=("Text",))], len(model.calls)
    call = stub.StreamExtract(request(engine="vlm"))
    async for event in call:
        if event.HasField("delta"):
            break
    call.cancel()
    async with asyncio.timeout(30):
        await (await model.called(before + 1)).hung_up.wait()
