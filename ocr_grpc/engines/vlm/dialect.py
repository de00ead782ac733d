"""What one server does not take of OpenAI's protocol and vLLM's additions, learned as it refuses.

A server that refused once is asked accordingly from then on: each refusal costs a page a round
trip with its whole image. Only what may be about one page, or quote its caller, is forgotten.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

ASKED_TOKENS = frozenset({"max_tokens", "max_completion_tokens"})
NEEDED = frozenset({"model", "messages", "stream"}) | ASKED_TOKENS
LEAST_TOKENS = 256
"""Less room for an answer is none; the page is refused instead."""

REFUSES = re.compile(
    r"unknown|unrecogni[sz]ed|unsupported|not supported|not permitted|not allowed|unexpected"
    r"|extra[_ ](?:inputs?|fields?|forbidden)|invalid",
    re.IGNORECASE,
)
CONTEXT = re.compile(r"(?:context|model) length (?:is|of) (?:only )?(\d{1,9})", re.IGNORECASE)
USED = re.compile(r"(?:has|contains) (\d{1,9}) input tokens|\((\d{1,9}) in the (?:messages|prompt)")
AT_MOST = re.compile(r"at most (\d{1,9}) (?:completion|output) tokens", re.IGNORECASE)

log = structlog.get_logger()


@dataclass(slots=True)
class _Lessons:
    """What is not to be asked as usual."""

    refused: set[str] = field(default_factory=set[str])
    counts_usage_at_end_only: bool = False
    says_completion_tokens: bool = False
    most_tokens: int | None = None

    def applied(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a body without what was refused."""
        body = {key: value for key, value in body.items() if key not in self.refused}
        if self.counts_usage_at_end_only and "stream_options" in body:
            body["stream_options"] = {"include_usage": True}
        if self.most_tokens is not None:
            for key in ASKED_TOKENS & body.keys():
                body[key] = min(self.most_tokens, body[key])
        if self.says_completion_tokens and "max_tokens" in body:
            body["max_completion_tokens"] = body.pop("max_tokens")
        return body


class Dialect:
    """How one server is to be asked."""

    def __init__(self) -> None:
        self._lessons = _Lessons()

    def for_page(self, *, callers_words: bool) -> "PageDialect":
        """Return how the server is to be asked about one page.

        Args:
            callers_words: whether a prompt of the caller is sent along. A server may quote it when
                it complains, so nothing is learned for other callers then.
        """
        return PageDialect(self._lessons, callers_words=callers_words)


class PageDialect:
    """How one server is to be asked about one page; what it refuses may be about this page alone.

    Use `Dialect.for_page`.
    """

    def __init__(self, servers: _Lessons, *, callers_words: bool) -> None:
        self._servers = servers
        self._pages = _Lessons()
        self._lasting = self._pages if callers_words else servers

    def body(self, keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a request as this server takes it.

        Args:
            keywords: arguments of `chat.completions.create`, `extra_body` among them.
        """
        extra: Mapping[str, Any] = keywords.get("extra_body") or {}
        body: dict[str, Any] = {
            "stream_options": {"include_usage": True},
            **{key: value for key, value in keywords.items() if key != "extra_body"},
            **extra,
            "stream": True,
        }
        return self._pages.applied(self._servers.applied(body))

    def learn(self, body: Mapping[str, Any], complaint: str) -> bool:
        """Return whether a request is worth sending again, because it will not be the same.

        Args:
            body: what was refused.
            complaint: what the server said about it.
        """
        asked = body.get("max_tokens", body.get("max_completion_tokens"))
        if isinstance(asked, int) and (fewer := _fewer(asked, complaint)) is not None:
            log.warning("llm_takes_fewer_tokens", max_tokens=fewer)
            # What is left of a context depends on the page, what an answer may have does not.
            lessons = self._lasting if AT_MOST.search(complaint) else self._pages
            lessons.most_tokens = fewer
            return True
        if "max_completion_tokens" in complaint and "max_tokens" in body:
            self._lasting.says_completion_tokens = True
            return True
        return bool(REFUSES.search(complaint)) and self._learn_names(body, complaint)

    def _learn_names(self, body: Mapping[str, Any], complaint: str) -> bool:
        options = body.get("stream_options")
        if "continuous_usage_stats" in complaint and options and len(options) > 1:
            self._lasting.counts_usage_at_end_only = True
            return True
        named = {
            key
            for key in body.keys() - NEEDED
            if re.search(rf"(?<![a-z_]){re.escape(key)}(?![a-z_])", complaint)
        }
        if named:
            log.warning("llm_takes_not_all_options", left_out=sorted(named))
        self._lasting.refused |= named
        return bool(named)


def _fewer(asked: int, complaint: str) -> int | None:
    """Return how many tokens to ask for instead; None if that is not what is complained about."""
    most = AT_MOST.search(complaint)
    context = CONTEXT.search(complaint)
    if most:
        fewer = int(most[1])
    elif context:
        length, used = int(context[1]), USED.search(complaint)
        # Some versions of vLLM do not count the prompt but tell what is one token too many, so
        # what is left beside it is not to be believed to the last token.
        taken = int(used[1] or used[2]) if used else length // 8
        fewer = min(asked, length - taken) - length // 8
    elif "max_tokens" in complaint and "max_completion_tokens" not in complaint:
        fewer = asked // 2
    else:
        return None
    return fewer if LEAST_TOKENS <= fewer < asked else None
