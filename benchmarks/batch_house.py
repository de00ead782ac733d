"""A server for measurements of batches, and batches that it reads."""

import io
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
from PIL import Image

from benchmarks.batch_parts import QUIET, Member, admin_key, caller, free_port, uploaded
from ocr_grpc.commands.batch_link import BatchLink
from ocr_grpc.commands.batch_watching import events
from ocr_grpc.cores import cores
from ocr_grpc.v1 import batch_pb2, options_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

FORCE_OCR = options_pb2.ExtractOptions(mode=options_pb2.MODE_FORCE_OCR)

Documents = list[tuple[str, bytes]]
"""Names and contents."""


@dataclass(frozen=True)
class House:
    """A server, and its administrator, who calls it."""

    server: Member
    port: int
    key: str
    link: BatchLink

    @property
    def process(self) -> psutil.Process:
        """The process of the server."""
        assert self.server.process
        return psutil.Process(self.server.process.pid)

    def engines(self) -> list[psutil.Process]:
        """Return the processes of the engine."""
        return [
            child
            for child in self.process.children()
            if "ocr_grpc.engines.worker" in " ".join(child.cmdline())
        ]


@asynccontextmanager
async def house(folder: Path, **settings: object) -> AsyncIterator[House]:
    """Run a server on a folder."""
    port = free_port()
    values = QUIET | {"data_dir": folder / "data", "grpc_port": port, "readers": cores()} | settings
    server = Member(["serve", "--no-http"], values)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        await server.start()
        key = await admin_key(port)
        yield House(server, port, key, await stack.enter_async_context(caller([port], key)))


@cache
def tiny(pages: int) -> bytes:
    """Return a PDF of page images of a few pixels, so that drawing them costs little."""
    page, sink = Image.new("L", (64, 48), 255), io.BytesIO()
    page.putpixel((5, 5), 0)
    page.save(sink, "PDF", save_all=True, append_images=[page] * (pages - 1), resolution=72)
    return sink.getvalue()


async def made(link: BatchLink, documents: Documents, force_ocr: bool = True) -> batch_pb2.Batch:
    """Return a new batch; the same document is uploaded once."""
    uploads: dict[bytes, str] = {}
    for name, content in documents:
        if content not in uploads:
            uploads[content] = await uploaded(link, name, content)
    new = [
        pb.NewBatchDocument(upload_id=uploads[content], file_name=name)
        for name, content in documents
    ]
    options = FORCE_OCR if force_ocr else None
    request = pb.CreateBatchRequest(documents=new, options=options)
    return (await link.ask(link.batches.CreateBatch, request, seconds=60)).batch


async def finished(link: BatchLink, batch: batch_pb2.Batch) -> tuple[float, int]:
    """Return the seconds from the first document's start to the end of a batch, and its pages."""
    first = last = 0.0
    pages = 0
    async for event in events(link, batch.batch_id):
        at = event.create_time.ToMicroseconds() / 1e6
        first, last = first or at, at
        pages += event.HasField("page_finished")
    return last - first, pages


async def rate_of(link: BatchLink, documents: Documents, force_ocr: bool = True) -> float:
    """Return the pages/s of a batch."""
    seconds, pages = await finished(link, await made(link, documents, force_ocr))
    return pages / seconds


async def seconds_of(link: BatchLink, documents: Documents) -> float:
    """Return the seconds from the creation of a batch to its last event, as its owner waits."""
    batch = await made(link, documents)
    began = batch.create_time.ToMicroseconds() / 1e6
    async for _ in events(link, batch.batch_id):
        pass
    return time.time() - began
