"""Lists in pages: opaque tokens that say where the next page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from ocr_grpc.store.errors import InvalidPageToken

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 500

Row = TypeVar("Row")


def page_size_of(asked: int) -> int:
    """Return how many rows a page has: 50 unless asked otherwise, 500 at most."""
    return min(asked, MAX_PAGE_SIZE) if asked > 0 else DEFAULT_PAGE_SIZE


def older_than(
    token: str, time: InstrumentedAttribute[datetime], key: InstrumentedAttribute[str]
) -> list[ColumnElement[bool]]:
    """Return the condition for the page after `token` of a list with the newest first.

    Raises:
        InvalidPageToken: nobody gave that token out.
    """
    if not token:
        return []
    moment, last_key = decoded(token, 2)
    try:
        last_time = datetime.fromisoformat(moment)
        if last_time.tzinfo is None:
            raise ValueError
        last_time = last_time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidPageToken from None
    return [tuple_(time, key) < (last_time, last_key)]


def encoded(*values: str) -> str:
    """Return a token that holds the sort key of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decoded(token: str, count: int) -> list[str]:
    """Return the `count` values in a token.

    Raises:
        InvalidPageToken: nobody gave that token out.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidPageToken from None
    if not isinstance(values, list):
        raise InvalidPageToken
    parts = [value for value in values if isinstance(value, str)]  # pyright: ignore[reportUnknownVariableType]
    # No database takes a NUL or half a surrogate pair, and no key has one.
    if len(parts) != count or not all(part.isprintable() for part in parts):
        raise InvalidPageToken
    return parts


def one_page(
    rows: Sequence[Row], size: int, token_of: Callable[[Row], str]
) -> tuple[list[Row], str]:
    """Return the rows of a page and the token of the next, from a query for `size + 1` rows."""
    page = list(rows[:size])
    return page, token_of(page[-1]) if len(rows) > size else ""
