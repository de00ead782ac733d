import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from ocr_grpc.accounts.errors import (
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenReused,
    SessionRevoked,
    UserDisabled,
)
from ocr_grpc.accounts.opaque import hash_of, make_token
from ocr_grpc.store.accounts import RefreshTokenRow, SessionRow, UserRow
from ocr_grpc.store.base import utc_now
from tests.accounts.credentials import HERE, THERE, credentials, principal


@pytest.fixture
async def server(backend):
    async with credentials(backend) as made:
        yield made


async def signed_in(server, user_id):
    async with server.database.write() as sql:
        return await server.sessions.open(sql, user_id)


def session_of(server, pair) -> str:
    return server.tokens.read(pair.access_token).session_id


@asynccontextmanager
async def ended_for(server, *pairs):
    """What happens inside ends the sessions of these tokens, on this server at once."""
    for pair in pairs:
        await server.authenticator.authenticate(pair.access_token)
    yield
    for pair in pairs:
        with pytest.raises(RefreshTokenInvalid):
            await server.sessions.refresh(pair.refresh_token, HERE)
    await asyncio.sleep(0.1)
    for pair in pairs:
        with pytest.raises(SessionRevoked):
            await server.authenticator.authenticate(pair.access_token)


async def test_a_session_begins_with_a_pair_of_tokens(server):
    user_id = await server.add_user()
    pair = await signed_in(server, user_id)
    assert pair.expires_in == 1800
    assert server.tokens.read(pair.access_token).user_id == user_id


async def test_a_pair_does_not_show_its_tokens(server):
    pair = await signed_in(server, await server.add_user())
    assert pair.access_token not in repr(pair)
    assert pair.refresh_token not in repr(pair)


async def test_only_the_hash_of_a_refresh_token_is_kept(server):
    pair = await signed_in(server, await server.add_user())
    assert await server.value(RefreshTokenRow.token_hash) == hash_of(pair.refresh_token)


async def test_a_refresh_continues_the_session_and_lengthens_it(server):
    first = await signed_in(server, await server.add_user())
    soon = utc_now() + timedelta(minutes=5)
    await server.change(SessionRow, expire_time=soon)
    second = await server.sessions.refresh(first.refresh_token, HERE)
    assert session_of(server, second) == session_of(server, first)
    assert second.refresh_token != first.refresh_token
    assert await server.value(SessionRow.expire_time) > soon + timedelta(days=29)
    assert await server.sessions.refresh(second.refresh_token, HERE)


async def test_a_refresh_token_that_is_used_twice_ends_its_session_and_no_other(server):
    user_id = await server.add_user()
    stolen, other = await signed_in(server, user_id), await signed_in(server, user_id)
    thiefs = await server.sessions.refresh(stolen.refresh_token, THERE)
    async with ended_for(server, thiefs):
        with pytest.raises(RefreshTokenReused):
            await server.sessions.refresh(stolen.refresh_token, HERE)
    assert await server.sessions.refresh(other.refresh_token, HERE)
    [event] = await server.audited()
    assert (event.action, event.target_id) == ("session.reused", user_id)
    assert event.address == HERE.address
    with pytest.raises(RefreshTokenReused):
        await server.sessions.refresh(stolen.refresh_token, HERE)
    assert len(await server.audited()) == 1


async def test_of_many_who_use_a_token_at_once_one_wins_and_the_session_ends(backend):
    async with credentials(backend) as one, credentials(backend) as another:
        pair = await signed_in(one, await one.add_user())
        answers = await asyncio.gather(
            *(server.sessions.refresh(pair.refresh_token, HERE) for server in (one, another) * 5),
            return_exceptions=True,
        )
        won = [answer for answer in answers if not isinstance(answer, Exception)]
        assert len(won) == 1
        assert sum(isinstance(answer, RefreshTokenReused) for answer in answers) == 9
        with pytest.raises(RefreshTokenInvalid):
            await one.sessions.refresh(won[0].refresh_token, HERE)
        assert len(await one.audited()) == 1


async def test_an_expired_refresh_token_says_so(server):
    pair = await signed_in(server, await server.add_user())
    await server.change(RefreshTokenRow, expire_time=utc_now() - timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(RefreshTokenExpired):
            await server.sessions.refresh(pair.refresh_token, HERE)


async def test_an_unknown_refresh_token_is_refused(server):
    for text in ("", "x", "é\0", make_token(), "x" * 1_000_000):
        with pytest.raises(RefreshTokenInvalid):
            await server.sessions.refresh(text, HERE)


async def test_an_access_token_refreshes_nothing(server):
    pair = await signed_in(server, await server.add_user())
    with pytest.raises(RefreshTokenInvalid):
        await server.sessions.refresh(pair.access_token, HERE)


async def test_a_locked_out_user_gets_no_tokens_and_loses_none(server):
    user_id = await server.add_user()
    pair = await signed_in(server, user_id)
    await server.change(UserRow, disabled=True)
    with pytest.raises(UserDisabled):
        await server.sessions.refresh(pair.refresh_token, HERE)
    await server.change(UserRow, disabled=False)
    assert await server.sessions.refresh(pair.refresh_token, HERE)


async def test_a_deleted_user_gets_no_tokens(server):
    pair = await signed_in(server, await server.add_user())
    await server.change(UserRow, delete_time=utc_now())
    with pytest.raises(RefreshTokenInvalid):
        await server.sessions.refresh(pair.refresh_token, HERE)


async def test_a_logout_ends_one_session(server):
    user_id = await server.add_user()
    here, there = await signed_in(server, user_id), await signed_in(server, user_id)
    async with ended_for(server, here):
        caller = principal(user_id, session_of(server, here))
        await server.sessions.revoke(caller, False, HERE)
    assert await server.authenticator.authenticate(there.access_token)
    assert [event.action for event in await server.audited()] == ["session.ended"]


async def test_a_logout_everywhere_ends_all_sessions_of_the_user_alone(server):
    user_id = await server.add_user()
    other = await signed_in(server, await server.add_user("bob"))
    here, there = await signed_in(server, user_id), await signed_in(server, user_id)
    async with ended_for(server, here, there):
        caller = principal(user_id, session_of(server, here))
        await server.sessions.revoke(caller, True, HERE)
    assert await server.authenticator.authenticate(other.access_token)
    assert [event.action for event in await server.audited()] == ["sessions.ended"]


async def test_a_session_that_ends_on_one_server_ends_on_all_within_a_second(production):
    async with credentials(production) as one, credentials(production) as another:
        user_id = await one.add_user()
        pair = await signed_in(one, user_id)
        await another.authenticator.authenticate(pair.access_token)
        await one.sessions.revoke(principal(user_id, session_of(one, pair)), False, HERE)
        await asyncio.sleep(0.9)
        with pytest.raises(SessionRevoked):
            await another.authenticator.authenticate(pair.access_token)


async def test_the_sweep_takes_what_ended_long_ago_and_nothing_else(server):
    user_id = await server.add_user()
    await signed_in(server, user_id)
    long_ago = utc_now() - timedelta(days=9)
    await server.change(SessionRow, expire_time=long_ago)
    live = await signed_in(server, user_id)
    async with server.database.write() as sql:
        assert await server.sessions.sweep(sql) == 1
    async with server.database.write() as sql:
        assert await server.sessions.sweep(sql) == 0
        assert await sql.scalar(select(func.count()).select_from(RefreshTokenRow)) == 1
    assert await server.sessions.refresh(live.refresh_token, HERE)
