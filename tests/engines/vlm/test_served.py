"""Which model a server has, and what it means for pages that did not know it."""

import asyncio
import itertools

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.vlm.chunks import ListedModel, models_in
from ocr_grpc.engines.vlm.circuit import Circuit
from ocr_grpc.engines.vlm.errors import UpstreamRefused, UpstreamUnavailable
from ocr_grpc.engines.vlm.served import Served
from ocr_grpc.engines.vlm.upstream import Upstream
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.model import TextFormat
from tests.engines.vlm.answers import writes
from tests.engines.vlm.server import Exchange, replies, serving
from tests.engines.vlm.support import a_read, engine_for, outcome, until_ready

DEEPSEEK = "deepseek-ai/DeepSeek-OCR"


async def test_the_model_is_the_one_the_server_lists_first(tmp_path):
    async with serving(writes("text"), model=DEEPSEEK) as server, engine_for(server) as vlm:
        await outcome(vlm, a_read(tmp_path))
        assert server.calls[0].body["model"] == DEEPSEEK
        assert vlm.description.model == DEEPSEEK
        assert vlm.description.model_version == "deepseek-ocr"
        assert vlm.description.backend == "vllm 0.25.1"


async def test_a_server_that_is_no_vllm_is_named_for_its_protocol(tmp_path):
    async with serving(writes("text")) as server:
        server.version = ""
        async with engine_for(server) as vlm:
            await outcome(vlm, a_read(tmp_path))
            assert vlm.description.backend == "openai-compatible"


async def test_a_server_without_a_list_reads_what_it_is_told_to(tmp_path):
    async with serving(writes("text")) as server:
        server.lists = replies({"error": {"message": "no such path"}}, 404)
        async with engine_for(server, llm_model="mine") as vlm:
            read = await outcome(vlm, a_read(tmp_path))
        assert server.calls[0].body["model"] == "mine"
    assert read.text == "text"


async def test_a_server_that_comes_up_later_is_found(tmp_path):
    async with serving(writes("text")) as server:
        await server.stop_listening()
        async with engine_for(server) as vlm:
            assert vlm.ready_workers == 0
            early = await outcome(vlm, a_read(tmp_path))
            assert isinstance(early.error, UpstreamUnavailable)
            await server.start(server.port)
            await until_ready(vlm)
            assert (await outcome(vlm, a_read(tmp_path))).text == "text"


async def test_another_model_after_a_restart_is_found(tmp_path):
    gone = replies({"error": {"message": "The model does not exist."}}, 404)
    async with serving(gone, writes("text")) as server, engine_for(server) as vlm:
        server.model = DEEPSEEK
        await until_ready(vlm)
        server.model = "another"
        read = await outcome(vlm, a_read(tmp_path))
        assert server.calls[1].body["model"] == "another"
    assert read.text == "text"
    assert read.done
    assert read.done.engine
    assert read.done.engine.model == "another"
    assert read.done.spent.attempts == 2


async def test_a_model_that_is_gone_is_looked_for_once_a_page(tmp_path):
    """A server may list a model that it refuses to run."""
    asked = itertools.count()

    async def lists(exchange: Exchange) -> None:
        await replies({"data": [{"id": f"model-{next(asked)}"}]})(exchange)

    gone = replies({"error": {"message": "The model does not exist."}}, 404)
    async with serving(gone) as server:
        server.lists = lists
        async with engine_for(server) as vlm:
            read = await outcome(vlm, a_read(tmp_path))
    assert isinstance(read.error, UpstreamRefused)
    assert read.error.spent.attempts == len(server.calls) == 2


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("lightonai/LightOnOCR-2-1B", {"prompt": "Only the total"}),
        ("lightonai/LightOnOCR-2-1B", {"options": ReadOptions(languages=("de-AT", "ru"))}),
        ("allenai/olmOCR-2-7B", {"text_format": TextFormat.PLAIN}),
    ],
    ids=["prompt", "languages", "form"],
)
async def test_what_a_model_cannot_do_is_refused_once_it_is_known(tmp_path, model, asked):
    told = asyncio.Event()

    async def lists(exchange: Exchange) -> None:
        await told.wait()
        await replies({"data": [{"id": model}]})(exchange)

    async with serving(writes("text")) as server:
        server.lists = lists
        async with engine_for(server) as vlm:
            assert vlm.description.takes_prompt, "As long as nobody knows better."
            reading = asyncio.create_task(outcome(vlm, a_read(tmp_path, **asked)))
            told.set()
            read = await reading
            assert server.calls == []
    assert isinstance(read.error, UpstreamRefused)
    assert model in read.error.message


async def test_what_a_model_can_do_is_not_refused(tmp_path):
    german = ReadOptions(languages=("de-AT", "JA"))
    served = serving(writes("text"), model="lightonai/LightOnOCR-2-1B")
    async with served as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path, options=german))
        assert read.done
        assert read.done.engine == vlm.description
        assert read.done.engine.model == "lightonai/LightOnOCR-2-1B"


@pytest.mark.parametrize("name", ["half \ud83d", "two\nlines", "bell\a", "x" * 201, "", 7, None])
def test_a_name_that_cannot_be_told_on_is_none(name):
    listed = {"data": [{"id": name}, {"id": "a model"}]}
    assert models_in(listed) == [ListedModel("a model", 0)]


@pytest.mark.parametrize("context", [-1, 0, 1, 1023, True, 8192.0, "8192", None, [8192]])
def test_a_context_in_which_no_page_could_be_read_is_not_believed(context):
    assert models_in({"data": [{"id": "m", "max_model_len": context}]}) == [ListedModel("m", 0)]


def test_a_context_that_may_be_is_believed():
    assert models_in({"data": [{"id": "m", "max_model_len": 1024}]}) == [ListedModel("m", 1024)]


class Stumbling(Upstream):
    """Fails once in a way that nobody thought of."""

    async def models(self) -> list[ListedModel]:
        raise ArithmeticError("nobody thought of this")


async def test_asking_goes_on_after_what_nobody_thought_of():
    settings = VisionSettings("http://127.0.0.1:9/v1", SecretStr(""))
    upstream = Stumbling(settings, Circuit())
    served = Served(settings, upstream)
    with capture_logs() as logs:
        served.ask()
        with pytest.raises(UpstreamUnavailable):
            await served.current()
        await served.close()
    await upstream.close()
    assert "llm_asking_failed" in [entry["event"] for entry in logs]
