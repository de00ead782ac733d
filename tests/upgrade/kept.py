"""What a backup should bring back: made by calls, and looked for by calls."""

from dataclasses import dataclass

import grpc.aio

from ocr_grpc.v1 import access_pb2, batch_pb2, usage_service_pb2
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.people import House, Metadata
from tests.support import TEXT_LAYER_ONLY, encoded, picture, text_pdf

TEXT = b"# Oak boards\n\nThree pieces.\n"
HANGING = encoded(picture(first_pixel=0))
"""The engine `hang` sends one line of it and no more; `null` reads it."""

SCOPES = (access_pb2.SCOPE_OCR, access_pb2.SCOPE_BATCHES, access_pb2.SCOPE_USAGE)


@dataclass
class Kept:
    """What is expected to be there after a restore."""

    user_id: str
    key: Metadata
    access_token: str
    finished: str
    archive: bytes
    running: str
    summary: usage_service_pb2.GetUsageSummaryResponse


def channel(address: str) -> grpc.aio.Channel:
    options = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(address, options=options)


async def batch_of(home: House, key: Metadata, *documents: bytes) -> str:
    request = batch_pb.CreateBatchRequest(documents=[{"content": each} for each in documents])
    return (await home.batches.CreateBatch(request, metadata=key)).batch.batch_id


async def watch(home: House, key: Metadata, batch_id: str, until: str) -> batch_pb2.Batch:
    call = home.batches.WatchBatch(batch_pb.WatchBatchRequest(batch_id=batch_id), metadata=key)
    async for event in call:
        if event.WhichOneof("event") == until:
            call.cancel()
            return event.finished
    raise AssertionError(f"There was no {until}.")


async def archive_of(home: House, key: Metadata, batch_id: str) -> bytes:
    request = batch_pb.DownloadBatchRequest(batch_id=batch_id)
    pieces = home.batches.DownloadBatch(request, metadata=key)
    return b"".join([each.content.data async for each in pieces])


async def summary_of(home: House, key: Metadata) -> usage_service_pb2.GetUsageSummaryResponse:
    request = usage_service_pb2.GetUsageSummaryRequest()
    return await home.usage.GetUsageSummary(request, metadata=key)


async def begin(home: House) -> Kept:
    """Have everything that a backup should bring back."""
    user_id, user = await home.register("ann")
    _, key = await home.key(user, *SCOPES)
    extract = pb.ExtractRequest(content=text_pdf(3), options={"mode": TEXT_LAYER_ONLY})
    await home.ocr.Extract(extract, metadata=key)
    finished = await batch_of(home, key, TEXT, text_pdf(2))
    assert (await watch(home, key, finished, "finished")).progress.documents_finished == 2
    running = await batch_of(home, key, TEXT, HANGING)
    await watch(home, key, running, "document_finished")
    return Kept(
        user_id,
        key,
        user[0][1].removeprefix("Bearer "),
        finished,
        await archive_of(home, key, finished),
        running,
        await summary_of(home, key),
    )


async def load(home: House, calls: list[str]) -> None:
    """Write as fast as one can: pages, keys, uploads and their deletion, batches."""
    _, user = await home.register("bob")
    while True:
        extract = pb.ExtractRequest(content=text_pdf(2), options={"mode": TEXT_LAYER_ONLY})
        await home.ocr.Extract(extract, metadata=user)
        await home.keys.CreateKey(keys_pb.CreateKeyRequest(key={"scopes": SCOPES}), metadata=user)
        uploads = [batch_pb.UploadDocumentRequest(content={"data": TEXT * 9})]
        kept = (await home.batches.UploadDocument(iter(uploads), metadata=user)).document
        made = await batch_of(home, user, TEXT)
        if len(calls) % 2:
            delete = batch_pb.DeleteUploadRequest(upload_id=kept.upload_id)
            await home.batches.DeleteUpload(delete, metadata=user)
            await home.batches.DeleteBatch(
                batch_pb.DeleteBatchRequest(batch_id=made), metadata=user
            )
        calls.append(made)
