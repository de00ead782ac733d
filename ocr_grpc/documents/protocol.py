"""What the server and a reader process say to each other: JSON, each message after its length.

The server asks, the reader answers, one at a time. Requests:

    {"op": "ping"}                                                  -> {}
    {"op": "open", "path": str, "kind": str}                        -> {"pages": int}
    {"op": "text", "page": int, "dpi": int}                         -> see `TextAnswer`
    {"op": "render", "page": int, "dpi": int, "path": str}          -> see `RenderAnswer`
    {"op": "close"}                                                 -> nothing is answered

Pages count from 0. An answer is `{"ok": …}` or `{"error": code, …}` with a code of `Failure`.
What a reader says is not trusted: `answers.py` checks every field of it.
"""

import json
from enum import Enum
from typing import Any, TypedDict, cast

HEADER_BYTES = 4
MAX_REQUEST_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""A page of `MAX_PAGE_CHARACTERS` in `MAX_PAGE_LINES` stays below."""
MAX_PAGE_CHARACTERS = 100_000
MAX_PAGE_LINES = 20_000
"""A text layer with more of either is not usable, because `too_long`."""
MIN_DPI, MAX_DPI = 36, 1200
"""What may be asked for; 0 leaves it to the reader."""

Message = dict[str, Any]


class Failure(Enum):
    """Why a reader could not do what was asked; the server makes the sentence."""

    CORRUPT = "corrupt"
    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    UNREADABLE_PAGE = "unreadable_page"
    PAGE_TOO_LARGE = "page_too_large"
    """With `width` and `height`, in pixels."""
    MEMORY = "memory"
    """The reader ran into its memory limit and should be replaced."""
    NO_SPACE = "no_space"
    """The disk is full; the document is not to blame."""
    BROKEN = "broken"
    """An unexpected exception, or a request that makes no sense. Replace the reader."""


class ReaderFailure(Exception):
    """Raised inside a reader; becomes an `error` answer."""

    def __init__(self, code: Failure, **fields: int) -> None:
        super().__init__(code.value)
        self.code = code
        self.fields = fields


class RenderAnswer(TypedDict):
    """A page written to its spool file."""

    width: int
    height: int
    dpi: float
    channels: int


class TextAnswer(TypedDict):
    """A page's own text; a line is its text, eight numbers (x, y of four corners), a separator."""

    width: int
    height: int
    dpi: float
    usable: bool
    because: str
    blank: bool
    lines: list[tuple[str, list[float], str]]


def encode(message: Message) -> bytes:
    """Return a message with its length before it."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def decode(body: bytes) -> Message:
    """Return the message in `body`.

    Raises:
        ValueError: it is not a JSON object.
    """
    try:
        message: Any = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return cast("Message", message)
