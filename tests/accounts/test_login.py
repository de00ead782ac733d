import asyncio
import random
import time
from math import erfc, sqrt

import pytest
from sqlalchemy import update

from ocr_grpc.accounts.addresses import network_of
from ocr_grpc.accounts.errors import (
    KeyInvalid,
    LoginFailed,
    LoginThrottled,
    PasswordTooShort,
    RefreshTokenInvalid,
    UserDisabled,
)
from ocr_grpc.accounts.login import LoginLimits
from ocr_grpc.accounts.opaque import make_key
from ocr_grpc.accounts.passwords import PasswordHasher
from ocr_grpc.accounts.principal import Actor
from ocr_grpc.store.accounts import UserRow
from tests.accounts.credentials import HERE, MANY, PASSWORD, THERE, credentials, principal

SAMPLES = 200
"""Of each kind of failed login. 2,000 gives the figure that the README quotes."""

# A slot that does not end during a test, and nobody waits for the next.
FEW = LoginLimits(3, 8, slot_seconds=86_400, patience_seconds=0)


@pytest.fixture
async def server(backend):
    async with credentials(backend) as made:
        yield made


@pytest.fixture
async def strict(backend):
    async with credentials(backend, FEW) as made:
        yield made


async def fail(server, name, actor=HERE, error=LoginFailed):
    with pytest.raises(error) as refused:
        await server.login.login(name, "wrong password", actor)
    return refused.value


async def test_the_right_password_signs_in(server):
    user_id = await server.add_user()
    signed_in = await server.login.login("alice", PASSWORD, HERE)
    assert signed_in.user_id == user_id
    caller = await server.authenticator.authenticate(signed_in.tokens.access_token)
    assert caller.user_name == "alice"
    assert await server.value(UserRow.last_login_time)
    [event] = await server.audited()
    assert (event.action, event.target_id, event.address) == (
        "login.succeeded",
        user_id,
        HERE.address,
    )


async def test_user_name_and_address_sign_in_in_any_case(server):
    user_id = await server.add_user(email="alice@example.org")
    for typed in ("ALICE", "Alice", "alice@example.org", "Alice@EXAMPLE.org"):
        assert (await server.login.login(typed, PASSWORD, HERE)).user_id == user_id


async def test_nobody_else_is_taken_for_a_user(server):
    await server.add_user()
    for typed in (
        *("", "bob", "alice ", " alice", "alice\0", "\0", "%", "ali_e", "alice@example.org", "@"),
        *("x" * 5_000_000, "alice\u202e", "' OR 1=1 --", "аlice", "ＡＬＩＣＥ\n"),
    ):
        with pytest.raises(LoginFailed):
            await server.login.login(typed, PASSWORD, HERE)


async def test_a_failure_never_tells_what_was_wrong_and_leaves_the_same_trace(server):
    known = await server.add_user()
    locked = await server.add_user("locked", disabled=True)
    without = await server.add_user("without", password="")
    messages = {str(await fail(server, name)) for name in ("alice", "bob", "locked", "without")}
    assert len(messages) == 1
    events = await server.audited()
    assert [event.target_id for event in events] == [known, None, locked, without]
    assert {event.action for event in events} == {"login.failed"}
    assert all("bob" not in str(event.details) for event in events)


async def test_a_locked_out_user_learns_so_with_the_right_password_only(server):
    await server.add_user(disabled=True)
    await fail(server, "alice")
    with pytest.raises(UserDisabled):
        await server.login.login("alice", PASSWORD, HERE)


async def test_a_deleted_user_does_not_sign_in(server):
    await server.add_user(user_name_key=None)
    await fail(server, "alice")


async def test_after_too_many_failures_not_even_the_right_password_is_looked_at(strict):
    await strict.add_user()
    for _ in range(3):
        await fail(strict, "alice")
    refused = await fail(strict, "ALICE", error=LoginThrottled)
    assert 1 <= refused.retry_after_seconds <= 86_400
    with pytest.raises(LoginThrottled):
        await strict.login.login("alice", PASSWORD, HERE)


