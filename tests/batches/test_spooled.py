"""Results that are written to the disk before they leave, and a disk that is full."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from ocr_grpc.batches.spooled_pieces import spooled
from ocr_grpc.documents.errors import SpoolFull


async def pieces() -> AsyncGenerator[bytes, None]:
    yield b"one "
    yield b"two"


async def test_pieces_come_as_they_were(tmp_path):
    assert b"".join([piece async for piece in spooled(pieces(), tmp_path)]) == b"one two"


async def test_a_full_disk_is_said_so_and_nothing_else(tmp_path, monkeypatch):
    # A device that has no room, so that writing fails late, when the buffer is emptied.
    full = Path("/dev/full").open("wb")  # noqa: ASYNC230, SIM115 - what is tested closes it
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
    with pytest.raises(SpoolFull):
        await anext(spooled(pieces(), tmp_path))
    assert full.closed
