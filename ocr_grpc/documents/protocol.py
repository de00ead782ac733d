"""What the server and a reader process say to each other: JSON, each message after its length.

The server asks, the reader answers, one at a time. Requests, each with the open files that come
before it through the reader's socket (a reader opens none itself):

    {"op": "ping"}                                                  -> {}
    {"op": "open", "kind": str, "name": str, "password": str}       -> {"pages": int, "kind": str}
        files: the document; for the office family a scratch file as well
    {"op": "text", "page": int, "dpi": int}                         -> see `TextAnswer`
    {"op": "structured", "page": int, "format": str}                -> see `StructuredAnswer`
    {"op": "render", "page": int, "dpi": int}                       -> see `RenderAnswer`
    {"op": "picture", "picture": int}                               -> see `RenderAnswer`
        files: where to write the pixels
    {"op": "inspect", "page": int, "dpi": int}                      -> see `InspectAnswer`
    {"op": "close"}                                                 -> nothing is answered

Pages count from 0. `kind` is empty in a request if the beginning of the document does not tell it,
and `name` is no more than the ending of its file name, such as `md`. An answer is `{"ok": …}` or
`{"error": code, …}` with a code of `Failure`. What a reader says is not trusted: `answers.py`
checks every field of it.
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
MAX_WRITTEN_CHARACTERS = 200_000
"""The same for a page of structured text; a longer chapter or sheet goes on on a further page."""
MIN_DPI, MAX_DPI = 1, 1200
"""What may be asked for; 0 leaves it to the reader."""

Message = dict[str, Any]


class Failure(Enum):
    """Why a reader could not do what was asked; the server makes the sentence."""

    CORRUPT = "corrupt"
    UNKNOWN_FORMAT = "unknown_format"
    """It is none of the formats of this family."""
    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    """It is encrypted, and no password was given."""
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    ENCRYPTED = "encrypted"
    """It is encrypted in a way that no password given here opens."""
    ARCHIVE_MEMBERS = "archive_members"
    """With `found`, as the next two: one more than allowed, if counting stopped there."""
    ARCHIVE_BYTES = "archive_bytes"
    ARCHIVE_RATIO = "archive_ratio"
    ARCHIVE_PATH = "archive_path"
    """A member would lie outside of its archive."""
    ARCHIVE_LINK = "archive_link"
    ARCHIVE_NESTED = "archive_nested"
    """A member is an archive where none belongs."""
    ARCHIVE_AMBIGUOUS = "archive_ambiguous"
    """Two members have one name, or its two directories disagree."""
    DOCTYPE = "doctype"
    TOO_MANY_PAGES = "too_many_pages"
    """With `found`, as counted until it gave up."""
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
    blank: bool


class StructuredAnswer(TypedDict):
    """A page with structure; a segment is text, or a picture's number and whether it is inline.

    All segments together have at most `MAX_WRITTEN_CHARACTERS`.
    """

    format: str
    segments: list[str | tuple[int, bool]]
    left_out: int


class InspectAnswer(TypedDict):
    """What a page is; sizes 0 for structured text. See `PageInspection`."""

    width: int
    height: int
    dpi: float
    width_pt: float
    height_pt: float
    text_share: float
    rotation: int
    blank: bool
    pictures: int
    because: str


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
