"""What is counted where the server tells, and where it does not."""

import pytest

from ocr_grpc.engines.vlm.spending import CallCount, PageCount
from ocr_grpc.engines.vlm.spent import Spent


def a_call() -> CallCount:
    call = CallCount(prompt_chars=20, prompt_tokens=500)
    call.sent()
    return call


def test_a_call_that_was_not_made_costs_nothing():
    assert CallCount(prompt_chars=20, prompt_tokens=500).spent == Spent()


def test_what_the_server_tells_counts():
    call = a_call()
    call.accepted()
    call.heard("much text that makes more than two tokens")
    call.told({"prompt_tokens": 900, "completion_tokens": 2})
    assert call.spent == Spent(900, 2, tokens_estimated=False, prompt_chars=20, attempts=1)


def test_a_call_that_the_server_did_not_take_on_costs_no_tokens():
    assert a_call().spent == Spent(0, 0, tokens_estimated=False, prompt_chars=20, attempts=1)


def test_a_call_without_counts_is_estimated():
    call = a_call()
    call.accepted()
    call.heard("a text of twenty-six bytes")
    assert call.spent == Spent(500, 7, tokens_estimated=True, prompt_chars=20, attempts=1)


def test_a_piece_of_text_is_a_token_at_least():
    call = a_call()
    call.accepted()
    for letter in "abcdef":
        call.heard(letter)
    assert call.spent.completion_tokens == 6


def test_text_after_the_last_count_is_estimated():
    call = a_call()
    call.accepted()
    call.told({"prompt_tokens": 900, "completion_tokens": 0})
    call.heard("four and twenty letters.")
    assert call.spent == Spent(900, 6, tokens_estimated=True, prompt_chars=20, attempts=1)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        "12",
        {},
        {"prompt_tokens": "900", "completion_tokens": 1},
        {"prompt_tokens": 900, "completion_tokens": -1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
        {"prompt_tokens": 1_000_001, "completion_tokens": 1},
    ],
)
def test_what_is_no_count_is_not_believed(usage):
    call = a_call()
    call.accepted()
    call.told(usage)
    assert call.spent.prompt_tokens == 500
    assert call.spent.tokens_estimated


def test_all_calls_for_a_page_count():
    count = PageCount()
    first, second = count.call(20, 500), count.call(20, 500)
    for call in (first, second):
        call.sent()
        call.accepted()
    second.told({"prompt_tokens": 900, "completion_tokens": 0})
    assert count.spent == Spent(1400, 0, tokens_estimated=True, prompt_chars=40, attempts=2)
