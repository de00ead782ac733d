"""Batches that callers make, several watch, and whose results they fetch."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
import grpc.aio

from benchmarks.load.caller import Caller, Sent
from benchmarks.load.corpus import LoadDocument
from benchmarks.load.seen import BatchSigns, reason_of
from ocr_grpc.v1 import batch_service_pb2 as pb

WATCH_SECONDS = 600.0
AGAIN_SECONDS = 0.5
PATIENCE_SECONDS = 180.0
ANSWER_SECONDS = 60.0

PASSING = {"UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED", "RESOURCE_EXHAUSTED"}
PASSING |= {"DEADLINE_EXCEEDED"}

Answer = TypeVar("Answer")


async def lasting(question: Callable[[], Awaitable[Answer]]) -> Answer:
    """Return an answer, asked for again while what is in the way may pass.

    Raises:
        grpc.aio.AioRpcError: it does not pass, or takes longer than three minutes.
    """
    given_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await question()
        except grpc.aio.AioRpcError as error:
            name = error.code().name
            inner = name in ("INTERNAL", "UNKNOWN") and reason_of(error)
            if name not in PASSING or inner or time.monotonic() > given_up:
                raise
        await asyncio.sleep(AGAIN_SECONDS)


async def make_batch(caller: Caller, documents: list[LoadDocument], request_id: str) -> str:
    """Make a batch, however often that takes; return its id, empty if it failed."""
    name = caller.begin("create", request_id=request_id)
    request = pb.CreateBatchRequest(request_id=request_id)
    for each in documents:
        request.documents.add(
            content=each.content, file_name=each.file_name, options=each.options()
        )

    async def create() -> pb.CreateBatchResponse:
        metadata = caller.metadata(name)
        return await caller.batches.CreateBatch(request, metadata=metadata, timeout=ANSWER_SECONDS)

    try:
        batch = (await lasting(create)).batch
    except grpc.aio.AioRpcError as error:
        caller.recorder.note("end", call=name, status=error.code().name, reason=reason_of(error))
        return ""
    names = [each.name for each in documents]
    caller.recorder.note("batch", call=name, batch=batch.batch_id, documents=names)
    caller.recorder.note("end", call=name, status="OK")
    return batch.batch_id


async def watch(caller: Caller, batch_id: str, pause_seconds: float = 0.0) -> None:
    """Watch a batch to its end, through connections that break."""
    name = caller.begin("watch")
    caller.recorder.note("batch", call=name, batch=batch_id)
    signs, sequence, finished = BatchSigns(), 0, False

    async def rest() -> None:
        nonlocal sequence, finished
        request = pb.WatchBatchRequest(batch_id=batch_id, after_sequence=sequence)
        call = caller.batches.WatchBatch(
            request, metadata=caller.metadata(name), timeout=WATCH_SECONDS
        )
        async for event in call:
            caller.recorder.note("event", call=name, **signs.of(event))
            sequence, finished = event.sequence, event.HasField("finished")
            if pause_seconds:
                await asyncio.sleep(pause_seconds)

    try:
        await lasting(rest)
    except grpc.aio.AioRpcError as error:
        if not finished:
            status, reason = error.code().name, reason_of(error)
            caller.recorder.note("end", call=name, status=status, reason=reason)
            return
    caller.recorder.note("end", call=name, status="OK")


async def fetch_results(caller: Caller, batch_id: str, documents: list[LoadDocument]) -> None:
    """Note the text of every document of a batch that has ended."""
    name = caller.begin("results")
    caller.recorder.note("batch", call=name, batch=batch_id)
    seconds = ANSWER_SECONDS

    async def listed() -> pb.ListBatchDocumentsResponse:
        request = pb.ListBatchDocumentsRequest(batch_id=batch_id, page_size=len(documents))
        metadata = caller.metadata(name)
        return await caller.batches.ListBatchDocuments(request, metadata=metadata, timeout=seconds)

    try:
        for each in (await lasting(listed)).documents:
            if each.pages_ok + each.pages_degraded == each.page_count > 0:
                text = await _result(caller, name, batch_id, each.document_id)
                caller.recorder.note(
                    "result", call=name, batch=batch_id, number=each.number, text=text
                )
    except grpc.aio.AioRpcError as error:
        status, reason = error.code().name, reason_of(error)
        caller.recorder.note("end", call=name, status=status, reason=reason)
        return
    caller.recorder.note("end", call=name, status="OK")


async def _result(caller: Caller, name: str, batch_id: str, document_id: str) -> str:
    request = pb.DownloadBatchDocumentRequest(
        batch_id=batch_id, document_id=document_id, format=pb.RESULT_FORMAT_TEXT
    )

    async def fetched() -> bytes:
        call = caller.batches.DownloadBatchDocument(
            request, metadata=caller.metadata(name), timeout=ANSWER_SECONDS
        )
        return b"".join([piece.content.data async for piece in call])

    return (await lasting(fetched)).decode()


async def whole_batch(caller: Caller, sent: Sent) -> str:
    """Make a batch, twice under one id, have two watch it, and fetch the results."""
    small = [each for each in caller.corpus.small() if each.name != "strange"]
    weights = [each.weight for each in small]
    documents = caller.dice.choices(small, weights, k=caller.dice.randint(1, 5))
    request_id = f"{caller.prefix}-{sent.name}"
    ids = await asyncio.gather(
        *(make_batch(caller, documents, request_id) for _ in range(caller.dice.randint(1, 2)))
    )
    if not ids[0]:
        return "FAILED"
    await asyncio.gather(watch(caller, ids[0]), watch(caller, ids[0], pause_seconds=0.1))
    await fetch_results(caller, ids[0], documents)
    return "OK"
