import base64
import random

import pytest

from ocr_grpc.fetching.data_uri import PIECE_CHARS, base64_chunks, data_uri_chunks
from ocr_grpc.fetching.errors import InvalidUrl

CONTENT = random.Random(1).randbytes(2 * PIECE_CHARS + 1)
ENCODED = base64.b64encode(CONTENT).decode()


async def decoded(uri: str) -> bytes:
    return b"".join([chunk async for chunk in data_uri_chunks(uri, "url")])


async def test_base64_of_any_size_is_decoded_piece_by_piece():
    for size in (0, 1, 2, 3, 1000, len(CONTENT) - 2, len(CONTENT) - 1, len(CONTENT)):
        uri = "data:application/pdf;base64," + base64.b64encode(CONTENT[:size]).decode()
        assert await decoded(uri) == CONTENT[:size]
    sizes = [len(chunk) async for chunk in data_uri_chunks("data:;base64," + ENCODED, "url")]
    assert len(sizes) > 2
    assert max(sizes) <= PIECE_CHARS


async def test_line_ends_in_base64_are_nothing():
    lines = base64.encodebytes(CONTENT).decode()
    assert await decoded("data:;base64," + lines) == CONTENT
    assert await decoded("data:;base64," + lines.replace("\n", "\r\n")) == CONTENT


async def test_parameters_and_letter_case_do_no_harm():
    assert await decoded('DATA:text/plain;charset=utf-8;name="a";Base64,aGk=') == b"hi"


async def test_without_base64_it_is_escaped_text():
    assert await decoded("data:,a%20b%C3%A4") == "a bä".encode()
    text = "x" * (PIECE_CHARS - 8) + "%20%21" * 3
    assert await decoded("data:text/plain," + text) == b"x" * (PIECE_CHARS - 8) + b" !" * 3
    assert await decoded("data:,100%") == b"100%"


async def test_base64_alone_is_decoded_too():
    assert b"".join([chunk async for chunk in base64_chunks("aGk=", "file")]) == b"hi"


@pytest.mark.parametrize(
    "uri",
    [
        "data:application/pdf;base64",
        "data:" + "x" * 2000 + ",",
        "data:;base64,aGk",
        "data:;base64,aG=k",
        "data:;base64,aGk=aGk=",
        "data:;base64,aGk=" + " " * PIECE_CHARS + "aGk=",
        "data:;base64,aG-_",
        "data:;base64,aGkä",
        "data:;base64,!!!!",
    ],
)
async def test_what_is_not_well_formed_is_refused_and_not_repeated(uri):
    with pytest.raises(InvalidUrl) as refused:
        await decoded(uri)
    assert refused.value.field == "url"
    assert "aG" not in refused.value.message
