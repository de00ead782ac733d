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


@asynccontextmanager
async def with_grace(backend, seconds=600.0):
    async with credentials(backend, grace=timedelta(seconds=seconds)) as server:
        yield server, await signed_in(server, await server.add_user())


async def refreshed(server, pair):
    return await server.sessions.refresh(pair.refresh_token, HERE)


async def test_whoever_lost_an_answer_gets_another_successor(backend):
    async with with_grace(backend) as (server, first):
        lost, second = await refreshed(server, first), await refreshed(server, first)
        assert len({each.refresh_token for each in (first, lost, second)}) == 3
        assert session_of(server, second) == session_of(server, first)
        third = await refreshed(server, second)
        assert await refreshed(server, third)
        assert not await server.audited()


@pytest.mark.parametrize("used", [0, 1])
async def test_once_a_successor_was_used_the_token_before_it_ends_the_session(backend, used):
    async with with_grace(backend) as (server, first):
        successors = [await refreshed(server, first) for _ in range(2)]
        third = await refreshed(server, successors[used])
        async with ended_for(server, third):
            with pytest.raises(RefreshTokenReused):
                await refreshed(server, first)
        assert [event.action for event in await server.audited()] == ["session.reused"]


async def test_the_successor_that_was_not_used_is_spent_with_the_other(backend):
    async with with_grace(backend, seconds=1) as (server, first):
        lost, second = await refreshed(server, first), await refreshed(server, first)
        third = await refreshed(server, second)
        before = utc_now() - timedelta(seconds=2)
        await server.change(RefreshTokenRow, RefreshTokenRow.use_time.is_not(None), use_time=before)
        async with ended_for(server, third):
            with pytest.raises(RefreshTokenReused):
                await refreshed(server, lost)


async def test_after_the_grace_a_second_use_ends_the_session(backend):
    async with with_grace(backend, seconds=5) as (server, first):
        second = await refreshed(server, first)
        before = utc_now() - timedelta(seconds=6)
        await server.change(RefreshTokenRow, RefreshTokenRow.use_time.is_not(None), use_time=before)
        async with ended_for(server, second):
            with pytest.raises(RefreshTokenReused):
                await refreshed(server, first)


async def test_an_ended_session_has_no_grace(backend):
    async with with_grace(backend) as (server, first):
        await refreshed(server, first)
        caller = principal(
            server.tokens.read(first.access_token).user_id, session_of(server, first)
        )
        await server.sessions.revoke(caller, False, HERE)
        with pytest.raises(RefreshTokenInvalid):
            await refreshed(server, first)


async def test_all_who_use_a_token_at_once_go_on_until_one_of_them_does(backend):
    async with (
        with_grace(backend) as (one, first),
        credentials(backend, grace=timedelta(minutes=10)) as another,
    ):
        pairs = await asyncio.gather(*(refreshed(server, first) for server in (one, another) * 5))
        assert len({pair.refresh_token for pair in pairs}) == 10
        # All spend one generation, so each of them is what was spent last.
        next_ones = await asyncio.gather(
            *(
                refreshed(server, pair)
                for server, pair in zip((one, another) * 5, pairs, strict=True)
            )
        )
        unspent = select(func.count()).select_from(RefreshTokenRow)
        async with one.database.read() as sql:
            left = await sql.scalar(unspent.where(RefreshTokenRow.use_time.is_(None)))
        assert left == len(next_ones) == 10
        with pytest.raises(RefreshTokenReused):
            await refreshed(another, first)
        with pytest.raises(RefreshTokenInvalid):
            await refreshed(one, next_ones[0])
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
