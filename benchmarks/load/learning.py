"""Users with keys of their own, and the texts of documents, learned while nothing is broken."""

import asyncio
import time
from collections.abc import Sequence

import grpc
import grpc.aio

from benchmarks.batch_parts import further_user
from benchmarks.load.caller import Doors
from benchmarks.load.corpus import MODEL_TEXT, Corpus, LoadDocument
from benchmarks.load.history import Recorder
from benchmarks.load.lasting import AGAIN_SECONDS
from benchmarks.load.seen import reason_of
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

Metadata = tuple[tuple[str, str], ...]

LEARN_SECONDS = 120.0
MODEL_TRIES = 60
"""The model's server is asked beside the start of the service."""


async def make_users(
    port: int, admin_key: str, count: int, prefix: str
) -> Sequence[tuple[str, str]]:
    """Make users without a limit of pages; return their names and keys."""
    names = [f"{prefix}{number}" for number in range(count)]
    return [(name, await further_user(port, admin_key, name)) for name in names]


async def learn(doors: Doors, key: str, corpus: Corpus, recorder: Recorder) -> None:
    """Have each document read once, and note its texts for the validator.

    Raises:
        RuntimeError: a document is not read as it should be, though nothing is broken.
    """
    async with doors.channel() as channel:
        texts: dict[str, dict[int, str]] = {}
        for document in corpus.documents.values():
            name, rpc = recorder.new_call(), f"learn-{document.name}-{time.time_ns():x}"
            recorder.note("begin", call=name, kind="learn", user="admin")
            recorder.note("rpc", call=name, rpc=rpc)
            metadata = (("x-api-key", key), ("x-request-id", rpc))
            found, refusal = await _read(channel, metadata, document)
            recorder.note("end", call=name, status="OK")
            if document.engine:
                # Where the model's server is gone its page is read by the usual engine.
                pages = {number: [MODEL_TEXT, texts["image"][number]] for number in found}
            else:
                pages = {number: [text] for number, text in found.items()}
            texts[document.name] = found
            recorder.note("document", document=document.name, pages=pages, refusal=refusal)


async def _read(
    channel: grpc.aio.Channel, metadata: Metadata, document: LoadDocument
) -> tuple[dict[int, str], str]:
    """Return the texts by page, or the reason for which it is refused."""

    async def requests():
        yield pb.UploadExtractRequest(options=document.options(), file_name=document.file_name)
        for start in range(0, len(document.content), 2**18):
            yield pb.UploadExtractRequest(content={"data": document.content[start : start + 2**18]})

    for _ in range(MODEL_TRIES):
        pages: dict[int, str] = {}
        stub = OcrServiceStub(channel)
        try:
            async for event in stub.UploadExtract(
                requests(), metadata=metadata, timeout=LEARN_SECONDS
            ):
                if event.HasField("page_finished"):
                    pages[event.page_finished.page_number] = event.page_finished.text
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT and not document.engine:
                return {}, reason_of(error)
        else:
            if not document.engine or pages == {1: MODEL_TEXT}:
                return pages, ""
        await asyncio.sleep(AGAIN_SECONDS)
    raise RuntimeError(f"{document.name} is not read as it should be.")
