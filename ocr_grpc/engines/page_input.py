"""Puts the pixels of a page together from what `serve` sends."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.engine import PageImage, ReadOptions
from ocr_grpc.internal.v1 import engine_service_pb2 as pb

MAX_PIXELS = 400_000_000
"""A worker's own bound, whatever `serve` allows: one page must fit into memory."""


class InvalidPage(Exception):
    """The messages do not make a page; the text says why."""


async def receive_page(
    requests: AsyncIterator[pb.ReadRequest], spool: Path | None
) -> tuple[PageImage, ReadOptions]:
    """Return the page that the messages describe.

    Args:
        requests: a header, then one spool file name or chunks.
        spool: the folder that names are looked up in; None refuses them (a remote worker).

    Raises:
        InvalidPage: the order is wrong, or the pixels do not fit the header.
    """
    header: pb.ReadHeader | None = None
    chunks: list[bytes] = []
    size_bytes = 0
    file_name = ""
    async for request in requests:
        if header is None:
            header = _checked(request)
            continue
        if request.WhichOneof("part") == "spool_file" and not file_name and not chunks:
            file_name = request.spool_file
        elif request.WhichOneof("part") == "chunk" and not file_name:
            size_bytes += len(request.chunk)
            if size_bytes > _expected_bytes(header):
                raise InvalidPage("More pixels came than the header announced.")
            chunks.append(request.chunk)
        else:
            raise InvalidPage("Pixels come as one spool file or as chunks, after one header.")
    if header is None:
        raise InvalidPage("No header came.")
    pixels = (
        _map_file(file_name, spool, _expected_bytes(header))
        if file_name
        else np.frombuffer(b"".join(chunks), dtype=np.uint8)
    )
    if pixels.size != _expected_bytes(header):
        raise InvalidPage(f"{pixels.size} bytes came, {_expected_bytes(header)} were announced.")
    shape = (header.height_px, header.width_px) + ((3,) if header.channels == 3 else ())
    return PageImage(pixels.reshape(shape), header.dpi), ReadOptions(tuple(header.languages))


def _checked(request: pb.ReadRequest) -> pb.ReadHeader:
    if request.WhichOneof("part") != "header":
        raise InvalidPage("The header must come first.")
    header = request.header
    if header.width_px < 1 or header.height_px < 1 or header.channels not in (1, 3):
        raise InvalidPage("A page has at least one pixel, of one or three bytes.")
    if header.width_px * header.height_px > MAX_PIXELS:
        raise InvalidPage(f"A page has at most {MAX_PIXELS} pixels.")
    return header


def _expected_bytes(header: pb.ReadHeader) -> int:
    return header.width_px * header.height_px * header.channels


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
