"""Takes secrets out of what is logged and reported: a last line of defence, never the first."""

import re
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import Any, cast

HIDDEN = "[hidden]"

MAX_DEPTH = 12
"""Of what is looked through; anything deeper is left out whole."""

MAX_CHARS = 40_000
"""Of one text; the end is kept. Looking through it takes some milliseconds of the event loop's."""

_EDGE_CHARS = 1_000
"""Looked at and then left out, so that no half of a secret stands where a text was cut."""

_SECRET_KEY = re.compile(
    r"authorization|passw(?:or)?d|token|secret|api[-_]?key|cookie|credential|dsn$", re.IGNORECASE
)

_COUNTS = re.compile(r"(?:^|_)(?:max_|prompt_|completion_)?tokens$|_seconds$", re.IGNORECASE)
"""What is called so and is no secret: numbers of tokens of language models, and times."""

# No boundary before these: in quoted bytes a key follows upon the `n` of `\n`.
# All that is repeated is bounded or possessive: time must not grow with the square of a text.
_KEY = r"ocr_[A-Za-z0-9]{16,}+"
_JWT = r"eyJ[\w-]{5,300}+\.[\w-]{5,}+\.[\w-]*+"
_BEARER = r"(?<=(?i:bearer) )\S{8,}+|(?<=Basic )[A-Za-z0-9+/]{8,}+=*"
# A password may have `@` and `/` in it: SQLAlchemy takes them as they are.
_OF_URL = (
    r"(?<=://)[^\s/?#\"'<>]{1,300}(?=@)|(?<=://)[^\s/@:]{0,100}+:(?!\d{1,5}[/?])[^\s@]{1,200}+(?=@)"
)
_NAMED = (
    r"(?P<name>(?i:passw(?:or)?d|secret|token|api[-_]?key|signature)(?:=|[\"']: ?))"
    r"(?:'[^'\n]*+'|\"[^\"\n]*+\"|[^\s&,;)\]}]++)"
)
# PostgreSQL quotes the row, whose values may have lines of their own; asyncpg quotes arguments;
# SQLAlchemy would quote parameters, were it not told to hide them.
_OF_ROW = (
    r"(?<=DETAIL: )(?s:.)+?(?=\nHINT: |\n\[SQL|\nTraceback|\n\nThe above|\n\nDuring|\Z)"
    r"|(?<=for query argument )[^\n]+|(?<=\[parameters: )[^\n]+"
)

_SECRET_VALUE = re.compile("|".join((_KEY, _JWT, _BEARER, _OF_URL, _NAMED, _OF_ROW)))

_MARKS = re.compile(
    r"ocr_|eyJ|(?i:earer|passw|secret|token|api[-_]?key|signature)|Basic |://|DETAIL: |"
    r"query argument |\[parameters: "
)
"""One of these is in each of them; to look for these first is faster."""


def scrubbed_text(text: str) -> str:
    """Return a text without what looks like a key, a token, or a password in a URL."""
    if len(text) > MAX_CHARS:
        return _without_secrets(text[-MAX_CHARS - _EDGE_CHARS :])[-MAX_CHARS:]
    return _without_secrets(text)


def _without_secrets(text: str) -> str:
    return _SECRET_VALUE.sub(_hide, text) if _MARKS.search(text) else text


def _hide(found: re.Match[str]) -> str:
    return (found["name"] or "") + HIDDEN


def scrubbed(value: object, depth: int = MAX_DEPTH) -> Any:
    """Return a copy of nested mappings and lists without what looks like a secret."""
    if isinstance(value, str):
        return scrubbed_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        # Keys are text: JSON would refuse others, and the line with them.
        return {str(key): _field(str(key), each, depth) for key, each in items}
    if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray | memoryview):
        if depth == 0:
            return HIDDEN
        return [scrubbed(each, depth - 1) for each in cast("Sequence[object] | Set[object]", value)]
    if isinstance(value, bytes | bytearray | memoryview):
        return HIDDEN  # these may be anything, a document for instance
    return scrubbed_text(repr(value))


@lru_cache(maxsize=1024)
def _names_a_secret(key: str) -> bool:
    return bool(_SECRET_KEY.search(key)) and not _COUNTS.search(key)


def _field(key: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if _names_a_secret(key):
        return HIDDEN
    return scrubbed(value, depth - 1) if depth else HIDDEN
