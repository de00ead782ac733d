"""OcrService: all of its RPCs, and `extract` and `read`."""

import asyncio
import io
from contextlib import aclosing

import pytest
from conftest import expected_pages, records_of, sample

from ocr_grpc_client import ExtractOptions, Mode, OcrClient, OcrError
from ocr_grpc_client.messages import (
    DocumentKind,
    ExtractRequest,
    GetCapabilitiesRequest,
    HttpBody,
    InspectRequest,
    ResumeExtractRequest,
    StreamExtractRequest,
    UploadExtractRequest,
)


async def test_a_scan_is_read_with_a_key_while_it_is_watched(person, door):
    async with OcrClient(door, api_key=await person.key()) as client:
        events = [event async for event in client.extract(sample("scan.pdf"))]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    first_end = next(index for index, event in enumerate(events) if event.page_finished)
    assert any(event.delta for event in events[:first_end])
    pages = {e.page_finished.page_number: e.page_finished.text for e in events if e.page_finished}
    assert [pages[number] for number in sorted(pages)] == expected_pages()
    assert events[0].started.page_count == 3
    assert events[-1].finished.pages_ok == 3


async def test_read_returns_the_whole_document(person):
    document = await person.client.read(sample("scan.pdf"))
    assert [page.text for page in document.pages] == expected_pages()
    assert document.text == "\f".join(expected_pages())
    assert (document.kind, document.pages_ok) == (DocumentKind.PDF, 3)
    for page in document.pages:
        assert "\n".join(line.text for line in page.lines) == page.text
        assert all(len(line.polygon) == 4 and 0 < line.confidence <= 1 for line in page.lines)


async def test_leaving_the_stream_stops_the_reading(person):
    async for event in person.client.extract(sample("long.pdf")):
        if event.delta:
            break
    [record] = await records_of(person.client, "OcrService/UploadExtract")
    assert record.status == "CANCELLED"
    assert record.usage.pages < 24


async def test_cancelling_the_task_stops_the_reading(person):
    began = asyncio.Event()

    async def read() -> None:
        async for event in person.client.extract(sample("long.pdf")):
            if event.delta:
                began.set()

    task = asyncio.create_task(read())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [record] = await records_of(person.client, "OcrService/UploadExtract")
    assert record.status == "CANCELLED"


async def test_fifty_megabytes_are_uploaded(person):
    document = await person.client.read(sample("large.pdf"))
    assert document.usage.input_bytes == 50_000_000


async def test_a_document_may_come_from_a_stream(ann):
    content = sample("text.pdf").read_bytes()
    whole = (await ann.client.read(content)).text

    async def chunks():
        yield content[:1]
        yield content[1:]

    for source in (io.BytesIO(content), [content[:1], content[1:]], chunks()):
        assert (await ann.client.read(source)).text == whole


async def test_a_file_that_cannot_be_read_fails_as_such(ann, tmp_path):
    with pytest.raises(FileNotFoundError):
        await ann.client.read(tmp_path / "nothing.pdf")

    def broken():
        yield b"%PDF-1.7"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await ann.client.read(broken())


async def test_an_empty_document_is_refused_with_reason_and_request_id(person):
    with pytest.raises(OcrError) as refused:
        await anext(person.client.extract(b""))  # `failed` is told as the error
    assert refused.value.code.name == "INVALID_ARGUMENT"
    assert refused.value.reason == "EMPTY_DOCUMENT"
    assert refused.value.request_id


async def test_a_wrong_option_names_its_field(ann):
    with pytest.raises(OcrError) as refused:
        await ann.client.read(sample("text.pdf"), options=ExtractOptions(dpi=7))
    assert [violation.field for violation in refused.value.field_violations] == ["options.dpi"]


async def test_a_deadline_can_be_shorter_than_the_policy(ann):
    with pytest.raises(OcrError) as late:
        await ann.client.read(sample("long.pdf"), timeout=0.3)
    assert late.value.code.name == "DEADLINE_EXCEEDED"


async def test_pictures_of_pages_come_where_they_are_asked_for(ann):
    options = ExtractOptions(page_image_side_px=64, pages="1")
    pictures = [
        event.page_image
        async for event in ann.client.extract(sample("scan.pdf"), options=options)
        if event.page_image
    ]
    assert [picture.content_type for picture in pictures] == ["image/jpeg"]


async def test_a_repetition_under_the_same_request_id_is_free(ann):
    for _ in range(2):
        await ann.client.read(sample("text.pdf"), request_id="invoice-7")
    records = await records_of(ann.client, "OcrService/UploadExtract", count=2)
    assert sorted(record.usage.pages for record in records) == [0, 2]


async def test_extract_returns_all_at_once(ann):
    content = sample("scan.pdf").read_bytes()
    answer = await ann.client.ocr.extract(ExtractRequest(content=content))
    assert answer.text == "\f".join(expected_pages())


async def test_stream_extract_streams_and_resume_extract_brings_the_rest(ann):
    content = sample("scan.pdf").read_bytes()
    request = StreamExtractRequest(content=content, resumable=True)
    async with aclosing(ann.client.ocr.stream_extract(request)) as events:
        first = await anext(events)
    extraction_id = first.started.extraction_id
    rest = ann.client.ocr.resume_extract(
        ResumeExtractRequest(extraction_id=extraction_id, after_sequence=first.sequence)
    )
    events = [event async for event in rest]
    assert [event.sequence for event in events] == list(range(2, len(events) + 2))
    assert events[-1].finished.pages_ok == 3


async def test_upload_extract_takes_requests_of_ones_own(ann):
    async def requests():
        yield UploadExtractRequest(file_name="a.txt", content=HttpBody(data=b"Hel"))
        yield UploadExtractRequest(content=HttpBody(data=b"lo"))

    events = [event async for event in ann.client.ocr.upload_extract(requests())]
    assert [e.page_finished.text for e in events if e.page_finished] == ["Hello"]


async def test_inspect_says_what_it_would_cost(ann):
    content = sample("scan.pdf").read_bytes()
    options = ExtractOptions(mode=Mode.FORCE_OCR, pages="2-")
    found = await ann.client.ocr.inspect(InspectRequest(content=content, options=options))
    assert (found.kind, found.document_page_count) == (DocumentKind.PDF, 3)
    assert (found.cost_pages, found.size_bytes) == (2, len(content))


async def test_capabilities_need_no_credentials(door):
    async with OcrClient(door) as client:
        found = await client.ocr.get_capabilities(GetCapabilitiesRequest())
    assert found.engines[0].name == "ppocr"
    assert found.limits.max_batch_documents == 1000
