"""After a user was deleted, nothing that the user ever wrote is found anywhere."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import update

from ocr_grpc.store.accounts import AuditRow, MailTokenRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import BatchRow, PageRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import UsageRow
from ocr_grpc.store.resumption import KeptEventRow
from ocr_grpc.v1 import access_pb2, options_pb2, webhook_pb2
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import ocr_service_pb2 as ocr_pb
from ocr_grpc.v1 import webhooks_service_pb2 as hooks_pb
from ocr_grpc.v1.webhooks_service_pb2_grpc import WebhooksServiceStub
from tests.batches.rows import all_of
from tests.people import House, bearer, house
from tests.retention.searching import places_with
from tests.support import collect
from tests.webhooks.receiver import receiving

WORD = "Zq7marker"
SECRET = "a secret that all servers of an installation have"

EVERYWHERE = {
    "users", "api_keys", "mail_tokens", "invites", "audit_events", "usage", "request_ids",
    "request_pages", "batch_requests", "files", "batches", "batch_documents", "batch_pages",
    "kept_extractions", "kept_events", "webhooks", "webhook_deliveries",
}  # fmt: skip
"""All tables with something in them that a user can choose."""


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - it is seen by looking
            await asyncio.sleep(0.1)


async def leave_traces(there: House, database: Database, url: str) -> str:
    """Make a user who writes the word wherever a user can write."""
    user_id, me = await there.register(
        WORD, email=f"{WORD}@example.com", display_name=f"{WORD} Berg"
    )
    me = (*me, ("x-request-id", f"{WORD}-call"))
    await there.key(me, access_pb2.SCOPE_OCR, display_name=f"{WORD} key")
    invite = admin_pb.CreateInviteRequest(email=f"{WORD}@Example.com")
    await there.admins.CreateInvite(invite, metadata=await there.admin())
    hook = webhook_pb2.Webhook(
        url=f"{url}?{WORD}",
        display_name=WORD,
        events=[webhook_pb2.WEBHOOK_EVENT_DOCUMENT_FINISHED],
    )
    hooks = WebhooksServiceStub(there.channel)
    await hooks.CreateWebhook(hooks_pb.CreateWebhookRequest(webhook=hook), metadata=me)
    content = f"A text of {WORD}.".encode()
    first = batch_pb.UploadDocumentRequest(file_name=f"{WORD}.txt", content={"data": content})
    await there.batches.UploadDocument(iter([first]), metadata=me)
    await there.batches.CreateBatch(new_batch(), metadata=me)
    await until(lambda: finished(database))
    options = options_pb2.ExtractOptions(password=f"{WORD} password")
    asked = ocr_pb.StreamExtractRequest(
        content=content, file_name=f"{WORD}.txt", request_id=f"{WORD}-s", resumable=True
    )
    asked.options.CopyFrom(options)
    await collect(there.ocr.StreamExtract(asked, metadata=me))
    async with database.write() as session:
        mail = {"purpose": "verify", "email": f"{WORD}@example.com", "expire_time": utc_now()}
        session.add(MailTokenRow(token_hash=b"x" * 32, user_id=user_id, **mail))
        session.add(AuditRow(action="login.failed", target_id=user_id, address=WORD))
        told = {"host": f"{WORD}.example.com", "user": user_id}
        made = AuditRow.action == "webhook.created"
        await session.execute(update(AuditRow).where(made).values(details=told))
    return user_id


def new_batch() -> batch_pb.CreateBatchRequest:
    return batch_pb.CreateBatchRequest(
        display_name=f"{WORD} batch",
        request_id=f"{WORD}-request",
        options=options_pb2.ExtractOptions(password=f"{WORD} password"),
        documents=[
            batch_pb.NewBatchDocument(
                file_name=f"{WORD}.txt", content=f"The text of {WORD}.".encode()
            )
        ],
    )


async def finished(database: Database) -> bool:
    return all(row.state == "finished" for row in await all_of(database, BatchRow))


def settings_of(backend) -> dict[str, object]:
    values = {"batches_in_serve": True, "retention_interval_seconds": 1, "webhook_hosts": "*:*"}
    values |= {"document_retention_hours": 1, "mail_token_retention_days": 1}
    if backend.name == "embedded":
        return values
    return values | backend.settings | {"secret_key": SECRET}


@pytest.fixture
async def look(backend, tmp_path):
    """Searches what a server keeps in `data`."""
    folder = tmp_path / "data"
    url = f"sqlite:///{folder}/ocr.db" if backend.name == "embedded" else backend.database_url
    database = Database(url)

    async def search() -> set[str]:
        return await places_with(WORD, database, folder, backend.redis_url)

    search.database = database
    search.folder = folder
    yield search
    await database.close()


async def test_nothing_is_left_of_a_deleted_user_but_sums(backend, look):
    database = look.database
    settings = settings_of(backend) | {"webhook_private": True}
    async with receiving() as receiver, house(look.folder, **settings) as there:
        user_id = await leave_traces(there, database, receiver.url())
        before, results = await look(), await compressed(database)
        assert before >= EVERYWHERE
        assert any(place.startswith("blobs/") for place in before)
        pages = sum(row.pages for row in await all_of(database, UsageRow))
        assert pages == 2
        asked = admin_pb.DeleteUserRequest(user_id=user_id)
        await there.admins.DeleteUser(asked, metadata=await there.admin())

        async def nothing_is_left() -> bool:
            return not await look()

        try:
            await until(nothing_is_left)
        except TimeoutError:
            pytest.fail(f"It is still in {await look()}.")
        rows = [row for row in await all_of(database, UsageRow) if row.user_id == user_id]
        assert sum(row.pages for row in rows) == pages
        events = await all_of(database, AuditRow)
        mine = [row for row in events if user_id in (row.actor_user_id, row.target_id)]
        assert {"user.registered", "webhook.created", "user.deleted"} <= {e.action for e in mine}
        assert {row.address for row in mine if row.action != "user.deleted"} == {""}
        assert await one_user(database, user_id) == ("", "", "")
    assert await look() == set()
    for path in look.folder.glob("ocr.db*"):  # the file itself, and what is written ahead
        assert not any(each in path.read_bytes() for each in results)


async def compressed(database: Database) -> list[bytes]:
    """Return what recognized pages are kept as: no word of them can be searched for."""
    pages, events = await all_of(database, PageRow), await all_of(database, KeptEventRow)
    kept = [row.result for row in pages] + [row.payload for row in events]
    return [each for each in kept if len(each) > 30]


async def one_user(database: Database, user_id: str) -> tuple[str, str, str]:
    [row] = await all_of(database, UserRow, UserRow.user_id == user_id)
    return row.user_name, row.email, row.display_name


@pytest.mark.parametrize("backend", ["embedded"], indirect=True)
async def test_nothing_is_left_of_a_batch_that_its_owner_deleted(backend, look):
    database, folder = look.database, look.folder
    settings = settings_of(backend)
    async with house(folder, **settings) as there:
        _, me = await there.register("bea")
        made = await there.batches.CreateBatch(new_batch(), metadata=me)
        await until(lambda: finished(database))
        found = {"batches", "batch_documents", "batch_pages", "batch_requests", "files"}
        assert found <= await places_with(WORD, database, folder)
        asked = batch_pb.DeleteBatchRequest(batch_id=made.batch.batch_id)
        await there.batches.DeleteBatch(asked, metadata=me)

        async def only_the_request_id() -> bool:
            # Remembered for a day, so that a repetition makes nothing.
            left = await places_with(WORD, database, folder)
            return left <= {"batch_requests", "ocr.db", "ocr.db-wal"}

        await until(only_the_request_id)
        text = f"The text of {WORD}"
        assert await places_with(text, database, folder) == set()


@pytest.mark.parametrize("backend", ["embedded"], indirect=True)
async def test_the_document_of_a_batch_goes_when_it_has_ended_and_the_result_stays(backend, look):
    database, folder = look.database, look.folder
    settings = settings_of(backend) | {"document_retention_hours": 0}
    async with house(folder, **settings) as there:
        token = (await there.login("admin", "the admin's password")).access_token
        me = bearer(token)
        made = await there.batches.CreateBatch(new_batch(), metadata=me)

        async def no_document() -> bool:
            return not any(path.is_file() for path in (folder / "blobs").glob("*/*"))

        await until(lambda: finished(database))
        await until(no_document)
        assert "files" not in await places_with(WORD, database, folder)
        [row] = await all_of(database, BatchRow)
        assert row.release_time
        listed = await there.batches.ListBatchDocuments(
            batch_pb.ListBatchDocumentsRequest(batch_id=made.batch.batch_id), metadata=me
        )
        result = await there.batches.GetBatchDocument(
            batch_pb.GetBatchDocumentRequest(
                batch_id=made.batch.batch_id, document_id=listed.documents[0].document_id
            ),
            metadata=me,
        )
        assert WORD in str(result)
