"""Looks into what a model's server sent, which may be anything that is JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from openai import APIError

MAX_NAME_CHARS = 200
LEAST_CONTEXT_TOKENS = 1_024
"""An image alone takes some hundreds."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that the server lists; `context_tokens` is 0 if it does not say."""

    name: str
    context_tokens: int


def fields_of(value: object) -> Mapping[str, object]:
    """Return the fields of an object; none if it is something else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def items_of(value: object) -> list[object]:
    """Return the items of a list; none if it is something else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text_and_end(chunk: Mapping[str, object]) -> tuple[str, str]:
    """Return the text of a chunk and why the answer ends with it; both are mostly empty."""
    choices = items_of(chunk.get("choices"))
    if not choices:
        return "", ""
    choice = fields_of(choices[0])
    text, ended = fields_of(choice.get("delta")).get("content"), choice.get("finish_reason")
    return text if isinstance(text, str) else "", name_in(ended)


def models_in(listed: object) -> list[ListedModel]:
    """Return the models of a list of them, in its order."""
    entries = map(fields_of, items_of(fields_of(listed).get("data")))
    return [
        ListedModel(name, _context_in(entry.get("max_model_len")))
        for entry in entries
        if (name := name_in(entry.get("id")))
    ]


def _context_in(value: object) -> int:
    """Return how many tokens a context has; 0 if that is none in which a page could be read."""
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if value >= LEAST_CONTEXT_TOKENS else 0


def name_in(value: object) -> str:
    """Return a name; empty if it is none that could be.

    One with half a character would fail wherever it is logged or sent.
    """
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        return ""
    return value if value.isprintable() else ""


def complaint_in(error: APIError) -> str:
    """Return what the server said of an error. It may quote the document."""
    return str(fields_of(error.body).get("message", error.body))


def status_in(error: APIError) -> int:
    """Return the status of an error amid a stream, which is a field of it; 500 if it has none."""
    code = error.code or ""
    return int(code) if len(code) == 3 and code.isascii() and code.isdecimal() else 500
