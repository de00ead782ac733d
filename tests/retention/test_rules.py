"""What is over goes, and nothing else; on both databases."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from ocr_grpc.accounts.principal import Role
from ocr_grpc.accounts.retention import AccountRetention, account_rules
from ocr_grpc.batches.dead_letters import DeadLetters
from ocr_grpc.batches.errors import DeadLetterNotFound
from ocr_grpc.batches.files import Files
from ocr_grpc.batches.purge import Purge
from ocr_grpc.batches.sources import Sources
from ocr_grpc.extraction.kept_options import opened_options, sealed_options, without_password
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.metering.entries import CallEntry
from ocr_grpc.metering.ledger import Ledger
from ocr_grpc.metering.retention import (
    REQUEST_IDS_AT_ONCE,
    REQUEST_PAGES_AT_ONCE,
    forget_request_ids,
    metering_rules,
)
from ocr_grpc.retention.erasure import PORTIONS_AT_ONCE, Erasure
from ocr_grpc.retention.job import apply
from ocr_grpc.retention.orphans import Orphans
from ocr_grpc.store.accounts import (
    AuditRow,
    InviteRow,
    KeyRow,
    MailTokenRow,
    RefreshTokenRow,
    SessionRow,
    UserRow,
)
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, FileRow
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.errors import BlobMissing
from ocr_grpc.store.metering import OPEN, QuotaRow, RequestIdRow, RequestPageRow, UsageRow
from ocr_grpc.store.new_rows import table_of
from ocr_grpc.store.retention import ROWS_AT_ONCE
from tests.accounts.support import NOBODY, accounts_on, principal
from tests.batches.office import Office
from tests.batches.rows import SEAL, add_batch, all_of, one_of

DAY = timedelta(days=1)
KEPT = AccountRetention(
    usage=400 * DAY,
    audit=100 * DAY,
    addresses=30 * DAY,
    sessions=8 * DAY,
    keys=90 * DAY,
    mail_tokens=0 * DAY,
    invites=30 * DAY,
)


async def applied(*rules) -> dict[str, int]:
    done = await apply(rules, utc_now(), lambda _: None)
    assert not done.failed
    return {kind: count for kind, count in done.removed.items() if count}


async def test_old_rows_of_the_ledger_go_and_open_ones_stay(database):
    old, rules = utc_now() - 401 * DAY, metering_rules(database, 400 * DAY, DAY)
    rows = [
        {"usage_id": new_id(), "method": "m", "status": "OK", "create_time": old}
        for _ in range(ROWS_AT_ONCE + 100)
    ]
    async with database.write() as session:
        await session.execute(table_of(UsageRow).insert(), rows)
        session.add(UsageRow(usage_id="new", method="m", status="OK"))
        session.add(UsageRow(usage_id="open", method="m", status=OPEN, create_time=old))
        session.add(QuotaRow(owner_id="ada", period="2020-01", used_pages=1))
        session.add(QuotaRow(owner_id="ada", period=f"{utc_now():%Y-%m}", used_pages=1))
        for name, hours in (("old", 25), ("new", 23)):
            time = utc_now() - timedelta(hours=hours)
            session.add(
                RequestIdRow(user_id="u", request_id=name, fingerprint=b"", create_time=time)
            )
        await session.flush()
        for name in ("old", "new"):
            session.add(RequestPageRow(user_id="u", request_id=name, page_number=1))
    due = {kind: count for rule in rules for kind, count in (await rule.due(utc_now())).items()}
    at_once = await asyncio.gather(applied(*rules), applied(*rules))
    removed = {kind: sum(each.get(kind, 0) for each in at_once) for kind in due}
    assert removed == due == {"usage": len(rows), "quotas": 1, "request_ids": 1}
    assert {row.usage_id for row in await all_of(database, UsageRow)} == {"new", "open"}
    assert [row.request_id for row in await all_of(database, RequestPageRow)] == ["new"]
    assert len(await all_of(database, QuotaRow)) == 1
    assert await applied(*rules) == {}


async def add_request_ids(database, user_id: str, pages: list[int]) -> None:
    """Add request ids that are two days old, each with so many pages."""
    key, old = {"user_id": user_id}, utc_now() - 2 * DAY
    ids = [
        {**key, "request_id": f"{number:03}", "fingerprint": b"", "create_time": old}
        for number in range(len(pages))
    ]
    paid = [
        {**key, "request_id": f"{number:03}", "page_number": page}
        for number, count in enumerate(pages)
        for page in range(count)
    ]
    async with database.write() as session:
        await session.execute(table_of(RequestIdRow).insert(), ids)
        if paid:
            await session.execute(table_of(RequestPageRow).insert(), paid)


async def test_request_ids_go_in_small_portions_as_their_pages_go_with_them(database):
    assert REQUEST_IDS_AT_ONCE * 10 <= ROWS_AT_ONCE
    await add_request_ids(database, "ada", [2] * (REQUEST_IDS_AT_ONCE + 10))
    [rule] = [each for each in metering_rules(database, DAY, DAY) if "request_ids" in each.kinds]
    assert await rule.due(utc_now()) == {"request_ids": REQUEST_IDS_AT_ONCE + 10}
    portions = [await rule.remove(utc_now()) for _ in range(3)]
    removed = [each.removed.get("request_ids", 0) for each in portions]
    assert removed == [REQUEST_IDS_AT_ONCE, 10, 0]
    assert [each.more for each in portions] == [True, False, False]
    assert await all_of(database, RequestPageRow) == []


async def test_a_portion_of_request_ids_has_few_pages_or_is_one_id(database):
    assert REQUEST_PAGES_AT_ONCE <= 20_000
    await add_request_ids(database, "ada", [4, 4, 30, 4, 0, 4])
    await add_request_ids(database, "eve", [1])
    mine = RequestIdRow.user_id == "ada"
    left = []
    more = True
    while more:
        order = RequestIdRow.request_id
        _, more = await forget_request_ids(database, mine, order, pages_at_once=10)
        pages = await all_of(database, RequestPageRow, RequestPageRow.user_id == "ada")
        left.append(len(pages))
    assert left == [38, 8, 0]
    assert len(await all_of(database, RequestIdRow)) == 1  # eve's


async def test_request_ids_of_a_deleted_user_go_in_small_portions(database):
    await add_request_ids(database, "ada", [1] * (REQUEST_IDS_AT_ONCE * (PORTIONS_AT_ONCE + 1)))
    async with database.write() as session:
        session.add(UserRow(user_id="ada", user_name="", delete_time=utc_now() - DAY))
    rule = Erasure(database)
    first = await rule.remove(utc_now())
    assert (first.removed, first.more) == ({"users": 0}, True)
    assert len(await all_of(database, RequestPageRow)) == REQUEST_IDS_AT_ONCE
    assert await applied(rule) == {"users": 1}
    assert await all_of(database, RequestPageRow) == []


async def test_credentials_and_events_stay_for_as_long_as_the_settings_say(database):
    now = utc_now()
    live = {"create_time": now, "expire_time": now + DAY}
    async with database.write() as sql:
        sql.add(UserRow(user_id="ada", user_name="ada"))
        await sql.flush()
        for name, expired, revoked in (
            ("live", -1, None),
            ("new", 7, None),
            ("old", 9, None),
            ("revoked", -1, 7),
            ("gone", -1, 9),
        ):
            row = SessionRow(session_id=name, user_id="ada", expire_time=now - expired * DAY)
            row.revoke_time = now - revoked * DAY if revoked else None
            sql.add(row)
        await sql.flush()
        for name, days in ((b"a", -1), (b"b", 9)):
            token = RefreshTokenRow(
                token_hash=name, session_id="live", expire_time=now - days * DAY
            )
            sql.add(token)
        of_ada = {"user_id": "ada", "purpose": "verify", "email": "ada@example.com"}
        sql.add(MailTokenRow(token_hash=b"live", **of_ada, **live))
        sql.add(MailTokenRow(token_hash=b"used", **of_ada, **live, use_time=now))
        sql.add(MailTokenRow(token_hash=b"old", **of_ada, expire_time=now - DAY))
        sql.add(InviteRow(invite_id="live", code_hash=b"live", **live))
        sql.add(InviteRow(invite_id="used", code_hash=b"used", **live, use_time=now - 31 * DAY))
        sql.add(InviteRow(invite_id="old", code_hash=b"old", expire_time=now - 31 * DAY))
        of_ada = {"user_id": "ada", "prefix": "ocr_", "scopes": "ocr"}
        sql.add(KeyRow(key_id="live", **of_ada))
        sql.add(KeyRow(key_id="revoked", revoke_time=now - 89 * DAY, **of_ada))
        sql.add(KeyRow(key_id="old", revoke_time=now - 91 * DAY, **of_ada))
        sql.add(KeyRow(key_id="expired", expire_time=now - 91 * DAY, **of_ada))
        for name, days in (("new", 29), ("aged", 31), ("old", 101)):
            event = AuditRow(event_id=name, action="a.b", address="10.0.0.7")
            event.create_time = now - days * DAY
            sql.add(event)
        for name, days in (("departed", 399), ("forgotten", 401)):
            row = UserRow(user_id=name, user_name="", delete_time=now - days * DAY)
            row.erase_time = row.delete_time
            sql.add(row)
        sql.add(UserRow(user_id="unerased", user_name="", delete_time=now - 999 * DAY))
    counts = await applied(*account_rules(database, KEPT))
    assert counts == {
        "sessions": 2, "refresh_tokens": 1, "mail_tokens": 2, "invites": 2, "keys": 2,
        "audit_events": 1, "addresses": 1, "tombstones": 1,
    }  # fmt: skip
    left = {row.session_id for row in await all_of(database, SessionRow)}
    assert left == {"live", "new", "revoked"}
    assert {row.key_id for row in await all_of(database, KeyRow)} == {"live", "revoked"}
    assert [row.invite_id for row in await all_of(database, InviteRow)] == ["live"]
    events = {row.event_id: row.address for row in await all_of(database, AuditRow)}
    assert events == {"new": "10.0.0.7", "aged": ""}
    users = {row.user_id for row in await all_of(database, UserRow)}
    assert users == {"ada", "departed", "unerased"}


async def test_all_that_a_user_had_goes_and_what_others_have_stays(database):
    async with accounts_on(database) as accounts:
        ada = await accounts.user("ada", role=Role.ADMIN, email="ada@example.com")
        eve = await accounts.user("eve", role=Role.ADMIN, email="eve@example.com")
        ids = (ada.user_id, eve.user_id)
        for user in (ada, eve):
            actor = type(NOBODY)(address="10.0.0.7", call_id="call", principal=principal(user))
            await accounts.invites.create(Role.USER, "", None, 0, actor)
            await accounts.sign_in(user.user_id)
        await accounts.invites.create(Role.USER, "Ada@Example.com", None, 0, NOBODY)
        async with database.write() as sql:
            for user_id in ids:
                sql.add(KeyRow(key_id=f"of {user_id}"[:30], user_id=user_id, prefix="", scopes=""))
                sql.add(RequestIdRow(user_id=user_id, request_id="r", fingerprint=b""))
                sql.add(UsageRow(method="m", status="OK", user_id=user_id, call_id="call", pages=3))
        await accounts.users.delete(ada.user_id, NOBODY)
        rule = Erasure(database, timedelta(0))
        assert await rule.due(utc_now()) == {"users": 1}
        assert await applied(rule) == {"users": 1}
        assert await rule.due(utc_now()) == {"users": 0}
        for table in (SessionRow, RefreshTokenRow, KeyRow, RequestIdRow, InviteRow):
            assert len(await all_of(database, table)) == 1, table
        assert {row.user_id for row in await all_of(database, SessionRow)} == {eve.user_id}
        calls = {row.user_id: (row.call_id, row.pages) for row in await all_of(database, UsageRow)}
        assert calls == {ada.user_id: ("", 3), eve.user_id: ("call", 3)}
        events = [row for row in await all_of(database, AuditRow) if row.actor_user_id]
        by_actor = {row.actor_user_id: row.address for row in events}
        assert by_actor == {ada.user_id: "", eve.user_id: "10.0.0.7"}


async def test_a_user_is_deleted_by_the_time_of_the_database(backend, database):
    class Ahead(Database):
        async def now(self, session) -> datetime:
            return await super().now(session) + DAY

    ahead = Ahead(backend.database_url)
    async with accounts_on(ahead) as accounts:
        ada = await accounts.user("ada", role=Role.ADMIN)
        await accounts.user("eve", role=Role.ADMIN)
        await accounts.users.delete(ada.user_id, NOBODY)
        row = await one_of(database, UserRow, UserRow.user_id == ada.user_id)
        assert row.delete_time > utc_now() + DAY / 2
    await ahead.close()


async def test_a_long_history_is_erased_in_portions_while_the_ledger_goes_on(database):
    count = ROWS_AT_ONCE * (PORTIONS_AT_ONCE + 2)
    rows = [
        {"usage_id": new_id(), "method": "m", "status": "OK", "user_id": "ada", "call_id": "c"}
        for _ in range(count)
    ]
    deleted = utc_now() - DAY
    async with database.write() as session:
        session.add(UserRow(user_id="ada", user_name="", delete_time=deleted))
        await session.execute(table_of(UsageRow).insert(), rows)
    ledger = Ledger(database, "server")
    await ledger.start()
    rule = Erasure(database)
    first = await rule.remove(utc_now())
    assert (first.removed, first.more) == ({"users": 0}, True)
    # And then the process was gone; another one goes on.
    erasing = asyncio.create_task(applied(Erasure(database)))
    entry = CallEntry("m", "OK", user_id="bob", call_id="c")
    ledger.record(entry)
    assert await erasing == {"users": 1}
    await ledger.close()
    async with database.read() as session:
        asked = select(func.count()).select_from(UsageRow).where(UsageRow.call_id != "")
        assert await session.scalar(asked) == 1  # bob's
    assert (await one_of(database, UserRow)).erase_time


async def test_what_a_deleted_user_writes_last_is_erased_too(database):
    async with database.write() as session:
        session.add(UserRow(user_id="ada", user_name="", delete_time=utc_now()))
    rule = Erasure(database)
    assert await applied(rule) == {}
    async with database.write() as session:
        session.add(UsageRow(method="m", status="OK", user_id="ada", call_id="late"))
    assert await applied(rule) == {}
    assert (await one_of(database, UsageRow)).call_id == ""
    assert (await one_of(database, UserRow)).erase_time is None


def test_a_password_goes_and_what_only_a_newer_release_knows_stays():
    options = {"pages": "1", "mode": "of a newer release", "new": 7}
    sealed = SEAL.seal(json.dumps(options | {"password": "of the document"}).encode())
    assert json.loads(SEAL.open(without_password(SEAL, sealed))) == options


@pytest.fixture
async def blobs(tmp_path):
    opened = Blobs("", tmp_path)
    yield opened
    await opened.close()


async def ended_batch(database, blobs, office: Office, uploaded: bool = False) -> BatchRow:
    """Return a batch of two documents that has ended, with the files of both."""
    batch, _ = await add_batch(database, documents=2)
    secret = sealed_options(SEAL, ExtractOptions(password="of the document", pages="1"))
    async with database.write() as session:
        await session.execute(update(BatchRow).values(options=secret))
        await session.execute(update(DocumentRow).values(url=b"sealed", options=secret))
        for row in await all_of(database, DocumentRow):
            file = FileRow(file_id=row.file_id, user_id="ann", size_bytes=5, sha256="")
            file.expire_time, file.uploaded = utc_now() + DAY, uploaded
            session.add(file)
            await blobs.put_bytes(row.file_id, b"bytes")
    await office.run()
    return batch


async def has(blobs, file_id, folder) -> bool:
    try:
        async with blobs.local(file_id, folder):
            return True
    except BlobMissing:
        return False


@pytest.fixture
async def office(database, tmp_path):
    made = Office(database, tmp_path)
    await made.start()
    yield made
    await made.close()


async def test_documents_go_with_the_end_of_their_batch_but_not_what_can_be_sent_again(
    database, blobs, office, tmp_path
):
    batch = await ended_batch(database, blobs, office)
    chunks = await all_of(database, ChunkRow, order=ChunkRow.chunk_id)
    async with database.write() as session:
        dead = ChunkRow.chunk_id == chunks[0].chunk_id
        await session.execute(update(ChunkRow).where(dead).values(state="dead"))
    files = Files(database, blobs, 10**9, DAY)
    sources = Sources(database, files, SEAL)
    purge = Purge(database, office.news, files, sources)
    by_id = {row.document_id: row.file_id for row in await all_of(database, DocumentRow)}
    kept, gone = (by_id[each.document_id] for each in chunks)
    assert (await purge.due(utc_now()))["batch_documents"] == 1
    assert await applied(purge) == {"batch_documents": 1}
    assert [await has(blobs, each, tmp_path) for each in (kept, gone)] == [True, False]
    rows = {row.file_id: row for row in await all_of(database, DocumentRow)}
    assert (rows[kept].url, rows[gone].url, rows[gone].options) == (b"sealed", None, None)
    row = await one_of(database, BatchRow)
    assert opened_options(SEAL, row.options) == ExtractOptions(pages="1")
    assert row.batch_id == batch.batch_id
    assert row.release_time
    assert await applied(purge) == {}

    # Sent again it is read from the same document; a week later it cannot be.
    letters, dead_id = DeadLetters(database, office.news), str(chunks[0].chunk_id)
    await letters.resend(dead_id, NOBODY)
    assert (await one_of(database, BatchRow)).release_time is None
    async with database.write() as session:
        ago = {"state": "finished", "finish_time": utc_now() - 8 * DAY}
        await session.execute(update(BatchRow).values(ago))
        await session.execute(update(ChunkRow).where(dead).values(state="dead"))
    assert await applied(purge) == {"dead_letters": 1, "batch_documents": 2}
    assert not await has(blobs, kept, tmp_path)
    assert await letters.list(0, "") == ([], "")
    with pytest.raises(DeadLetterNotFound):
        await letters.resend(dead_id, NOBODY)


async def test_uploads_stay_for_other_batches_until_their_own_time_is_over(
    database, blobs, office, tmp_path
):
    await ended_batch(database, blobs, office, uploaded=True)
    files = Files(database, blobs, 10**9, DAY)
    purge = Purge(database, office.news, files, Sources(database, files, SEAL))
    await applied(purge)
    file_ids = [row.file_id for row in await all_of(database, FileRow)]
    assert [await has(blobs, each, tmp_path) for each in file_ids] == [True, True]
    async with database.write() as session:
        await session.execute(update(FileRow).values(expire_time=utc_now()))
    assert (await applied(purge)) == {"files": 2}
    assert [await has(blobs, each, tmp_path) for each in file_ids] == [False, False]


async def test_documents_without_a_row_are_found_unless_they_are_new_or_not_ours(
    database, blobs, tmp_path
):
    names = [new_id() for _ in range(3)]
    for name in (*names, "not_of_ours"):
        await blobs.put_bytes(name, b"bytes")
    await blobs.mark("marker")
    async with database.write() as session:
        row = FileRow(file_id=names[0], user_id="ann", size_bytes=5, sha256="")
        row.expire_time = utc_now()
        session.add(row)
    rule = Orphans(database, blobs)
    assert await applied(rule) == {}
    later = utc_now() + 2 * DAY
    assert await rule.due(later) == {"orphans": 2}
    assert (await rule.remove(later)).removed == {"orphans": 2}
    left = [await has(blobs, each, tmp_path) for each in (*names, "not_of_ours")]
    assert left == [True, False, False, True]
    assert await blobs.marker() == "marker"