async def test_one_attempt_over_the_limit_waits_for_its_turn_and_others_are_refused(backend):
    async with credentials(backend, LoginLimits(2, 100, slot_seconds=1)) as server:
        await server.add_user()
        storm = await asyncio.gather(
            *(server.login.login("alice", f"guess {number}", HERE) for number in range(100)),
            return_exceptions=True,
        )
        looked_at = sum(isinstance(answer, LoginFailed) for answer in storm)
        assert 3 <= looked_at <= 6  # two, and one that waited; or as many again in the next slot
        # Whoever comes after the storm gets in, at once or after a short wait.
        assert await server.login.login("alice", PASSWORD, HERE)


async def test_attempts_for_nobody_are_throttled_just_the_same(strict):
    for _ in range(3):
        await fail(strict, "nobody")
    await fail(strict, "nobody", error=LoginThrottled)


async def test_an_attacker_elsewhere_cannot_lock_a_user_out(strict):
    await strict.add_user()
    for _ in range(3):
        await fail(strict, "alice", THERE)
    await fail(strict, "alice", THERE, LoginThrottled)
    assert await strict.login.login("alice", PASSWORD, HERE)


async def test_an_address_that_tries_many_accounts_is_throttled(strict):
    for number in range(8):
        await fail(strict, f"user{number}")
    await fail(strict, "user9", error=LoginThrottled)
    await fail(strict, "user9", THERE)


async def test_signing_in_forgets_the_failures_for_that_account_alone(strict):
    await strict.add_user()
    for _ in range(2):
        await fail(strict, "alice")
        await fail(strict, "bob")
    await strict.login.login("alice", PASSWORD, HERE)
    for _ in range(2):
        await fail(strict, "alice")
    await fail(strict, "bob")
    with pytest.raises(LoginThrottled):
        await fail(strict, "bob")


async def test_of_a_thousand_attempts_at_once_no_more_than_the_limit_is_looked_at(backend):
    async with credentials(backend, LoginLimits(10, 100, 86_400, 0)) as server:
        await server.add_user()
        answers = await asyncio.gather(
            *(server.login.login("alice", f"guess {number}", HERE) for number in range(1000)),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, LoginFailed) for answer in answers) == 10
        assert sum(isinstance(answer, LoginThrottled) for answer in answers) == 990
        assert len(await server.audited()) == 10


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_household_counts_as_one_address(address, site):
    assert network_of(address) == site


async def test_neighbours_in_ipv6_share_their_attempts(strict):
    for number in range(3):
        await fail(strict, "alice", Actor(address=f"2001:db8::{number + 1}"))
    await fail(strict, "alice", Actor(address="2001:db8::9"), LoginThrottled)


async def test_a_login_replaces_a_hash_of_another_cost(server):
    user_id = await server.add_user()
    dearer = PasswordHasher(cost=5)
    await server.change(UserRow, password_hash=await dearer.hash(PASSWORD))
    dearer.close()
    answers = await asyncio.gather(*(server.login.login("alice", PASSWORD, HERE) for _ in range(3)))
    assert {answer.user_id for answer in answers} == {user_id}
    assert (await server.value(UserRow.password_hash)).startswith("$2b$04$")
    assert await server.login.login("alice", PASSWORD, HERE)


async def test_a_login_under_way_does_not_outlive_a_new_password(backend):
    async with credentials(backend) as server:
        user_id = await server.add_user()
        slow = PasswordHasher(cost=10)
        await server.change(UserRow, password_hash=await slow.hash(PASSWORD))
        old = asyncio.create_task(server.login.login("alice", PASSWORD, THERE))
        await asyncio.sleep(0.03)  # the hash is being computed
        async with server.database.write() as sql:
            new = await server.hasher.hash("another password")
            await sql.execute(update(UserRow).values(password_hash=new))
            await server.sessions.revoke_all(sql, user_id)
        with pytest.raises(LoginFailed):
            await old
        slow.close()


