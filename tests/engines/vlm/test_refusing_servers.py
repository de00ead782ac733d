"""How a page ends when the model's server refuses it, and what stays with us."""

import logging

import pytest
import structlog

from ocr_grpc.engines.vlm.errors import (
    UpstreamRefused,
)
from tests.engines.vlm.answers import (
    hangs,
    refuses,
    repeats,
    writes,
)
from tests.engines.vlm.server import replies, serving
from tests.engines.vlm.support import KEY, SOON_SECONDS, a_read, engine_for, outcome, read_from

NOW = {"retry_after": "0"}
SECRET = "what the document says"


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_a_refused_image_is_sent_once_more_in_another_size(tmp_path, status):
    images = refuses("images_crop dim[2] expected 1024, got 640", status, **NOW)
    read, server = await read_from(tmp_path, images, writes("text"))
    assert read.text == "text"
    assert read.done
    assert read.done.problem is None
    assert server.calls[0].image != server.calls[1].image


async def test_a_page_refused_in_any_size_is_refused(tmp_path):
    read, server = await read_from(tmp_path, refuses(f"I cannot read {SECRET}"))
    assert isinstance(read.error, UpstreamRefused)
    assert read.error.metadata["status"] == "400"
    assert SECRET not in f"{read.error!r} {read.error.message} {read.error.metadata}"
    assert read.error.__cause__ is None
    assert len(server.calls) == 2


async def test_fewer_tokens_are_asked_for_where_the_context_is_small(tmp_path):
    message = (
        "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context "
        "length is 4096 tokens and your request has 640 input tokens (4096 > 4096 - 640). "
        "(parameter=max_tokens, value=4096)"
    )
    async with serving(refuses(message), writes("text"), writes("more")) as server:
        async with engine_for(server) as vlm:
            first = await outcome(vlm, a_read(tmp_path))
            second = await outcome(vlm, a_read(tmp_path))
        asked = [call.body["max_tokens"] for call in server.calls]
    assert (first.text, second.text) == ("text", "more")
    assert 256 <= asked[1] <= 4096 - 640 < asked[0]
    assert asked[2] == asked[0], "Another page may leave more room."


async def test_a_prompt_that_a_server_quotes_takes_nothing_from_other_callers(tmp_path):
    prompt = "temperature stream_options skip_special_tokens vllm_xargs"
    quoting = refuses(f"Invalid request: prompt {prompt!r} does not fit.")
    async with serving(quoting, writes("text"), model="deepseek-ai/DeepSeek-OCR") as server:
        async with engine_for(server) as vlm:
            await outcome(vlm, a_read(tmp_path, prompt=prompt))
            await outcome(vlm, a_read(tmp_path))
        assert set(prompt.split()) <= server.calls[-1].body.keys()


async def test_options_that_a_server_does_not_know_are_left_out(tmp_path):
    unknown = refuses("Unrecognized request argument supplied: stream_options")
    read, server = await read_from(tmp_path, unknown, writes("text", usage=None))
    assert read.text == "text"
    assert "stream_options" not in server.calls[1].body
    assert read.done
    assert read.done.spent.tokens_estimated


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_every_page_would_be_refused_for_is_not_tried_again(tmp_path, status):
    read, server = await read_from(tmp_path, refuses(f"not with {KEY}", status), llm_retries=5)
    assert isinstance(read.error, UpstreamRefused)
    assert "LLM_" in read.error.message
    assert len(server.calls) == 1


async def test_a_redirect_is_not_followed(tmp_path):
    async with serving(writes("stolen")) as elsewhere:
        sent_off = replies({}, 307, location=f"{elsewhere.url}/chat/completions")
        read, _ = await read_from(tmp_path, sent_off)
        assert isinstance(read.error, UpstreamRefused)
        assert elsewhere.connections_made == 0


async def test_no_proxy_of_the_environment_sees_a_page(tmp_path, monkeypatch):
    async with serving(writes("stolen")) as proxy:
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        read, _ = await read_from(tmp_path, writes("text"))
        assert read.text == "text"
        assert proxy.connections_made == 0


async def test_neither_the_key_nor_the_page_is_told_to_anyone(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    answers = refuses(f"{KEY} {SECRET}"), refuses(f"{KEY} {SECRET}"), repeats(f"{SECRET} "), hangs()
    told: list[object] = [caplog.records]
    with structlog.testing.capture_logs() as logs:
        async with serving(*answers) as server, engine_for(server) as vlm:
            told += [vlm, vars(vlm), vlm.description]
            for timeout_seconds in (30, SOON_SECONDS):
                read = await outcome(vlm, a_read(tmp_path, timeout_seconds=timeout_seconds))
                told += [
                    read.error,
                    read.error and read.error.metadata,
                    read.error and str(read.error),
                ]
            assert server.calls[0].headers["authorization"] == f"Bearer {KEY}"
            images = [call.image[-64:] for call in server.calls]
    told += [logs, [record.getMessage() for record in caplog.records]]
    for secret in (KEY, SECRET, *images):
        assert secret not in repr(told)
