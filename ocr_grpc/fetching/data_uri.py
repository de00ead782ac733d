"""Decodes documents that stand inside a request, piece by piece: whole, they stop everything."""

import binascii
import re
from collections.abc import AsyncGenerator
from urllib.parse import unquote_to_bytes

from ocr_grpc.fetching.errors import InvalidUrl

SCHEME = "data:"
MAX_HEAD_CHARS = 1_000
PIECE_CHARS = 256 * 1024

_SPACES = " \t\r\n"
_CUT_ESCAPE = re.compile(r"%.?\Z", re.DOTALL)


def is_data_uri(text: str) -> bool:
    """Return whether a text is a `data:` URI."""
    return text[: len(SCHEME)].lower() == SCHEME


async def data_uri_chunks(uri: str, field: str) -> AsyncGenerator[bytes, None]:
    """Yield what a `data:` URI holds.

    Raises:
        InvalidUrl: it is not written as RFC 2397 says.
    """
    comma = uri.find(",", 0, MAX_HEAD_CHARS)
    if comma < 0:
        raise InvalidUrl(f"The `data:` URI in `{field}` has no comma.", field=field)
    is_base64 = uri[:comma].rstrip().lower().endswith(";base64")
    chunks = base64_chunks if is_base64 else _escaped_chunks
    async for chunk in chunks(uri, field, comma + 1):
        yield chunk


async def base64_chunks(text: str, field: str, start: int = 0) -> AsyncGenerator[bytes, None]:
    """Yield what Base64 from `start` on holds; spaces and line ends in it are nothing.

    Raises:
        InvalidUrl: it is none.
    """
    rest = ""
    for begin in range(start, len(text), PIECE_CHARS):
        piece = rest + _without_spaces(text[begin : begin + PIECE_CHARS])
        whole = len(piece) - len(piece) % 4
        rest = piece[whole:]
        padded = piece.endswith("=", 0, whole)
        try:
            yield binascii.a2b_base64(piece[:whole], strict_mode=True)
        except ValueError:
            raise _no_base64(field) from None
        if padded and (rest or text[begin + PIECE_CHARS :].strip(_SPACES)):
            raise _no_base64(field)
    if rest:
        raise _no_base64(field)


async def _escaped_chunks(text: str, field: str, start: int) -> AsyncGenerator[bytes, None]:
    rest = ""
    for begin in range(start, len(text), PIECE_CHARS):
        piece = rest + text[begin : begin + PIECE_CHARS]
        cut = _CUT_ESCAPE.search(piece)
        rest = cut[0] if cut else ""
        yield unquote_to_bytes(piece[: len(piece) - len(rest)])
    if rest:
        yield rest.encode()


def _without_spaces(piece: str) -> str:
    for space in _SPACES:
        piece = piece.replace(space, "")  # nothing is copied where there is none
    return piece


def _no_base64(field: str) -> InvalidUrl:
    return InvalidUrl(f"What is in `{field}` is no Base64.", field=field)
