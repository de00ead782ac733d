import asyncio
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from ocr_grpc.accounts.authenticator import Authenticator
from ocr_grpc.accounts.errors import (
    KeyDisabled,
    KeyExpired,
    KeyInvalid,
    KeyRevoked,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    UserDisabled,
)
from ocr_grpc.accounts.opaque import make_key, make_token
from ocr_grpc.accounts.principal import (
    Actor,
    Limits,
    OrganizationRole,
    OwnLimits,
    QuotaShare,
    Role,
    Scope,
)
from ocr_grpc.store.accounts import KeyRow, KeySecretRow, SessionRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.errors import DatabaseUnavailable
from tests.accounts.credentials import ROLE_LIMITS, credentials, tokens_of

PAST = utc_now() - timedelta(hours=1)
SOON = timedelta(seconds=5)
"""Long enough for a slow machine to use something once before it is over."""


@pytest.fixture
async def server(backend):
    async with credentials(backend) as made:
        yield made


async def token_for(server, user_id) -> str:
    async with server.database.write() as sql:
        return (await server.sessions.open(sql, user_id)).access_token


async def refused(server, credential, error):
    with pytest.raises(error):
        await server.authenticator.authenticate(credential)


@contextmanager
def queries(server):
    """Collects what the database is asked meanwhile."""
    asked = []

    def note(_connection, _cursor, statement, *_):
        if statement.startswith("SELECT"):
            asked.append(statement)

    engine = server.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


async def test_a_token_tells_the_user_and_the_session(server):
    user_id = await server.add_user(role="business")
    token = await token_for(server, user_id)
    who = await server.authenticator.authenticate(token)
    assert (who.user_id, who.user_name, who.role) == (user_id, "alice", Role.BUSINESS)
    assert who.session_id == server.tokens.read(token).session_id
    assert who.key is None
    assert who.limits == Limits(6_000, 100_000, 200)
    assert who.quota == QuotaShare(user_id, 100_000)
    assert (who.organization_id, who.organization_role) == (None, None)


async def test_a_key_tells_the_user_and_what_it_is_for(server):
    user_id = await server.add_user()
    secret = await server.add_key(user_id, "ocr usage later", pages_per_month=7)
    who = await server.authenticator.authenticate(secret)
    assert who.user_id == user_id
    assert who.session_id is None
    assert who.key
    assert who.key.scopes == {Scope.OCR, Scope.USAGE}
    assert who.key.limits == OwnLimits(None, 7, None)
    assert who.limits == Limits(600, 5_000, 20)


async def test_own_limits_go_before_those_of_the_role(server):
    user_id = await server.add_user(calls_per_minute=5, pages_per_month=0)
    who = await server.authenticator.authenticate(await token_for(server, user_id))
    assert who.limits == Limits(5, 0, 20)
    assert who.quota == QuotaShare(user_id, 0)


async def test_in_an_organization_its_quota_counts(server):
    organization_id = await server.add_organization(777)
    user_id = await server.add_user(
        pages_per_month=5, organization_id=organization_id, organization_role="owner"
    )
    for credential in (await token_for(server, user_id), await server.add_key(user_id)):
        who = await server.authenticator.authenticate(credential)
        assert who.quota == QuotaShare(organization_id, 777, shared=True)
        assert who.organization_role is OrganizationRole.OWNER


async def test_a_mistyped_key_is_refused_without_a_query(server):
    good = make_key()
    with queries(server) as asked:
        for text in ("ocr_", "ocr_x", "ocr_" + "0" * 38, good[:-1], good + "0", "ocr_\0"):
            await refused(server, text, KeyInvalid)
    assert not asked


async def test_what_is_no_credential_at_all_is_refused_without_a_query(server):
    with queries(server) as asked:
        for text in ("", "x", "é", "OCR_x", make_token(), "x" * 100_000, "\ud800"):
            await refused(server, text, TokenInvalid)
    assert not asked


async def test_an_unknown_key_is_refused(server):
    await refused(server, make_key(), KeyInvalid)


@pytest.mark.parametrize(
    ("row", "column", "value", "for_key", "for_token"),
    [
        (KeyRow, "expire_time", PAST, KeyExpired, None),
        (KeySecretRow, "expire_time", PAST, KeyExpired, None),
        (KeyRow, "revoke_time", PAST, KeyRevoked, None),
        (KeyRow, "disabled", True, KeyDisabled, None),
        (UserRow, "disabled", True, UserDisabled, UserDisabled),
        (UserRow, "delete_time", PAST, KeyInvalid, TokenInvalid),
        (SessionRow, "revoke_time", PAST, None, SessionRevoked),
        (SessionRow, "expire_time", PAST, None, TokenExpired),
    ],
    ids=lambda it: "past" if it is PAST else getattr(it, "__name__", str(it)),
)
async def test_news_about_a_user_hold_at_once(server, row, column, value, for_key, for_token):
    user_id = await server.add_user()
    key, token = await server.add_key(user_id), await token_for(server, user_id)
    for credential in (key, token):
        await server.authenticator.authenticate(credential)
    before = dict.fromkeys(("expire_time", "revoke_time", "delete_time"))
    await server.change(row, user_id=user_id, **{column: value})
    await asyncio.sleep(0.1)
    for credential, error in ((key, for_key), (token, for_token)):
        for _ in range(2):  # read, then remembered
            if error:
                await refused(server, credential, error)
            else:
                assert await server.authenticator.authenticate(credential)
    if row is SessionRow and column == "expire_time":
        before[column] = utc_now() + timedelta(days=1)
    await server.change(row, user_id=user_id, **{column: before.get(column, False)})
    await asyncio.sleep(0.1)
    for credential in (key, token):
        assert await server.authenticator.authenticate(credential)


