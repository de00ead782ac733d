"""What is asked otherwise once a server has refused it."""

import pytest

from ocr_grpc.engines.vlm.dialect import Dialect

KEYWORDS = {
    "model": "m",
    "messages": [],
    "max_tokens": 8000,
    "temperature": 0.0,
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    "extra_body": {"skip_special_tokens": False, "vllm_xargs": {"ngram_size": 30}},
}


CONTEXT = (
    "This model's maximum context length is 8192 tokens. However, you requested 14800 tokens "
    "(6800 in the messages, 8000 in the completion)."
)
AT_MOST = "max_tokens is too large: 8000. This model supports at most 4096 completion tokens."
UNKNOWN = "Unrecognized request argument supplied: vllm_xargs, stream_options"


def learned(complaint: str) -> dict | None:
    """Return how a server is asked after this complaint; None if it would be asked the same."""
    dialect = Dialect().for_page(callers_words=False)
    before = dialect.body(KEYWORDS)
    if not dialect.learn(before, complaint):
        assert dialect.body(KEYWORDS) == before
        return None
    return dialect.body(KEYWORDS)


def test_extra_keys_stand_beside_the_others():
    body = Dialect().for_page(callers_words=False).body(KEYWORDS)
    assert body["vllm_xargs"] == {"ngram_size": 30}
    assert body["stream"] is True
    assert "extra_body" not in body


@pytest.mark.parametrize(
    ("complaint", "most"),
    [
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 8000. This model's maximum "
            "context length is 8192 tokens and your request has 1043 input tokens "
            "(8000 > 8192 - 1043). (parameter=max_tokens, value=8000)",
            7149,
        ),
        (
            "This model's maximum context length is 8192 tokens. However, you requested 9043 tokens"
            " (1043 in the messages, 8000 in the completion). Please reduce the length of the "
            "messages or completion.",
            7149,
        ),
        (
            "This model's maximum context length is 8192 tokens. However, you requested 8000 "
            "output tokens and your prompt contains at least 193 input tokens, for a total of at "
            "least 8193 tokens. Please reduce the length of the input prompt or the number of "
            "requested output tokens. (parameter=input_tokens, value=193)",
            7168,
        ),
        (
            "max_tokens is too large: 8000. This model supports at most 4096 completion tokens, "
            "whereas you provided 8000.",
            4096,
        ),
        ("max_tokens must be less than or equal to what the model can do", 4000),
    ],
)
def test_fewer_tokens_are_asked_for(complaint, most):
    body = learned(complaint)
    assert body is not None
    assert 1000 < body["max_tokens"] <= most


def test_a_prompt_that_fills_the_context_is_not_sent_again():
    assert (
        learned(
            "This model's maximum context length is 1024 tokens. However, you requested 9043 "
            "tokens (1043 in the messages, 8000 in the completion)."
        )
        is None
    )


def test_the_other_name_for_the_most_tokens_is_used():
    body = learned(
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead."
    )
    assert body is not None
    assert "max_tokens" not in body
    assert body["max_completion_tokens"] == 8000


def test_only_what_is_complained_about_is_left_out():
    body = learned("Unrecognized request argument supplied: vllm_xargs")
    assert body is not None
    assert "vllm_xargs" not in body
    assert body["skip_special_tokens"] is False


def test_counts_at_the_end_alone_do_where_others_are_unknown():
    body = learned("Unknown parameter: 'stream_options.continuous_usage_stats'.")
    assert body is not None
    assert body["stream_options"] == {"include_usage": True}


def test_counts_are_done_without_where_they_are_unknown():
    body = learned("[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]")
    assert body is not None
    assert "stream_options" not in body


@pytest.mark.parametrize("complaint", ["", "The image is broken.", "invalid messages of the model"])
def test_a_complaint_about_something_else_changes_nothing(complaint):
    assert learned(complaint) is None


def test_a_lesson_is_learned_once():
    dialect = Dialect().for_page(callers_words=False)
    assert dialect.learn(dialect.body(KEYWORDS), "unknown field vllm_xargs")
    assert not dialect.learn(dialect.body(KEYWORDS), "unknown field vllm_xargs")


@pytest.mark.parametrize(
    ("complaint", "callers_words", "lasts"),
    [
        (UNKNOWN, False, True),
        (AT_MOST, False, True),
        (CONTEXT, False, False),
        (UNKNOWN, True, False),
        (AT_MOST, True, False),
    ],
    ids=["unknown", "at-most", "context", "unknown-quoted", "at-most-quoted"],
)
def test_what_one_page_is_refused_for_is_no_matter_of_others(complaint, callers_words, lasts):
    dialect = Dialect()
    page, later = (dialect.for_page(callers_words=words) for words in (callers_words, False))
    usual = later.body(KEYWORDS)
    assert page.learn(page.body(KEYWORDS), complaint)
    assert page.body(KEYWORDS) != usual
    assert (later.body(KEYWORDS) != usual) is lasts
    assert (dialect.for_page(callers_words=False).body(KEYWORDS) != usual) is lasts
