import asyncio
import io
import os
import threading
from pathlib import Path

import pytest

from ocr_grpc_client.sources import PIECE_BYTES, upload_of

CONTENT = bytes(range(256)) * 1024 * 3 + b"end"


async def pieces_of(source: object) -> list[bytes]:
    upload = await upload_of(source)
    return [piece async for piece in upload.pieces()]


async def test_every_kind_of_source_gives_the_same_bytes_in_pieces(tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)

    async def chunks():
        yield CONTENT[:7]
        yield b""
        yield CONTENT[7:]

    sources = [path, str(path), CONTENT, bytearray(CONTENT), io.BytesIO(CONTENT), [CONTENT]]
    for source in [*sources, chunks()]:
        pieces = await pieces_of(source)
        assert b"".join(pieces) == CONTENT
        assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


async def test_name_and_size_are_known_where_they_can_be(tmp_path: Path):
    path = tmp_path / "scan.pdf"
    path.write_bytes(CONTENT)
    by_path = await upload_of(path)
    assert (by_path.file_name, by_path.size_bytes) == ("scan.pdf", len(CONTENT))
    assert by_path.repeatable
    with path.open("rb") as file:
        by_file = await upload_of(file)
    assert (by_file.file_name, by_file.size_bytes) == ("scan.pdf", 0)
    assert not by_file.repeatable
    assert (await upload_of(b"abc", "a.txt")).size_bytes == 3


async def test_a_path_can_be_read_twice(tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    upload = await upload_of(path)
    for _ in range(2):
        assert b"".join([piece async for piece in upload.pieces()]) == CONTENT


async def test_what_does_not_exist_is_told_before_anything_is_sent(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        await upload_of(tmp_path / "nothing")


async def test_a_file_opened_for_text_is_refused(tmp_path: Path):
    (tmp_path / "a.txt").write_text("Hello")
    with (tmp_path / "a.txt").open() as file, pytest.raises(TypeError):
        await pieces_of(file)


async def test_a_pipe_is_read_once_and_may_wait_without_holding_anybody(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    upload = await upload_of(tmp_path / "pipe")
    assert not upload.repeatable
    async with asyncio.timeout(10):
        reading = asyncio.create_task(anext(upload.pieces()))
        os.write(writer, b"abc")
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
    os.close(writer)


async def test_sources_that_wait_leave_threads_to_others(tmp_path: Path):
    may_end = threading.Event()

    def waiting():
        may_end.wait(60)
        yield b"abc"

    slow = [asyncio.create_task(pieces_of(waiting())) for _ in range(50)]
    async with asyncio.timeout(10):
        assert await pieces_of([b"abc"]) == [b"abc"]
    may_end.set()
    assert await asyncio.gather(*slow) == [[b"abc"]] * 50
