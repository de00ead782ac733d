"""What a vision engine says of a page when its server does as it should."""

import asyncio
from contextlib import aclosing

import pytest

from ocr_grpc.engines.vlm.errors import OutputEmpty
from ocr_grpc.engines.vlm.parts import Piece, VisionDone
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.model import TextFormat, box
from tests.engines.vlm.answers import (
    USAGE,
    cuts,
    hangs,
    writes,
    writes_half_characters,
    writes_in_splinters,
)
from tests.engines.vlm.server import serving
from tests.engines.vlm.support import (
    a_read,
    engine_for,
    outcome,
    page,
    read_from,
    until,
)

DEEPSEEK = "deepseek-ai/DeepSeek-OCR"
GROUNDED = (
    "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 499]]<|/det|>\n# The whole\n\n",
    "<|re",
    "f|>text<|/ref|><|det|>[[0, 500, 999, 9",
    "99]]<|/det|>\nof it.",
)


async def test_text_comes_as_it_is_written_and_then_what_it_took(tmp_path):
    async with serving(writes("# Title\n\n", "The ", "text.")) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path))
    assert read.text == "# Title\n\nThe text."
    assert len([part for part in read.parts if isinstance(part, Piece)]) >= 3
    assert read.done
    assert read.done.text_format is TextFormat.MARKDOWN
    assert read.done.problem is None
    tokens = USAGE["prompt_tokens"], USAGE["completion_tokens"]
    assert read.done.spent == Spent(*tokens, False, read.done.spent.prompt_chars, 1)
    assert read.done.spent.prompt_chars > 0


async def test_a_page_may_be_read_while_it_is_still_written(tmp_path):
    async with serving(hangs(after=("First words.\n\n",))) as server, engine_for(server) as vlm:
        async with aclosing(vlm.read(a_read(tmp_path))) as parts, asyncio.timeout(30):
            first = await anext(parts)
        assert isinstance(first, Piece)
        assert first.text.startswith("First words")
        await until(server.calls[0].hung_up)


async def test_grounding_becomes_blocks_and_never_reaches_the_text(tmp_path):
    async with serving(writes(*GROUNDED), model=DEEPSEEK) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path, page=page(tmp_path, 400, 500)))
        assert vlm.description.gives_blocks
    assert read.text == "# The whole\n\nof it."
    assert [block.label for block in read.blocks] == ["title", "text"]
    assert read.blocks[1].offset == read.text.index("of it")
    assert read.blocks[0].polygon[0] == box(0, 0, 0, 0)[0]
    corners = [corner for block in read.blocks for corner in block.polygon]
    assert max(corner.x for corner in corners) == 400
    assert max(corner.y for corner in corners) == 500


async def test_blocks_of_an_earlier_try_go_as_well(tmp_path):
    """Also where there was no text yet."""
    figure = "<|ref|>image<|/ref|><|det|>[[0, 0, 99, 99]]<|/det|>\n<|ref|>"
    answers = cuts(figure), writes(*GROUNDED)
    read, _ = await read_from(tmp_path, *answers, model=DEEPSEEK, llm_retries=1)
    assert read.taken_back == [0]
    assert [block.label for block in read.blocks] == ["title", "text"]


@pytest.mark.parametrize("answer", [writes_in_splinters, writes_half_characters])
async def test_characters_survive_however_they_are_cut(tmp_path, answer):
    text = "Grüße, 你好, 😀👍 e\u0301nd"
    async with serving(answer(text)) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path))
    assert read.text == "Grüße, 你好, 😀👍 énd"


async def test_counts_are_estimated_where_the_server_does_not_tell(tmp_path):
    async with serving(writes("Some text.", usage=None)) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path))
    assert read.done
    assert read.done.spent.tokens_estimated
    assert read.done.spent.prompt_tokens > 0
    assert read.done.spent.completion_tokens > 0


async def test_a_blank_page_is_not_sent(tmp_path):
    async with serving(writes("nothing")) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path, page=page(tmp_path, blank=True)))
        assert server.calls == []
    assert read.parts == [VisionDone(Spent(), TextFormat.MARKDOWN)]


async def test_what_is_asked_is_the_callers_or_the_operators_or_the_models_own(tmp_path):
    async with serving(writes("text")) as server:
        async with engine_for(server, llm_prompt="the operator's") as vlm:
            await outcome(vlm, a_read(tmp_path, prompt="the caller's"))
            await outcome(vlm, a_read(tmp_path))
        async with engine_for(server) as vlm:
            await outcome(vlm, a_read(tmp_path))
        asked = [str(call.body["messages"]) for call in server.calls]
    assert "the caller's" in asked[0]
    assert "the operator's" in asked[1]
    assert "the operator's" not in asked[2]


@pytest.mark.parametrize("nothing", [" \n\t ", "<|im_end|>", " <image> "])
async def test_a_prompt_of_nothing_is_none(tmp_path, nothing):
    async with serving(writes("text")) as server, engine_for(server, llm_prompt="mine") as vlm:
        await outcome(vlm, a_read(tmp_path, prompt=nothing))
        assert "mine" in str(server.calls[0].body["messages"])


async def test_a_profile_that_is_none_is_refused_at_once():
    with pytest.raises(ValueError, match="generic"):
        async with engine_for("http://127.0.0.1:9/v1", llm_profile="no-such"):
            pass


async def test_a_page_that_does_not_stand_upright_is_turned(tmp_path):
    fallen = "---\nis_rotation_valid: False\nrotation_correction: 90\n---\nillegible"
    upright = "---\nis_rotation_valid: True\nrotation_correction: 0\n---\nLegible."
    answers = writes(fallen), writes(upright)
    async with serving(*answers, model="allenai/olmOCR-2-7B") as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path))
        first, second = server.calls
    assert read.text == "Legible."
    assert first.image != second.image
    assert read.done
    assert read.done.problem is None
    assert read.done.spent.attempts == 2


async def test_forms_of_text_are_those_of_the_profile(tmp_path):
    async with serving(writes("text")) as server:
        async with engine_for(server, llm_profile="generic") as vlm:
            assert vlm.supports(TextFormat.PLAIN)
            plain = await outcome(vlm, a_read(tmp_path, text_format=TextFormat.PLAIN))
            assert plain.done
            assert plain.done.text_format is TextFormat.PLAIN
        async with engine_for(server, llm_profile="olmocr-2") as vlm:
            assert not vlm.supports(TextFormat.PLAIN)
            assert vlm.description.writes_markdown


async def test_a_page_that_only_shows_figures_is_not_empty(tmp_path):
    figure = "<|ref|>image<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>\n"
    async with serving(writes(figure), model=DEEPSEEK) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path))
    assert not isinstance(read.error, OutputEmpty)
    assert [block.label for block in read.blocks] == ["image"]


async def test_connections_are_used_again(tmp_path):
    async with serving(writes("text")) as server, engine_for(server) as vlm:
        for _ in range(3):
            await outcome(vlm, a_read(tmp_path))
        assert server.connections_made <= 2  # the list of models and the version share one
