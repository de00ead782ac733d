"""How batches are made: all of one or nothing, and one for each request id."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.accounts.principal import Limits, Principal, QuotaShare, Role
from ocr_grpc.batches.creation import Creation
from ocr_grpc.batches.errors import (
    BatchNotFound,
    PriorityNotAllowed,
    TooManyBatches,
    TooManyDocuments,
    UploadNotFound,
    UploadsFull,
)
from ocr_grpc.batches.limits import BatchLimits
from ocr_grpc.batches.new_batch import BatchPriority, NewBatch, NewDocument
from ocr_grpc.batches.sheet import CHANNEL, NEW_WORK
from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.kept_options import opened_options
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.fetching.errors import InvalidUrl, UrlNotAllowed
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.metering.errors import InvalidRequestId, RequestIdReused
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.batches import BatchRequestRow, BatchRow, ChunkRow, DocumentRow, FileRow
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.errors import BlobsUnavailable
from ocr_grpc.store.news import News
from tests.batches.rows import SEAL, all_of
from tests.metering.support import until

LIMITS = BatchLimits(
    max_batch_documents=1_000,
    max_waiting_documents=15,
    batch_retention_hours=720,
    user_batch_priority="normal",
    business_batch_priority="high",
    admin_batch_priority="high",
    max_stored_bytes_per_user=1000,
)
BY_URL = "https://files.example/a/scan%20one.pdf?key=secret"


def person(name: str = "ann", role: Role = Role.USER) -> Principal:
    return Principal(name, name, role, Limits(), QuotaShare(name, 0))


def asked(*documents: NewDocument, **fields) -> NewBatch:
    values = {"options": ExtractOptions(), "fingerprint": b"f" * 32}
    return NewBatch(documents or (inline(1),), **values | fields)


def inline(number: int, content: bytes = b"some text", **fields) -> NewDocument:
    return NewDocument(number, f"{number}.txt", content=content, **fields)


class Blockable(Blobs):
    """Blobs that cannot be written for a while, or not yet."""

    down = False
    waiting = 0

    def __init__(self, url: str, folder) -> None:
        super().__init__(url, folder)
        self.free = asyncio.Event()
        self.free.set()

    async def put_bytes(self, key: str, data: bytes) -> None:
        if self.down:
            raise BlobsUnavailable
        self.waiting += 1
        await self.free.wait()
        await super().put_bytes(key, data)


@pytest.fixture
def blobs(tmp_path):
    return Blockable("", tmp_path / "blobs")


@pytest.fixture
def news(database):
    return News(database, CHANNEL)


@pytest.fixture
def creation(database, blobs, news):
    fetcher = Fetcher(AllowedHosts.parse("files.example"), 5.0)
    return Creation(database, news, SEAL, blobs, fetcher, ExtractOptions.check, LIMITS)


async def upload(database, user_id: str = "ann", **fields) -> str:
    row = FileRow(
        file_id=new_id(),
        user_id=user_id,
        file_name="upload.pdf",
        size_bytes=7,
        **{"uploaded": True, "expire_time": utc_now() + timedelta(hours=1), "sha256": ""} | fields,
    )
    async with database.write() as session:
        session.add(row)
    return row.file_id


async def nothing_was_made(database) -> bool:
    return not any([await all_of(database, kind) for kind in (BatchRow, DocumentRow, ChunkRow)])


async def test_documents_come_by_content_by_upload_and_by_url(database, creation, blobs, tmp_path):
    upload_id = await upload(database)
    own = ExtractOptions(password="open sesame", pages="2-3")
    row = await creation.create(
        person(role=Role.BUSINESS),
        asked(
            inline(1, b"the text"),
            NewDocument(2, upload_id=upload_id),
            NewDocument(3, url=BY_URL, options=own),
            options=ExtractOptions(dpi=200),
            display_name="letters",
            priority=BatchPriority.HIGH,
            retention_hours=5,
        ),
        "call-1",
    )
    (batch,) = await all_of(database, BatchRow)
    assert (row.batch_id, row.state, row.documents) == (batch.batch_id, "waiting", 3)
    assert (batch.display_name, batch.priority, batch.retention_hours) == ("letters", 2, 5)
    assert (batch.user_id, batch.call_id, batch.last_sequence) == ("ann", "call-1", 0)
    assert opened_options(SEAL, batch.options) == ExtractOptions(dpi=200)
    first, second, third = await all_of(database, DocumentRow, order=DocumentRow.number)
    async with blobs.local(first.file_id, tmp_path) as path:
        assert path.read_bytes() == b"the text"
    assert (first.file_name, first.size_bytes, first.options) == ("1.txt", 8, None)
    assert (second.file_id, second.upload_id) == (upload_id, upload_id)
    assert (second.file_name, second.size_bytes) == ("upload.pdf", 7)
    assert (third.file_id, third.file_name) == (None, "scan one.pdf")
    assert third.url_shown == "https://files.example/a/scan%20one.pdf"
    assert SEAL.open(third.url) == BY_URL.encode()
    assert opened_options(SEAL, third.options) == own
    chunks = await all_of(database, ChunkRow, order=ChunkRow.chunk_id)
    assert [chunk.document_id for chunk in chunks] == [
        document.document_id for document in (first, second, third)
    ]
    assert {(chunk.state, chunk.pages, chunk.priority, chunk.weight) for chunk in chunks} == {
        ("waiting", "", 2, 4.0)
    }


async def test_no_secret_of_a_document_lies_open_in_the_database(database, creation):
    secret = ExtractOptions(password="open sesame")
    await creation.create(
        person(), asked(NewDocument(1, url=BY_URL, options=secret), options=secret), ""
    )
    kept = repr(
        [vars(row) for kind in (BatchRow, DocumentRow) for row in await all_of(database, kind)]
    )
    assert "sesame" not in kept
    assert "key=secret" not in kept


async def test_whoever_works_and_whoever_watches_is_told(database, news, creation):
    told = []
    news.subscribe(told.append)
    await news.start()
    try:
        await until(lambda: news.healthy)
        row = await creation.create(person(), asked(), "")
        await until(lambda: {NEW_WORK, row.batch_id} <= set(told))
    finally:
        await news.close()


@pytest.mark.parametrize(
    ("document", "kind", "field"),
    [
        (NewDocument(1, url="ftp://files.example/x"), InvalidUrl, "documents[0].url"),
        (NewDocument(1, url="https://else.example/x"), UrlNotAllowed, "documents[0].url"),
        (inline(1, options=ExtractOptions(dpi=1)), InvalidOption, "documents[0].options.dpi"),
        (
            inline(1, options=ExtractOptions(page_image_side_px=500)),
            InvalidOption,
            "documents[0].options.page_image_side_px",
        ),
    ],
)
async def test_what_is_wrong_with_a_document_is_refused_by_its_field(
    database, creation, document, kind, field
):
    with pytest.raises(kind) as refused:
        await creation.create(person(), asked(document), "")
    assert refused.value.field == refused.value.metadata["field"] == field
    assert await nothing_was_made(database)


@pytest.mark.parametrize(
    ("fields", "kind", "field"),
    [
        ({"options": ExtractOptions(dpi=1)}, InvalidOption, "options.dpi"),
        ({"options": ExtractOptions(pages="x")}, InvalidOption, "options.pages"),
        ({"display_name": "x" * 129}, InvalidField, "display_name"),
        ({"display_name": "\0"}, InvalidField, "display_name"),
        ({"retention_hours": -1}, InvalidOption, "retention_hours"),
        ({"retention_hours": 721}, InvalidOption, "retention_hours"),
        ({"request_id": "a b"}, InvalidRequestId, "request_id"),
    ],
)
async def test_what_is_wrong_with_a_batch_is_refused_by_its_field(
    database, creation, fields, kind, field
):
    with pytest.raises(kind) as refused:
        await creation.create(person(), asked(**fields), "")
    assert refused.value.field == field
    assert await nothing_was_made(database)


@pytest.mark.parametrize("count", [0, 1_001])
async def test_a_batch_has_one_to_a_thousand_documents(database, creation, count):
    documents = tuple(NewDocument(number, url=BY_URL) for number in range(1, count + 1))
    with pytest.raises(TooManyDocuments):
        await creation.create(person(), NewBatch(documents, ExtractOptions()), "")
    assert await nothing_was_made(database)


async def test_a_role_bounds_the_priority(creation):
    with pytest.raises(PriorityNotAllowed):
        await creation.create(person(), asked(priority=BatchPriority.HIGH), "")
    low = await creation.create(person(), asked(priority=BatchPriority.LOW), "")
    usual = await creation.create(person(), asked(), "")
    assert (low.priority, usual.priority) == (BatchPriority.LOW, BatchPriority.NORMAL)


async def test_uploads_of_others_and_those_that_are_gone_are_not_found(database, creation):
    lost = [
        "nothing",
        "\0",
        await upload(database, "bob"),
        await upload(database, uploaded=False),
        await upload(database, expire_time=utc_now() - timedelta(seconds=1)),
    ]
    for upload_id in lost:
        with pytest.raises(UploadNotFound):
            await creation.create(person(), asked(NewDocument(1, upload_id=upload_id)), "")
    assert await nothing_was_made(database)


async def test_only_so_many_documents_of_a_caller_may_wait(creation):
    documents = tuple(NewDocument(number, url=BY_URL) for number in range(1, 11))
    await creation.create(person(), asked(*documents), "")
    with pytest.raises(TooManyBatches) as refused:
        await creation.create(person(), asked(*documents), "")
    assert refused.value.metadata == {"limit": "15", "waiting": "10"}
    await creation.create(person("bob"), asked(*documents), "")


async def test_a_repetition_returns_the_first_batch_and_makes_nothing(database, creation):
    first = await creation.create(person(), asked(request_id="r1"), "")
    again = await creation.create(person(), asked(request_id="r1"), "")
    others = await creation.create(person("bob"), asked(request_id="r1"), "")
    assert first.batch_id == again.batch_id != others.batch_id
    assert len(await all_of(database, FileRow)) == 2
    with pytest.raises(RequestIdReused):
        await creation.create(person(), asked(request_id="r1", fingerprint=b"g" * 32), "")


async def test_a_command_that_uploads_its_files_again_is_a_repetition(database, creation):
    async def created(*shas: str) -> str:
        ids = [await upload(database, sha256=sha) for sha in shas]
        documents = [NewDocument(number, upload_id=each) for number, each in enumerate(ids, 1)]
        return (await creation.create(person(), asked(*documents, request_id="r"), "")).batch_id

    first = await created("one", "two")
    assert await created("one", "two") == first
    for others in (("two", "one"), ("one", "three"), ("one",)):
        with pytest.raises(RequestIdReused):
            await created(*others)


async def test_a_repetition_needs_no_upload_that_is_gone(database, creation):
    upload_id = await upload(database)
    wanted = asked(NewDocument(1, upload_id=upload_id), request_id="r")
    first = await creation.create(person(), wanted, "")
    async with database.write() as session:
        await session.execute(update(FileRow).values(uploaded=False))
    assert (await creation.create(person(), wanted, "")).batch_id == first.batch_id
    async with database.write() as session:
        await session.execute(delete(FileRow))
    assert (await creation.create(person(), wanted, "")).batch_id == first.batch_id
    other = replace(wanted, fingerprint=b"g" * 32)
    with pytest.raises(RequestIdReused):
        await creation.create(person(), other, "")


async def test_what_comes_with_requests_counts_as_stored(database, creation):
    await creation.create(person(), asked(inline(1, b"x" * 600)), "")
    with pytest.raises(UploadsFull):
        await creation.create(person(), asked(inline(1, b"x" * 400), inline(2, b"x")), "")
    assert len(await all_of(database, FileRow)) == 1
    await creation.create(person("bob"), asked(inline(1, b"x" * 1000)), "")
    await creation.create(person(), asked(inline(1, b"x" * 400)), "")


async def test_attempts_of_one_call_make_one_batch(database, creation):
    first = await creation.create(person(), asked(), "", "attempt-7")
    again = await creation.create(person(), asked(), "", "attempt-7")
    other = await creation.create(person(), asked(), "")
    assert first.batch_id == again.batch_id != other.batch_id


async def test_two_at_the_same_moment_make_one_batch(database, creation, blobs):
    blobs.free.clear()  # so that both have seen that the id is not taken
    calls = [
        asyncio.create_task(creation.create(person(), asked(request_id="r1"), "")) for _ in range(2)
    ]
    await until(lambda: blobs.waiting == len(calls))
    blobs.free.set()
    one, two = await asyncio.gather(*calls)
    assert one.batch_id == two.batch_id
    assert (
        len(await all_of(database, BatchRow)) == len(await all_of(database, BatchRequestRow)) == 1
    )
    assert len(await all_of(database, DocumentRow)) == 1


async def test_the_repetition_of_a_deleted_batch_makes_no_new_one(database, creation):
    row = await creation.create(person(), asked(request_id="r1"), "")
    async with database.write() as session:
        (await session.get(BatchRow, row.batch_id)).delete_time = utc_now()
    with pytest.raises(BatchNotFound):
        await creation.create(person(), asked(request_id="r1"), "")


async def test_without_room_for_the_documents_there_is_no_batch(database, creation, blobs):
    blobs.down = True
    with pytest.raises(BlobsUnavailable):
        await creation.create(person(), asked(inline(1), inline(2), request_id="r1"), "")
    assert await nothing_was_made(database)
    # What may lie there already is found by its row, and too old one day.
    ages = [file.expire_time for file in await all_of(database, FileRow)]
    assert len(ages) == 2
    assert max(ages) < utc_now() + timedelta(days=2)
    blobs.down = False
    await creation.create(person(), asked(request_id="r1"), "")
