"""Sends a page to a worker: the name of its file, or its pixels."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from ocr_grpc.engines.page_read import PageRead, Priority
from ocr_grpc.internal.v1 import engine_service_pb2 as pb

CHUNK_BYTES = 1024 * 1024

PRIORITIES = {
    Priority.INTERACTIVE: pb.PRIORITY_INTERACTIVE,
    Priority.BATCH: pb.PRIORITY_BATCH,
}


Admitted = Callable[[], Awaitable[bool]]
"""Waits until the worker has said whether it takes the page."""


async def page_in_spool(read: PageRead, _: Admitted) -> AsyncGenerator[pb.ReadRequest, None]:
    """Yield a page for a worker that sees the same spool folder."""
    yield _header(read)
    yield pb.ReadRequest(spool_file=read.page.path.name)


async def page_in_chunks(
    read: PageRead, admitted: Admitted
) -> AsyncGenerator[pb.ReadRequest, None]:
    """Yield a page, and its pixels once it is admitted: they are not sent for nothing.

    Raises:
        OSError: its file is gone, as nobody wants the page any more.
    """
    yield _header(read)
    if not await admitted():
        return
    with read.page.path.open("rb") as file:
        # In a thread: under pressure the pixels come back from the disk.
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield pb.ReadRequest(chunk=chunk)


def _header(read: PageRead) -> pb.ReadRequest:
    geometry = read.page.geometry
    return pb.ReadRequest(
        header=pb.ReadHeader(
            width_px=geometry.width_px,
            height_px=geometry.height_px,
            channels=read.page.channels,
            dpi=geometry.dpi,
            languages=read.options.languages,
            caller=read.caller,
            priority=PRIORITIES[read.priority],
            words=read.options.words,
            weight=read.weight,
            extraction_id=read.extraction_id,
            page_number=read.page_number,
        )
    )
