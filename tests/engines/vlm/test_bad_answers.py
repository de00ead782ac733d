"""How a page ends when the model does not write what it should."""

import asyncio

import pytest

from ocr_grpc.engines.vlm.errors import (
    OutputDamaged,
    OutputEmpty,
    OutputRepeated,
    OutputTruncated,
)
from ocr_grpc.engines.vlm.profiles import profile_for
from tests.engines.vlm.answers import (
    hangs,
    never_stops,
    repeats,
    writes,
    writes_counting,
)
from tests.engines.vlm.server import serving
from tests.engines.vlm.support import (
    Outcome,
    a_read,
    engine_for,
    outcome,
    read_from,
    until,
)

LOOP = "The quick brown fox jumps over the lazy dog. "
GENERIC_TRIES = len(profile_for("").markdown)
DEEPSEEK = "deepseek-ai/DeepSeek-OCR"


async def test_a_model_that_repeats_itself_is_cut_and_asked_otherwise(tmp_path):
    answers = repeats(LOOP, after="# Good beginning\n\n"), writes("The whole text.")
    async with serving(*answers) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path))
        await until(server.calls[0].hung_up)
        first, second = (call.body["temperature"] for call in server.calls)
    assert read.text == "The whole text."
    assert second > first
    assert read.done
    assert isinstance(read.done.problem, OutputRepeated)
    cut, anew = read.taken_back
    assert cut >= len("# Good beginning\n\n"), "The first occurrence stays."
    assert cut < len("# Good beginning\n\n") + 5 * len(LOOP)
    assert anew == 0
    emptied = read.shown.index("")
    assert len(read.shown[emptied - 1]) == cut, "It stays shown until there is other text."


async def test_text_that_was_shown_stays_until_there_is_other_text(tmp_path):
    async with serving(repeats(LOOP), hangs()) as server, engine_for(server) as vlm:
        so_far = Outcome()
        reading = asyncio.create_task(outcome(vlm, a_read(tmp_path), so_far))
        await server.called(2)
        assert so_far.text.startswith(LOOP.strip())
        reading.cancel()
        await asyncio.wait({reading})
        await until(server.calls[1].hung_up)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (repeats(LOOP), OutputRepeated),
        (writes("Half of a de", reason="length"), OutputTruncated),
        (writes(), OutputEmpty),
        (writes(" \n "), OutputEmpty),
        (never_stops(), OutputTruncated),
    ],
    ids=["repeats", "length", "empty", "blank", "never-stops"],
)
async def test_a_model_that_never_does_is_given_up_after_all_ways_of_asking(tmp_path, bad, error):
    read, server = await read_from(tmp_path, bad)
    assert isinstance(read.error, error)
    assert len(server.calls) == GENERIC_TRIES
    assert read.error.spent.attempts == GENERIC_TRIES
    assert read.error.spent.prompt_tokens > 0


@pytest.mark.parametrize(
    ("bad", "problem"),
    [(writes("Half of a de", reason="length"), OutputTruncated), (writes(), type(None))],
    ids=["length", "empty"],
)
async def test_text_of_a_later_try_says_what_was_wrong_with_the_first(tmp_path, bad, problem):
    read, _ = await read_from(tmp_path, bad, writes("The whole text."))
    assert read.text == "The whole text."
    assert read.done
    assert isinstance(read.done.problem, problem)


async def test_text_of_a_lesser_way_of_asking_says_so(tmp_path):
    answers = writes(), writes(), writes("Without blocks.")
    read, _ = await read_from(tmp_path, *answers, model=DEEPSEEK)
    assert read.done
    assert isinstance(read.done.problem, OutputEmpty)


async def test_a_damaged_answer_is_kept_and_says_so(tmp_path):
    damaged = '[{"bbox": [0, 0, 9, 9], "category": "Text", "text": "Legible"}, {"bbox" ]'
    read, _ = await read_from(tmp_path, writes(damaged), model="dots.ocr")
    assert read.text.strip() == "Legible"
    assert read.done
    assert isinstance(read.done.problem, OutputDamaged)


async def test_a_cut_call_costs_what_the_server_counted(tmp_path):
    words = [f"{word} " for word in LOOP.split()]
    read, _ = await read_from(tmp_path, writes_counting(*words), writes("text"))
    assert read.done
    spent = read.done.spent
    assert spent.attempts == 2
    assert spent.prompt_tokens == 1800
    assert not spent.tokens_estimated
