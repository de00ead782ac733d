"""How a page ends when the model's server fails, or the way to it."""

import pytest

from ocr_grpc.engines.vlm.errors import (
    UpstreamTimedOut,
    UpstreamUnavailable,
)
from ocr_grpc.engines.vlm.failures import retry_after_seconds
from tests.engines.vlm.answers import (
    cuts,
    endless_error,
    endless_line,
    ends_early,
    fails_amid,
    hangs,
    lingers,
    nonsense,
    page,
    pings,
    refuses,
    writes,
)
from tests.engines.vlm.server import serving
from tests.engines.vlm.support import SOON_SECONDS, a_read, engine_for, outcome, read_from, until

NOW = {"retry_after": "0"}


@pytest.mark.parametrize(
    "bad",
    [
        refuses("too many", 429, **NOW),
        refuses("busy", 503, **NOW),
        refuses("oops", 500, **NOW),
        page(502),
        page(200),
        cuts(),
        cuts(line=b'data: {"choi'),
        cuts("Half a", line=b'data: {"choices": [{"delta": {"content": "te'),
        cuts("Half a t"),
        ends_early("Half a t"),
        fails_amid("Half a t"),
        nonsense(),
        endless_line(),
        endless_error(),
    ],
    ids=[
        "429",
        "503",
        "500",
        "html-502",
        "html-200",
        "cut-at-once",
        "cut-amid-first-line",
        "cut-amid-line",
        "cut-amid-word",
        "no-end-said",
        "error-amid-stream",
        "nonsense",
        "endless-line",
        "endless-error",
    ],
)
async def test_a_failed_call_is_made_again_and_its_text_taken_back(tmp_path, bad):
    read, server = await read_from(tmp_path, bad, writes("The whole text."), llm_retries=1)
    assert read.text == "The whole text."
    assert read.done
    assert read.done.problem is None
    assert read.done.spent.attempts == 2
    assert len(server.calls) == 2
    assert all(before == 0 for before in read.taken_back)


@pytest.mark.parametrize(
    "when",
    [
        "Wed, 01 Jan 2020 00:00:00 +9999999999999999999999",
        "soon",
        "-1",
        "\u0663",
        "",
    ],
)
def test_a_time_to_wait_that_makes_no_sense_is_none(when):
    assert retry_after_seconds({"retry-after": when}) is None


def test_a_time_that_is_over_is_not_waited_for():
    assert retry_after_seconds({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}) == 0


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (refuses("too many", 429, **NOW), UpstreamUnavailable),
        (refuses("busy", 503, **NOW), UpstreamUnavailable),
        (cuts("Half a t"), UpstreamUnavailable),
        (page(200), UpstreamUnavailable),
    ],
    ids=["429", "503", "cut", "html"],
)
async def test_a_call_is_made_again_as_often_as_allowed_and_no_more(tmp_path, bad, error):
    read, server = await read_from(tmp_path, bad, llm_retries=2)
    assert isinstance(read.error, error)
    assert read.error.spent.attempts == 3
    assert len(server.calls) == 3


async def test_a_server_that_wants_to_be_left_alone_too_long_is_not_waited_for(tmp_path):
    busy = refuses("busy", 503, retry_after="3600")
    read, server = await read_from(tmp_path, busy, writes("late"), llm_retries=5)
    assert isinstance(read.error, UpstreamUnavailable)
    assert len(server.calls) == 1


async def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    async with engine_for("http://127.0.0.1:9/v1", llm_model="m") as vlm:
        read = await outcome(vlm, a_read(tmp_path))
    assert isinstance(read.error, UpstreamUnavailable)


@pytest.mark.parametrize(
    "bad",
    [hangs(head=False), hangs(), pings(), hangs(after=("Half a t",))],
    ids=["before-the-answer", "before-the-first-token", "pings", "amid-the-text"],
)
async def test_a_server_that_hangs_is_hung_up_and_called_again(tmp_path, bad):
    async with serving(bad, writes("The whole text.")) as server:
        slow = {"llm_first_token_seconds": SOON_SECONDS, "llm_idle_seconds": SOON_SECONDS}
        async with engine_for(server, llm_retries=1, **slow) as impatient:
            read = await outcome(impatient, a_read(tmp_path))
            if read.error:  # a slow machine may take the second answer for a hanging one, too
                assert isinstance(read.error, UpstreamTimedOut)
            else:
                assert read.text == "The whole text."
            for call in server.calls:
                await until(call.ended)


async def test_all_tries_together_take_no_longer_than_the_page_may(tmp_path):
    async with serving(hangs(after=("Half a t",))) as server, engine_for(server) as vlm:
        read = await outcome(vlm, a_read(tmp_path, timeout_seconds=SOON_SECONDS))
        assert isinstance(read.error, UpstreamTimedOut)
        assert len(server.calls) <= 1, "A slow machine may not even come to the first."
        for call in server.calls:
            await until(call.hung_up)


async def test_an_answer_that_is_over_needs_no_end_of_the_connection(tmp_path):
    read, _ = await read_from(tmp_path, lingers("All."))
    assert read.text == "All."
    assert read.done
