"""The audit log, and the figures about the installation."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ocr_grpc.accounts import audit
from ocr_grpc.accounts.audit_log import AuditFilter
from ocr_grpc.accounts.errors import FieldNotUpdatable, UserNameTaken
from ocr_grpc.accounts.key_rows import NewKey
from ocr_grpc.accounts.principal import Actor, Role, Scope
from ocr_grpc.accounts.stats import read_stats
from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.store.metering import OPEN, ServerRow, UsageRow
from tests.accounts.support import NOBODY, all_pages, principal

EVERYTHING = AuditFilter()


async def test_an_event_says_who_did_what_to_whom_and_from_where(accounts):
    admin, user = await accounts.user(role=Role.ADMIN), await accounts.user()
    actor = Actor(principal(admin, Scope.ADMIN), "2001:db8::7", "call-7")
    await accounts.users.update(user.user_id, {"disabled": True, "role": Role.BUSINESS}, "", actor)
    event = (await accounts.events(user.user_id))[-1]
    assert (event.actor_user_id, event.actor_key_id) == (admin.user_id, "key")
    assert (event.action, event.target_id) == ("user.updated", user.user_id)
    assert (event.address, event.call_id) == ("2001:db8::7", "call-7")
    assert event.details == {"fields": "disabled,role", "role": "business", "disabled": "True"}
    assert utc_now() - event.create_time < timedelta(seconds=30)


async def test_what_was_refused_did_not_happen(accounts):
    user = await accounts.user()
    before = await accounts.audit_log.list(EVERYTHING)
    with pytest.raises(UserNameTaken):
        await accounts.user(user.user_name)
    with pytest.raises(FieldNotUpdatable):
        await accounts.users.update(user.user_id, {"disabled": True, "x": 1}, "", NOBODY)
    assert await accounts.audit_log.list(EVERYTHING) == before


async def test_a_list_goes_through_all_events_without_gaps(accounts):
    async with accounts.database.write() as sql:
        for number in range(120):
            audit.record(sql, NOBODY, "thing.done", None, number=number)
    fetch = lambda size, token: accounts.audit_log.list(EVERYTHING, size, token)  # noqa: E731
    found = await all_pages(fetch)
    assert {event.details["number"] for event in found} == {str(number) for number in range(120)}
    assert len(found) == 120
    times = [event.create_time for event in found]
    assert times == sorted(times, reverse=True)


async def test_events_are_chosen_by_what_is_known_of_them(accounts):
    admin, user = await accounts.user(role=Role.ADMIN), await accounts.user()
    actor = Actor(principal(admin))
    await accounts.users.update(user.user_id, {"display_name": "A"}, "", actor)
    middle = (await accounts.events(user.user_id))[-1].create_time
    await accounts.users.delete(user.user_id, actor)

    async def actions(**fields):
        events, _ = await accounts.audit_log.list(replace(EVERYTHING, **fields))
        return [event.action for event in events]

    assert await actions(actor_user_id=admin.user_id) == ["user.deleted", "user.updated"]
    assert await actions(target_id=admin.user_id) == ["user.created"]
    assert await actions(action="user.deleted") == ["user.deleted"]
    assert await actions(start_time=middle) == ["user.deleted", "user.updated"]
    assert await actions(end_time=middle) == ["user.created", "user.created"]
    assert await actions(action="user.deleted", target_id=admin.user_id) == []
    for field in ("actor_user_id", "target_id", "action"):
        assert await actions(**{field: "a\0b"}) == []


async def test_the_figures_are_right(accounts):
    admin = await accounts.user(role=Role.ADMIN)
    users = [await accounts.user() for _ in range(4)]
    await accounts.organization(users[0])
    for user in users:
        await accounts.api_keys.create(principal(user), NewKey(), NOBODY)
    keys, _ = await accounts.api_keys.list(users[0].user_id)
    await accounts.api_keys.revoke(None, keys[0].key_id, NOBODY)
    await accounts.users.update(users[1].user_id, {"disabled": True}, "", NOBODY)
    await accounts.users.delete(users[2].user_id, NOBODY)
    now = utc_now()
    async with accounts.database.write() as sql:
        for lease_seconds in (-1, 15, 15):
            sql.add(ServerRow(lease_expire_time=now + timedelta(seconds=lease_seconds)))
        for status in (OPEN, OPEN, "OK"):
            sql.add(UsageRow(usage_id=new_id(), method="OcrService/Extract", status=status))

    stats = await read_stats(accounts.database)

    assert (stats.users_total, stats.users_disabled) == (4, 1)
    assert stats.users_by_role == {Role.USER: 3, Role.BUSINESS: 0, Role.ADMIN: 1}
    assert (stats.keys_active, stats.organizations_total) == (1, 1)
    assert (stats.open_extractions, stats.servers) == (2, 2)
    assert admin.role is Role.ADMIN
