"""API keys: made, changed, rotated, revoked, and never a way to more than one has."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ocr_grpc.accounts import api_keys
from ocr_grpc.accounts.errors import (
    FieldNotUpdatable,
    InsufficientScope,
    InvalidField,
    KeyInvalid,
    KeyIsRevoked,
    KeyNotFound,
    LooserThanKey,
    RoleRequired,
    TooManyKeys,
)
from ocr_grpc.accounts.key_rows import KeyState, NewKey
from ocr_grpc.accounts.opaque import hash_of, is_key
from ocr_grpc.accounts.principal import KeyInUse, OwnLimits, Role, Scope
from ocr_grpc.store.accounts import KeyRow, KeySecretRow
from ocr_grpc.store.base import utc_now
from tests.accounts.support import NOBODY, all_pages, principal

ALL_BUT_ADMIN = frozenset(Scope) - {Scope.ADMIN}


@pytest.fixture
async def anna(accounts):
    return await accounts.user("anna")


async def make(accounts, user, *scopes, **fields):
    new = NewKey(scopes=frozenset(scopes or {Scope.OCR}), **fields)
    key, _ = await accounts.api_keys.create(principal(user), new, NOBODY)
    return key


async def calling_with(accounts, user, *scopes, **fields):
    """Return a user who calls with a key that was just made."""
    scopes = scopes or (Scope.KEYS, Scope.OCR)
    key = await make(accounts, user, *scopes, **fields)
    return replace(
        principal(user), session_id=None, key=KeyInUse(key.key_id, key.scopes, key.limits)
    )


async def change(accounts, caller, key, **changes):
    return await accounts.api_keys.update(caller, key.key_id, changes, NOBODY)


async def secrets_of(accounts, key):
    chosen = select(KeySecretRow).where(KeySecretRow.key_id == key.key_id)
    async with accounts.database.read() as sql:
        return {row.secret_hash: row.expire_time for row in await sql.scalars(chosen)}


async def test_a_key_has_what_it_was_made_with_and_its_secret_is_not_kept(accounts, anna):
    expire_time = utc_now() + timedelta(days=1)
    new = NewKey("CI", frozenset({Scope.OCR, Scope.USAGE}), expire_time, OwnLimits(1, 2, 3))
    key, secret = await accounts.api_keys.create(principal(anna), new, NOBODY)
    assert is_key(secret)
    assert key == await accounts.api_keys.get(principal(anna), key.key_id)
    assert (key.user_id, key.display_name, key.scopes) == (anna.user_id, "CI", new.scopes)
    assert (key.expire_time, key.limits, key.state) == (expire_time, new.limits, KeyState.ACTIVE)
    assert secret.startswith(key.prefix)
    assert len(key.prefix) == 10
    assert await secrets_of(accounts, key) == {hash_of(secret): None}
    [event] = await accounts.events(key.key_id)
    assert event.action == "key.created"
    assert secret not in str(event)


async def test_a_key_is_for_reading_documents_unless_said_otherwise(accounts, anna):
    key, _ = await accounts.api_keys.create(principal(anna), NewKey(scopes=frozenset()), NOBODY)
    assert key.scopes == {Scope.OCR}


async def test_a_key_of_the_past_is_refused(accounts, anna):
    with pytest.raises(InvalidField):
        await make(accounts, anna, expire_time=utc_now())
    key = await make(accounts, anna)
    with pytest.raises(InvalidField):
        await change(accounts, principal(anna), key, expire_time=utc_now())


async def test_keys_of_others_and_no_keys_are_not_found(accounts, anna):
    key, caller = await make(accounts, anna), principal(await accounts.user(role=Role.ADMIN))
    keys = accounts.api_keys
    for key_id in (key.key_id, "", "a\0b", "0" * 24, "x" * 9_999):
        for refused in (
            keys.get(caller, key_id),
            keys.update(caller, key_id, {"disabled": True}, NOBODY),
            keys.rotate(caller, key_id, 0, NOBODY),
            keys.revoke(caller.user_id, key_id, NOBODY),
        ):
            with pytest.raises(KeyNotFound):
                await refused
    assert await keys.get(principal(anna), key.key_id) == key
    with pytest.raises(KeyNotFound):
        await keys.revoke(None, "a\0b", NOBODY)


async def test_a_list_goes_through_all_keys_of_a_user_without_gaps(accounts, anna):
    made = set()
    async with accounts.database.write() as sql:
        for _ in range(120):
            key, _ = await accounts.api_keys.add(sql, anna.user_id, NewKey(), NOBODY)
            made.add(key.key_id)
    other = await make(accounts, await accounts.user())
    fetch = lambda size, token: accounts.api_keys.list(anna.user_id, False, size, token)  # noqa: E731
    found = [key.key_id for key in await all_pages(fetch)]
    assert len(found) == 120
    assert set(found) == made
    everybodys, _ = await accounts.api_keys.list(None, page_size=500)
    assert {key.key_id for key in everybodys} == made | {other.key_id}


async def test_revoked_keys_are_listed_only_if_asked_for(accounts, anna):
    key = await make(accounts, anna)
    await accounts.api_keys.revoke(anna.user_id, key.key_id, NOBODY)
    assert (await accounts.api_keys.list(anna.user_id))[0] == []
    [listed] = (await accounts.api_keys.list(anna.user_id, show_revoked=True))[0]
    assert listed.state is KeyState.REVOKED


async def test_a_user_has_at_most_100_live_keys(accounts, anna):
    async with accounts.database.write() as sql:
        for _ in range(98):
            await accounts.api_keys.add(sql, anna.user_id, NewKey(), NOBODY)
        soon = NewKey(expire_time=utc_now() + timedelta(seconds=0.1))
        expiring, _ = await accounts.api_keys.add(sql, anna.user_id, soon, NOBODY)
    await asyncio.sleep(0.15)
    results = await asyncio.gather(
        *(make(accounts, anna) for _ in range(5)), return_exceptions=True
    )
    assert [type(result) for result in results].count(TooManyKeys) == 3
    # The one that is over does not come back as number 101.
    with pytest.raises(TooManyKeys):
        await change(accounts, principal(anna), expiring, expire_time=None)
    [newest], _ = await accounts.api_keys.list(anna.user_id, page_size=1)
    await accounts.api_keys.revoke(anna.user_id, newest.key_id, NOBODY)
    revived = await change(accounts, principal(anna), expiring, expire_time=None)
    assert revived.state is KeyState.ACTIVE
    await make(accounts, await accounts.user())  # others have room


async def test_only_what_is_named_changes(accounts, anna):
    key = await make(accounts, anna, display_name="CI", limits=OwnLimits(1, 2, 3))
    await accounts.wait_for_news()
    changed = await change(
        accounts, principal(anna), key, **{"limits.calls_per_minute": 0, "disabled": True}
    )
    assert await accounts.heard_of(anna.user_id)
    assert changed.limits == OwnLimits(0, 2, 3)
    assert (changed.display_name, changed.state) == ("CI", KeyState.DISABLED)
    assert (await change(accounts, principal(anna), key, disabled=False)).state is KeyState.ACTIVE
    with pytest.raises(FieldNotUpdatable):
        await change(accounts, principal(anna), key, user_id="x")
    with pytest.raises(InvalidField):
        await change(accounts, principal(anna), key, scopes=frozenset())
    assert await accounts.actions(key.key_id) == ["key.created", "key.updated", "key.updated"]


async def test_the_worst_that_holds_is_the_state_of_a_key(accounts, anna):
    key = await make(accounts, anna, expire_time=utc_now() + timedelta(seconds=0.05))
    await asyncio.sleep(0.06)
    assert (await accounts.api_keys.get(principal(anna), key.key_id)).state is KeyState.EXPIRED
    assert (await change(accounts, principal(anna), key, disabled=True)).state is KeyState.DISABLED
    revoked = await accounts.api_keys.revoke(anna.user_id, key.key_id, NOBODY)
    assert revoked.state is KeyState.REVOKED


async def test_a_revoked_key_stays_as_it_is(accounts, anna):
    key = await make(accounts, anna)
    await accounts.wait_for_news()
    revoked = await accounts.api_keys.revoke(anna.user_id, key.key_id, NOBODY)
    assert await accounts.heard_of(anna.user_id)
    assert await accounts.api_keys.revoke(None, key.key_id, NOBODY) == revoked
    for refused in (
        accounts.api_keys.update(principal(anna), key.key_id, {"disabled": False}, NOBODY),
        accounts.api_keys.rotate(principal(anna), key.key_id, 0, NOBODY),
    ):
        with pytest.raises(KeyIsRevoked):
            await refused
    assert await accounts.actions(key.key_id) == ["key.created", "key.revoked"]


async def test_after_a_rotation_the_old_secret_works_for_the_overlap(accounts, anna):
    key, first = await accounts.api_keys.create(principal(anna), NewKey(), NOBODY)
    rotate = accounts.api_keys.rotate
    rotated, second, old_expire_time = await rotate(principal(anna), key.key_id, 3_600, NOBODY)
    assert (rotated.key_id, rotated.prefix) == (key.key_id, second[:10])
    assert timedelta(seconds=3_590) < old_expire_time - utc_now() <= timedelta(seconds=3_601)
    kept = {hash_of(first): old_expire_time, hash_of(second): None}
    assert await secrets_of(accounts, key) == kept

    # A longer overlap does not give the first one more time, a shorter one takes it.
    _, third, later = await rotate(principal(anna), key.key_id, 30 * 86_400, NOBODY)
    kept |= {hash_of(second): later, hash_of(third): None}
    assert await secrets_of(accounts, key) == kept
    _, fourth, at_once = await rotate(principal(anna), key.key_id, 0, NOBODY)
    assert at_once <= utc_now() + timedelta(seconds=0.5)
    kept = await secrets_of(accounts, key)
    assert kept.pop(hash_of(fourth)) is None
    assert set(kept.values()) == {at_once}
    assert fourth not in str(await accounts.events(key.key_id))
    for seconds in (-1, 30 * 86_400 + 1):
        with pytest.raises(InvalidField):
            await rotate(principal(anna), key.key_id, seconds, NOBODY)


async def test_secrets_that_were_over_long_ago_are_deleted(accounts, anna):
    key = await make(accounts, anna)
    for days in (29, 31):
        await accounts.api_keys.rotate(principal(anna), key.key_id, 0, NOBODY)
        async with accounts.database.write() as sql:
            await sql.execute(
                update(KeySecretRow)
                .where(KeySecretRow.expire_time > utc_now() - timedelta(days=1))
                .values(expire_time=utc_now() - timedelta(days=days))
            )
    await accounts.api_keys.rotate(principal(anna), key.key_id, 0, NOBODY)
    assert len(await secrets_of(accounts, key)) == 3  # 29 days ago, just now, and the new one


async def test_an_overlap_ends_with_the_key(accounts, anna):
    expire_time = utc_now() + timedelta(minutes=1)
    key = await make(accounts, anna, expire_time=expire_time)
    _, _, over = await accounts.api_keys.rotate(principal(anna), key.key_id, 3_600, NOBODY)
    assert over == expire_time


async def test_a_key_passes_on_only_what_it_may_itself(accounts, anna):
    caller = await calling_with(accounts, anna)
    with pytest.raises(InsufficientScope) as refused:
        await accounts.api_keys.create(
            caller, NewKey(scopes=frozenset({Scope.OCR, Scope.USAGE})), NOBODY
        )
    assert refused.value.metadata["scope"] == "usage"
    same = NewKey(scopes=frozenset({Scope.KEYS, Scope.OCR}))
    key, _ = await accounts.api_keys.create(caller, same, NOBODY)
    with pytest.raises(InsufficientScope):
        await change(accounts, caller, key, scopes=ALL_BUT_ADMIN)
    with pytest.raises(InsufficientScope):  # not even the default
        await accounts.api_keys.create(
            await calling_with(accounts, anna, Scope.KEYS), NewKey(), NOBODY
        )


async def test_a_key_gains_nothing_by_changing_a_stronger_one(accounts, anna):
    strong = await make(accounts, anna, *ALL_BUT_ADMIN, limits=OwnLimits(1), display_name="strong")
    caller = await calling_with(accounts, anna)
    later = utc_now() + timedelta(days=999)
    for changes in (
        {"disabled": False},
        {"limits": OwnLimits()},
        {"limits.calls_per_minute": None},
        {"expire_time": None},
        {"expire_time": later},
        {"disabled": False, "scopes": frozenset({Scope.OCR})},
    ):
        with pytest.raises(InsufficientScope):
            await change(accounts, caller, strong, **changes)
    with pytest.raises(InsufficientScope):
        await accounts.api_keys.rotate(caller, strong.key_id, 60, NOBODY)
    assert await accounts.api_keys.get(caller, strong.key_id) == strong
    # What only takes power away is fine, and so is all of it with its equals.
    await change(accounts, caller, strong, disabled=True, display_name="off")
    weaker = await change(accounts, caller, strong, scopes=frozenset({Scope.OCR}))
    await change(accounts, caller, weaker, disabled=False)
    await accounts.api_keys.rotate(caller, strong.key_id, 60, NOBODY)
    await accounts.api_keys.revoke(caller.user_id, strong.key_id, NOBODY)


LIMITED = {"limits": OwnLimits(100, 3)}


async def test_a_key_of_a_key_has_its_end_and_its_limits(accounts, anna):
    end = utc_now() + timedelta(hours=1)
    caller = await calling_with(accounts, anna, expire_time=end, **LIMITED)
    heir, _ = await accounts.api_keys.create(caller, NewKey(), NOBODY)
    assert (heir.expire_time, heir.limits) == (end, OwnLimits(100, 3))
    narrow = NewKey(expire_time=end - timedelta(minutes=1), limits=OwnLimits(99, None, 7))
    key, _ = await accounts.api_keys.create(caller, narrow, NOBODY)
    assert (key.expire_time, key.limits) == (narrow.expire_time, OwnLimits(99, 3, 7))


@pytest.mark.parametrize(
    ("field", "looser"),
    [
        ("key.expire_time", {"expire_time": utc_now() + timedelta(days=9)}),
        ("key.limits.calls_per_minute", {"limits": OwnLimits(101)}),
        ("key.limits.pages_per_month", {"limits": OwnLimits(1, 0)}),
    ],
)
async def test_no_key_makes_a_looser_one(accounts, anna, field, looser):
    end = utc_now() + timedelta(hours=1)
    caller = await calling_with(accounts, anna, expire_time=end, **LIMITED)
    with pytest.raises(LooserThanKey) as refused:
        await accounts.api_keys.create(caller, NewKey(**looser), NOBODY)
    assert (refused.value.reason, refused.value.metadata["field"]) == ("LOOSER_THAN_KEY", field)


async def test_no_key_frees_itself_or_another(accounts, anna):
    end = utc_now() + timedelta(hours=1)
    caller = await calling_with(accounts, anna, expire_time=end, **LIMITED)
    itself = await accounts.api_keys.get(caller, caller.key.key_id)
    sibling = await make(accounts, anna)
    for key in (itself, sibling):
        for changes in (
            {"expire_time": None},
            {"expire_time": end + timedelta(seconds=1)},
            {"limits": OwnLimits()},
            {"limits.calls_per_minute": 0},
            {"limits.pages_per_month": 4},
            {"limits.pages_per_month": None},
        ):
            with pytest.raises(LooserThanKey):
                await change(accounts, caller, key, **changes)
        assert await accounts.api_keys.get(caller, key.key_id) == key
    # Its own limits and end are fine, and so is all that narrows.
    await change(accounts, caller, itself, expire_time=end, **LIMITED)
    await change(accounts, caller, itself, **{"limits.concurrent_streams": 2})
    await accounts.api_keys.rotate(caller, itself.key_id, 60, NOBODY)


async def test_no_key_gets_hold_of_a_looser_one(accounts, anna):
    caller = await calling_with(accounts, anna, **LIMITED)
    looser = await make(accounts, anna, Scope.OCR, Scope.KEYS)
    with pytest.raises(LooserThanKey):
        await accounts.api_keys.rotate(caller, looser.key_id, 60, NOBODY)
    await change(accounts, caller, looser, disabled=True, scopes=frozenset({Scope.OCR}))
    for changes in ({"disabled": False}, {"scopes": frozenset({Scope.OCR, Scope.KEYS})}):
        with pytest.raises(LooserThanKey):
            await change(accounts, caller, looser, **changes)
    await change(accounts, caller, looser, disabled=False, **LIMITED)
    # Whoever is signed in may do all of it.
    await change(accounts, principal(anna), looser, limits=OwnLimits())


async def test_a_key_that_is_not_there_makes_none(accounts, anna):
    with pytest.raises(KeyInvalid):
        await accounts.api_keys.create(principal(anna, Scope.OCR), NewKey(), NOBODY)


async def test_the_scope_for_administration_is_for_administrators(accounts, anna):
    new = NewKey(scopes=frozenset({Scope.ADMIN}))
    with pytest.raises(RoleRequired):
        await accounts.api_keys.create(principal(anna), new, NOBODY)
    key = await make(accounts, anna)
    with pytest.raises(RoleRequired):
        await change(accounts, principal(anna), key, scopes=new.scopes)
    admin = await accounts.user(role=Role.ADMIN)
    made, _ = await accounts.api_keys.create(principal(admin), new, NOBODY)
    assert made.scopes == {Scope.ADMIN}
    with pytest.raises(InsufficientScope):
        await accounts.api_keys.create(principal(admin, Scope.KEYS), new, NOBODY)
    # Somebody who is no administrator any more may keep the key, but get no other by it.
    await accounts.user(role=Role.ADMIN)
    demoted = await accounts.users.update(admin.user_id, {"role": Role.USER}, "", NOBODY)
    await change(accounts, principal(demoted), made, scopes=frozenset({Scope.ADMIN, Scope.OCR}))
    with pytest.raises(RoleRequired):
        await accounts.api_keys.create(principal(demoted), new, NOBODY)


async def test_scopes_of_a_newer_release_are_passed_over(accounts, anna):
    key = await make(accounts, anna)
    async with accounts.database.write() as sql:
        (await sql.get(KeyRow, key.key_id)).scopes = "ocr telepathy"
    assert (await accounts.api_keys.get(principal(anna), key.key_id)).scopes == {Scope.OCR}


def test_the_limits_are_those_the_contract_names():
    assert api_keys.MAX_OVERLAP_SECONDS == 2_592_000
