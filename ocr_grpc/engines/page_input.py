"""Takes the pixels of a page that `serve` sends: a file that both see, or chunks over the network.

A worker process takes either and reads it at once. A machine of many workers writes the chunks to a
file of its own, which its workers then read.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.engine import PageImage, ReadOptions
from ocr_grpc.engines.errors import PixelsLate
from ocr_grpc.internal.v1 import engine_service_pb2 as pb

MAX_PIXELS = 400_000_000
"""A worker's own bound, whatever `serve` allows: one page must fit into memory."""

MAX_CHUNK_BYTES = 1024 * 1024

PAUSE_SECONDS = 30.0
"""How long the next pixels of a page may take to arrive: 1 MiB, beside pages of the same server."""

LEAST_BYTES_PER_SECOND = 64 * 1024
"""How fast all of them must come on the whole, or a page of tiny chunks would never end."""


class InvalidPage(Exception):
    """The messages do not make a page; the text says why."""


async def in_time(
    requests: AsyncIterator[pb.ReadRequest], pause_seconds: float = PAUSE_SECONDS
) -> AsyncGenerator[pb.ReadRequest, None]:
    """Yield the messages of a page, which may take the longer the larger it is.

    Raises:
        PixelsLate: nothing came for so long, or too little on the whole.
    """
    messages = aiter(requests)
    end = monotonic() + pause_seconds
    while True:
        try:
            async with asyncio.timeout(min(pause_seconds, end - monotonic())):
                request = await anext(messages, None)
        except TimeoutError:
            raise PixelsLate("The pixels did not arrive in time.") from None
        if request is None:
            return
        end += len(request.chunk) / LEAST_BYTES_PER_SECOND
        yield request


async def receive_page(
    requests: AsyncIterator[pb.ReadRequest], spool: Path | None
) -> tuple[PageImage, ReadOptions]:
    """Return the page that the messages describe, in memory or mapped.

    Args:
        requests: a header, then one spool file name or chunks.
        spool: the folder that names are looked up in; None refuses them.

    Raises:
        InvalidPage: the order is wrong, or the pixels do not fit the header.
    """
    header = await receive_header(requests)
    chunks: list[bytes] = []
    received_bytes = 0
    file_name = ""
    async for request in requests:
        if request.WhichOneof("part") == "spool_file" and not file_name and not chunks:
            file_name = request.spool_file
        elif request.WhichOneof("part") == "chunk" and not file_name:
            chunks.append(_fitting(request.chunk, received_bytes, header))
            received_bytes += len(request.chunk)
        else:
            raise InvalidPage("Pixels come as one spool file or as chunks, after one header.")
    pixels = (
        _map_file(file_name, spool, size_bytes(header))
        if file_name
        else np.frombuffer(b"".join(chunks), dtype=np.uint8)
    )
    _check_size(pixels.size, header)
    shape = (header.height_px, header.width_px) + ((3,) if header.channels == 3 else ())
    return PageImage(pixels.reshape(shape), header.dpi), options_of(header)


async def receive_header(requests: AsyncIterator[pb.ReadRequest]) -> pb.ReadHeader:
    """Return the header, which comes first.

    Raises:
        InvalidPage: it does not, or it describes no page.
    """
    async for request in requests:
        return _checked(request)
    raise InvalidPage("No header came.")


@asynccontextmanager
async def received_file(
    header: pb.ReadHeader, requests: AsyncIterator[pb.ReadRequest], folder: Path
) -> AsyncGenerator[Path, None]:
    """Write the chunks to a new file, which exists until the block is left.

    Raises:
        InvalidPage: something else than chunks came, or the pixels do not fit the header.
        OSError: the disk is full.
    """
    path = folder / f"page-{secrets.token_hex(16)}"
    received_bytes = 0
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            async for request in requests:
                if request.WhichOneof("part") != "chunk":
                    raise InvalidPage("Between machines, pixels come as chunks after one header.")
                chunk = _fitting(request.chunk, received_bytes, header)
                received_bytes += len(chunk)
                await _finished(asyncio.to_thread(file.write, chunk))
        _check_size(received_bytes, header)
        yield path
    finally:
        path.unlink(missing_ok=True)


def options_of(header: pb.ReadHeader) -> ReadOptions:
    """Return what the caller asks of the engine."""
    return ReadOptions(tuple(header.languages), header.words)


def size_bytes(header: pb.ReadHeader) -> int:
    """Return how many bytes of pixels a header announces."""
    return header.width_px * header.height_px * header.channels


async def _finished(writing: Coroutine[Any, Any, int]) -> None:
    """Wait even when cancelled: else the file would be closed under its writer."""
    task = asyncio.create_task(writing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _checked(request: pb.ReadRequest) -> pb.ReadHeader:
    if request.WhichOneof("part") != "header":
        raise InvalidPage("The header must come first.")
    header = request.header
    if header.width_px < 1 or header.height_px < 1 or header.channels not in (1, 3):
        raise InvalidPage("A page has at least one pixel, of one or three bytes.")
    if header.width_px * header.height_px > MAX_PIXELS:
        raise InvalidPage(f"A page has at most {MAX_PIXELS} pixels.")
    return header


def _fitting(chunk: bytes, before_bytes: int, header: pb.ReadHeader) -> bytes:
    if not 0 < len(chunk) <= MAX_CHUNK_BYTES:
        raise InvalidPage(f"A chunk has at least one byte and at most {MAX_CHUNK_BYTES}.")
    if before_bytes + len(chunk) > size_bytes(header):
        raise InvalidPage("More pixels came than the header announced.")
    return chunk


def _check_size(received_bytes: int, header: pb.ReadHeader) -> None:
    if received_bytes != size_bytes(header):
        raise InvalidPage(f"{received_bytes} bytes came, {size_bytes(header)} were announced.")


def _map_file(name: str, spool: Path | None, expected_bytes: int) -> NDArray[np.uint8]:
    if spool is None or "/" in name or name.startswith("."):
        raise InvalidPage("A spool file is named without a folder, on the same machine.")
    path = spool / name
    try:
        if path.stat().st_size != expected_bytes:
            raise InvalidPage("The spool file has another size than the header announced.")
        # Mapped, so that the pixels are in memory once, whoever looks at them.
        return np.memmap(path, dtype=np.uint8, mode="r")
    except OSError as error:
        raise InvalidPage(f"The spool file cannot be read: {error.strerror}.") from None