async def test_a_new_password_ends_all_sessions_but_the_one_that_set_it(server):
    user_id = await server.add_user()
    mine = (await server.login.login("alice", PASSWORD, HERE)).tokens
    other = (await server.login.login("alice", PASSWORD, THERE)).tokens
    caller = principal(user_id, server.tokens.read(mine.access_token).session_id)
    await server.login.change_password(caller, PASSWORD, "another password", 8, HERE)
    with pytest.raises(RefreshTokenInvalid):
        await server.sessions.refresh(other.refresh_token, THERE)
    assert await server.sessions.refresh(mine.refresh_token, HERE)
    assert await server.login.login("alice", "another password", HERE)
    with pytest.raises(LoginFailed):
        await server.login.login("alice", PASSWORD, HERE)
    assert "password.changed" in {event.action for event in await server.audited()}


async def test_a_new_password_needs_the_old_one_and_wrong_ones_are_throttled(strict):
    caller = principal(await strict.add_user())
    with pytest.raises(PasswordTooShort) as refused:
        await strict.login.change_password(caller, PASSWORD, "short", 8, HERE)
    assert refused.value.field == "new_password"
    for _ in range(3):
        with pytest.raises(LoginFailed):
            await strict.login.change_password(caller, "wrong", "another password", 8, HERE)
    with pytest.raises(LoginThrottled):
        await strict.login.change_password(caller, PASSWORD, "another password", 8, HERE)
    assert await strict.login.login("alice", PASSWORD, HERE)


async def test_of_two_new_passwords_at_once_one_is_set(server):
    caller = principal(await server.add_user())
    answers = await asyncio.gather(
        *(server.login.change_password(caller, PASSWORD, f"password {n}", 8, HERE) for n in "ab"),
        return_exceptions=True,
    )
    assert sorted(map(type, answers), key=str) == sorted([type(None), LoginFailed], key=str)


async def test_the_time_a_failure_takes_tells_nothing_about_the_user(backend):
    async with credentials(backend, MANY) as server:
        await server.add_user(email="alice@example.org")
        await server.add_user("locked", disabled=True)
        await server.add_user("without", password="")
        *of_users, of_nobody = await timed(server, "alice", "locked", "without", "nobody")
        for seconds in of_users:
            # One in a million by chance: this must not fail on a busy machine, and does fail when
            # a query or a hash is left out.
            assert rank_test(seconds, of_nobody) > 1e-6


async def test_the_rank_test_would_notice_a_missing_hash(server):
    await server.add_user()
    slower, faster = [], []
    for _ in range(50):
        begin = time.perf_counter()
        await fail(server, "alice")
        middle = time.perf_counter()
        with pytest.raises(KeyInvalid):  # the price of a query
            await server.authenticator.authenticate(make_key())
        slower.append(middle - begin)
        faster.append(time.perf_counter() - middle)
    assert rank_test(slower, faster) < 1e-3


async def timed(server, *names, samples=SAMPLES) -> list[list[float]]:
    """Return the seconds of failed logins, in turn, so that all see the same machine."""
    seconds = [[] for _ in names]
    for _ in range(samples):
        for kind in random.sample(range(len(names)), len(names)):
            begin = time.perf_counter()
            await fail(server, names[kind])
            seconds[kind].append(time.perf_counter() - begin)
    return seconds


def rank_test(ones: list[float], others: list[float]) -> float:
    """Return how likely ranks differ that much by chance (Mann-Whitney, two-sided, no ties)."""
    ranked = sorted([(value, 1) for value in ones] + [(value, 0) for value in others])
    rank_sum = sum(rank for rank, (_, one) in enumerate(ranked, 1) if one)
    count, other_count = len(ones), len(others)
    mean = count * (count + other_count + 1) / 2
    deviation = sqrt(count * other_count * (count + other_count + 1) / 12)
    return erfc(abs(rank_sum - mean) / deviation / sqrt(2))