async def test_a_token_for_another_users_session_is_refused(server):
    alice, bob = await server.add_user(), await server.add_user("bob")
    session_id = server.tokens.read(await token_for(server, alice)).session_id
    forged, _ = server.tokens.issue(bob, session_id)
    await refused(server, forged, TokenInvalid)


async def test_a_token_of_a_session_that_was_swept_is_refused(server):
    await refused(server, server.tokens.issue(await server.add_user(), "6" * 24)[0], SessionRevoked)


async def test_what_is_remembered_expires_to_the_moment(backend):
    async with credentials(backend, tokens=tokens_of(lifetime=SOON)) as server:
        user_id = await server.add_user()
        token = await token_for(server, user_id)
        key = await server.add_key(user_id, expire_time=utc_now() + SOON)
        rotated = await server.add_key(user_id, secret_expire_time=utc_now() + SOON)
        for credential in (token, key, rotated):
            await server.authenticator.authenticate(credential)
        await asyncio.sleep(SOON.total_seconds() + 1)  # a token counts whole seconds
        with queries(server) as asked:
            await refused(server, token, TokenExpired)
            await refused(server, key, KeyExpired)
            await refused(server, rotated, KeyExpired)
        assert not asked


async def test_a_call_under_way_outlives_its_token_but_not_its_session(backend):
    async with credentials(backend, tokens=tokens_of(lifetime=timedelta(seconds=0))) as server:
        token = await token_for(server, await server.add_user())
        again = server.authenticator.authenticate_again
        principal = await again(token)
        await refused(server, token, TokenExpired)
        await server.sessions.revoke(principal, False, Actor())
        with pytest.raises(SessionRevoked):
            await again(token)


async def test_a_credential_seen_lately_costs_no_query(server):
    token = await token_for(server, await server.add_user())
    await server.authenticator.authenticate(token)
    with queries(server) as asked:
        begin = time.perf_counter()
        for _ in range(10_000):
            await server.authenticator.authenticate(token)
        seconds = (time.perf_counter() - begin) / 10_000
    assert not asked
    assert seconds < 1e-3


async def test_many_who_come_at_once_share_one_query(server):
    key = await server.add_key(await server.add_user())
    with queries(server) as asked:
        await asyncio.gather(*(server.authenticator.authenticate(key) for _ in range(100)))
    assert len(asked) == 1


async def test_one_who_hangs_up_does_not_take_the_answer_from_the_others(server):
    key = await server.add_key(await server.add_user())
    first = asyncio.create_task(server.authenticator.authenticate(key))
    second = asyncio.create_task(server.authenticator.authenticate(key))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).key
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_answer_from_before_the_news_is_not_remembered_after_them(server):
    user_id = await server.add_user()
    key = await server.add_key(user_id)

    def news(*_):
        server.changes._tell(user_id)  # the answer is on its way

    engine = server.database.engine.sync_engine
    event.listen(engine, "after_cursor_execute", news)
    assert await server.authenticator.authenticate(key)
    event.remove(engine, "after_cursor_execute", news)
    with queries(server) as asked:
        await server.authenticator.authenticate(key)
    assert len(asked) == 1


async def test_who_comes_after_the_news_does_not_share_a_query_from_before(server):
    user_id = await server.add_user()
    key = await server.add_key(user_id)
    with queries(server) as asked:
        early = asyncio.create_task(server.authenticator.authenticate(key))
        await asyncio.sleep(0)
        server.changes._tell(user_id)
        await asyncio.gather(early, server.authenticator.authenticate(key))
    assert len(asked) == 2


async def test_without_news_answers_are_trusted_for_half_a_second_only(production):
    async with credentials(production) as server, credentials(production) as other:
        user_id = await server.add_user()
        key = await server.add_key(user_id)
        await other.authenticator.authenticate(key)
        await other.changes.close()  # deaf from now on
        assert not other.changes.healthy
        await server.change(KeyRow, user_id=user_id, revoke_time=utc_now())
        await asyncio.sleep(0.6)
        await refused(other, key, KeyRevoked)


async def test_only_so_many_are_remembered_and_the_oldest_goes_first(server):
    small = Authenticator(
        server.database, server.tokens, server.changes, ROLE_LIMITS, max_remembered=3
    )
    user_id = await server.add_user()
    keys = [await server.add_key(user_id) for _ in range(4)]
    for key in (*keys[:3], keys[0], keys[3]):
        await small.authenticate(key)
    with queries(server) as asked:
        for key in (keys[0], keys[2], keys[3]):
            await small.authenticate(key)
        assert not asked
        await small.authenticate(keys[1])
        assert len(asked) == 1
    await small.close()


async def test_news_that_may_have_been_missed_make_everything_forgotten(server):
    key = await server.add_key(await server.add_user())
    await server.authenticator.authenticate(key)
    server.changes._tell(None)
    with queries(server) as asked:
        await server.authenticator.authenticate(key)
    assert len(asked) == 1


async def test_with_the_database_gone_those_seen_lately_are_still_known(embedded, tmp_path):
    async with credentials(embedded) as server:
        user_id = await server.add_user()
        seen, unseen = await server.add_key(user_id), await server.add_key(user_id)
        await server.authenticator.authenticate(seen)
        await server.database.close()
        path = tmp_path / "ocr.db"
        path.rename(tmp_path / "elsewhere")
        path.mkdir()
        assert await server.authenticator.authenticate(seen)
        await refused(server, unseen, DatabaseUnavailable)
        await asyncio.sleep(0.1)  # the thread of the connection that failed ends by itself
