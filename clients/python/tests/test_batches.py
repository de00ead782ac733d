"""BatchService: all of its RPCs, and what `OcrClient` does with batches."""

import json
import zipfile
from pathlib import Path

import pytest
from conftest import expected_pages, sample

from ocr_grpc_client import NewBatchDocument, OcrClient, OcrError, ResultFormat
from ocr_grpc_client.batches import Batches, save
from ocr_grpc_client.messages import (
    Batch,
    BatchState,
    CancelBatchRequest,
    CreateBatchRequest,
    DeleteBatchRequest,
    DeleteUploadRequest,
    DocumentState,
    DownloadBatchDocumentRequest,
    DownloadBatchRequest,
    GetBatchDocumentRequest,
    GetBatchRequest,
    HttpBody,
    ListBatchDocumentsRequest,
    ListBatchesRequest,
    UploadDocumentRequest,
    WatchBatchResponse,
)


async def test_a_batch_is_watched_to_its_end_and_downloaded(person, tmp_path: Path):
    client = person.client
    batch = await client.create_batch(
        [sample("scan.pdf"), sample("text.pdf")], display_name="October"
    )
    events = [event async for event in client.watch(batch.batch_id, pages=True)]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].finished.state is BatchState.FINISHED
    pages = [event.page_finished for event in events if event.page_finished]
    assert len(pages) == 5
    assert {page.page.text for page in pages} >= set(expected_pages())
    later = [
        event async for event in client.watch(batch.batch_id, after_sequence=events[-2].sequence)
    ]
    assert [event.sequence for event in later] == [events[-1].sequence]

    scan, text = (
        await client.batches.list_batch_documents(
            ListBatchDocumentsRequest(batch_id=batch.batch_id)
        )
    ).documents
    assert (scan.file_name, scan.state) == ("scan.pdf", DocumentState.FINISHED)
    assert await client.result(batch.batch_id, scan.document_id) == "\f".join(expected_pages())
    size_bytes = await client.download(
        batch.batch_id, tmp_path / "scan.txt", document_id=scan.document_id
    )
    assert (tmp_path / "scan.txt").read_text() == "\f".join(expected_pages())
    assert size_bytes == (tmp_path / "scan.txt").stat().st_size
    await client.download(batch.batch_id, tmp_path / "all.zip", format=ResultFormat.MARKDOWN)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert sum(name.endswith(".md") for name in archive.namelist()) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"scan.txt", "all.zip"}  # noqa: ASYNC240
    request = GetBatchDocumentRequest(batch_id=batch.batch_id, document_id=text.document_id)
    assert (await client.batches.get_batch_document(request)).document.pages_ok == 2


async def test_a_batch_is_cancelled_listed_and_deleted(person):
    client = person.client
    batch = await client.create_batch([sample("long.pdf")])
    cancelled = await client.batches.cancel_batch(CancelBatchRequest(batch_id=batch.batch_id))
    assert cancelled.batch.state is BatchState.CANCELLED
    events = [event async for event in client.watch(batch.batch_id)]
    assert events[-1].finished.state is BatchState.CANCELLED
    listed = (await client.batches.list_batches(ListBatchesRequest())).batches
    assert [each.batch_id for each in listed] == [batch.batch_id]
    shown = await client.batches.get_batch(GetBatchRequest(batch_id=batch.batch_id))
    assert shown.batch.progress == cancelled.batch.progress
    await client.batches.delete_batch(DeleteBatchRequest(batch_id=batch.batch_id))
    with pytest.raises(OcrError) as gone:
        await client.batches.get_batch(GetBatchRequest(batch_id=batch.batch_id))
    assert gone.value.reason == "BATCH_NOT_FOUND"


async def test_a_repetition_returns_the_same_batch(ann):
    documents = [NewBatchDocument(content=b"Hello", file_name="a.txt")]
    batches = [await ann.client.create_batch(documents, request_id="october") for _ in range(2)]
    assert batches[0].batch_id == batches[1].batch_id


async def test_uploads_are_kept_until_they_are_deleted(ann):
    async def requests():
        yield UploadDocumentRequest(file_name="a.txt", size_bytes=5)
        yield UploadDocumentRequest(content=HttpBody(data=b"Hello"))

    by_hand = (await ann.client.batches.upload_document(requests())).document
    uploaded = await ann.client.upload(b"Hello", file_name="a.txt")
    assert (uploaded.size_bytes, uploaded.sha256) == (5, by_hand.sha256)
    request = DeleteUploadRequest(upload_id=uploaded.upload_id)
    await ann.client.batches.delete_upload(request)
    with pytest.raises(OcrError) as gone:
        await ann.client.batches.delete_upload(request)
    assert gone.value.reason == "UPLOAD_NOT_FOUND"


async def test_what_is_not_finished_is_not_downloaded(ann, tmp_path: Path):
    made = await ann.client.batches.create_batch(
        CreateBatchRequest(documents=[NewBatchDocument(content=sample("long.pdf").read_bytes())])
    )
    batch_id = made.batch.batch_id
    with pytest.raises(OcrError) as early:
        await ann.client.download(batch_id, tmp_path / "all.zip")
    assert early.value.reason == "BATCH_NOT_FINISHED"
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240
    await ann.client.batches.cancel_batch(CancelBatchRequest(batch_id=batch_id))


async def test_stubs_download_in_pieces(ann):
    batch = await ann.client.create_batch([sample("text.pdf")])
    events = [event async for event in ann.client.watch(batch.batch_id)]
    [document] = [event.document_finished for event in events if event.document_finished]
    one = ann.client.batches.download_batch_document(
        DownloadBatchDocumentRequest(batch_id=batch.batch_id, document_id=document.document_id)
    )
    pieces = [piece.content async for piece in one]
    assert pieces[0].content_type.startswith("application/json")
    assert json.loads(b"".join(piece.data for piece in pieces))["document_page_count"] == 2
    whole = ann.client.batches.download_batch(DownloadBatchRequest(batch_id=batch.batch_id))
    assert b"".join([piece.content.data async for piece in whole])[:2] == b"PK"


async def test_a_watch_that_ends_too_early_goes_on():
    """A proxy may end a stream well in the middle; the service never does."""
    asked: list[int] = []

    class Stub:
        async def watch_batch(self, request):
            asked.append(request.after_sequence)
            yield WatchBatchResponse(sequence=len(asked))
            if len(asked) == 3:
                yield WatchBatchResponse(sequence=4, finished=Batch())

    events = Batches(Stub(), resume_seconds=5).watch("the-batch", 0, pages=False)
    assert [event.sequence async for event in events] == [1, 2, 3, 4]
    assert asked == [0, 1, 2]


async def test_one_source_is_no_list_of_sources():
    async with OcrClient("127.0.0.1:1") as client:
        with pytest.raises(TypeError, match="list"):
            await client.create_batch("scan.pdf")


async def test_what_is_being_saved_has_a_name_of_its_own(tmp_path: Path):
    (tmp_path / "all.zip.part").write_bytes(b"somebody's")

    async def pieces():
        yield b"abc"
        assert not (tmp_path / "all.zip").exists()

    assert await save(pieces(), tmp_path / "all.zip") == 3
    assert (tmp_path / "all.zip").read_bytes() == b"abc"
    assert (tmp_path / "all.zip.part").read_bytes() == b"somebody's"
    assert len(list(tmp_path.iterdir())) == 2  # noqa: ASYNC240
