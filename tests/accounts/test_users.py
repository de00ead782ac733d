"""Users: made, found, changed, deleted."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ocr_grpc.accounts.errors import (
    EmailTaken,
    FieldNotUpdatable,
    InvalidEmail,
    InvalidField,
    InvalidUserName,
    LastAdmin,
    LastOwner,
    PasswordTooShort,
    UserNameTaken,
    UserNotFound,
)
from ocr_grpc.accounts.key_rows import KeyState, NewKey
from ocr_grpc.accounts.names import checked_display_name, checked_email, checked_user_name
from ocr_grpc.accounts.principal import Limits, OwnLimits, Role, Scope
from ocr_grpc.accounts.users import NewUser
from ocr_grpc.errors import InvalidOption
from ocr_grpc.store.accounts import KeyRow, MailTokenRow, UserRow
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.errors import InvalidPageToken
from ocr_grpc.store.paging import encoded
from tests.accounts.support import NOBODY, PASSWORD, all_pages, principal

STRANGE_IDS = ["", "0" * 24, "nobody", "a\0b", "x" * 10_000, "';--", "ö"]


async def change(accounts, user, password="", **changes):
    return await accounts.users.update(user.user_id, changes, password, NOBODY)


async def test_a_user_has_what_it_was_made_with(accounts):
    new = NewUser("Anna.B-1", "Anna@Example.COM", "Anna", Role.BUSINESS, limits=OwnLimits(7))
    user = await accounts.users.create(new, PASSWORD, NOBODY)
    assert user == await accounts.users.get(user.user_id)
    assert (user.user_name, user.email, user.display_name) == (
        "Anna.B-1",
        "Anna@example.com",
        "Anna",
    )
    assert user.limits == OwnLimits(7, None, None)
    assert user.effective_limits == Limits(7, 100_000, 200)
    assert not user.email_verified
    assert await accounts.actions(user.user_id) == ["user.created"]


@pytest.mark.parametrize("name", ["ab", "x" * 65, "a b c", "änne", "anna\n", "", "a@b"])
def test_a_name_is_three_to_64_plain_characters(name):
    with pytest.raises(InvalidUserName):
        checked_user_name(name)


@pytest.mark.parametrize("email", ["anna", "a b@example.com", "a@b", "x" * 300 + "@example.com"])
def test_an_address_is_one(email):
    with pytest.raises(InvalidEmail):
        checked_email(email)


@pytest.mark.parametrize("display_name", ["x" * 129, "a\0b", "a\nb", "\x1b[31m"])
def test_a_display_name_can_be_shown(display_name):
    with pytest.raises(InvalidField) as refused:
        checked_display_name(display_name, "user.display_name")
    assert refused.value.field == "user.display_name"


async def test_a_user_with_something_wrong_is_not_made(accounts):
    wrong = [NewUser("ab"), NewUser("anna", "a@b"), NewUser("anna", display_name="\0")]
    for new in wrong:
        with pytest.raises(InvalidOption):
            await accounts.users.create(new, "", NOBODY)
    with pytest.raises(PasswordTooShort):
        await accounts.users.create(NewUser("anna"), "short", NOBODY)
    assert await accounts.users.list() == ([], "", 0)


async def test_names_and_addresses_are_unique_whatever_the_case(accounts):
    await accounts.user("anna", email="anna@example.com")
    other = await accounts.user("berta")
    with pytest.raises(UserNameTaken):
        await accounts.user("ANNA")
    with pytest.raises(EmailTaken):
        await accounts.user("carla", email="Anna@EXAMPLE.com")
    with pytest.raises(UserNameTaken):
        await change(accounts, other, user_name="Anna")
    with pytest.raises(EmailTaken):
        await change(accounts, other, "long enough", email="ANNA@example.com")
    # A name in another case is no other name.
    assert (await change(accounts, other, user_name="BERTA")).user_name == "BERTA"


async def test_two_who_want_a_name_at_once_do_not_both_get_it(accounts):
    results = await asyncio.gather(
        *(accounts.user(name) for name in ("anna", "Anna", "ANNA")), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == [
        "User", "UserNameTaken", "UserNameTaken",
    ]  # fmt: skip


async def test_an_id_of_nobody_is_not_found(accounts):
    for user_id in STRANGE_IDS:
        with pytest.raises(UserNotFound):
            await accounts.users.get(user_id)
        with pytest.raises(UserNotFound):
            await accounts.users.update(user_id, {"role": Role.ADMIN}, "", NOBODY)
        with pytest.raises(UserNotFound):
            await accounts.users.delete(user_id, NOBODY)


async def test_a_list_goes_through_all_users_without_gaps(accounts):
    made = [await accounts.user() for _ in range(120)]
    async with accounts.database.write() as sql:
        await sql.execute(update(UserRow).values(create_time=utc_now()))  # ties all over
    fetch = lambda size, token: accounts.users.list(page_size=size, page_token=token)  # noqa: E731
    found = await all_pages(fetch, 50)
    assert len(found) == 120
    assert {user.user_id for user in found} == {user.user_id for user in made}
    assert (await accounts.users.list(page_size=1))[2] == 120
    assert len((await accounts.users.list())[0]) == 50


async def test_the_newest_user_comes_first(accounts):
    made = [(await accounts.user()).user_id for _ in range(3)]
    assert [user.user_id for user in (await accounts.users.list())[0]] == made[::-1]


async def test_users_are_found_by_a_part_of_what_they_are_called(accounts):
    await accounts.user("anna", email="a@example.com", display_name="Anna 100% Berg")
    await accounts.user("berta", email="b_b@example.org", display_name="B")

    async def found(query):
        return [user.user_name for user in (await accounts.users.list(query))[0]]

    assert await found("ANN") == ["anna"]
    assert await found("berg") == ["anna"]
    assert await found("Example.ORG") == ["berta"]
    assert await found("%") == ["anna"]  # a sign like any other, not a pattern
    assert await found("_") == ["berta"]
    assert await found("\\") == await found("/") == await found("a\0") == []
    assert len(await found("")) == 2


async def test_users_are_chosen_by_role_and_organization(accounts):
    owner, _ = await accounts.user(), await accounts.user(role=Role.BUSINESS)
    organization = await accounts.organization(owner)
    users, _, total = await accounts.users.list(role=Role.BUSINESS)
    assert [user.role for user in users] == [Role.BUSINESS]
    assert total == 1
    users, _, _ = await accounts.users.list(organization_id=organization.organization_id)
    assert [user.user_id for user in users] == [owner.user_id]
    assert await accounts.users.list(organization_id="a\0b") == ([], "", 0)


async def test_a_token_nobody_gave_out_is_refused(accounts):
    now = "2026-01-01T00:00:00+00:00"
    times = ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2026-01-01", "x"]
    forged = [encoded(now), encoded(now, "\0"), encoded(now, "\ud800"), "x", "ö"]
    for token in forged + [encoded(time, "a") for time in times]:
        with pytest.raises(InvalidPageToken):
            await accounts.users.list(page_token=token)


async def test_only_what_is_named_changes(accounts):
    user = await accounts.user("anna", email="a@example.com", limits=OwnLimits(1, 2, 3))
    changed = await change(accounts, user, **{"limits.pages_per_month": None, "display_name": "A"})
    assert changed.limits == OwnLimits(1, None, 3)
    assert (changed.user_name, changed.email, changed.display_name) == (
        "anna",
        "a@example.com",
        "A",
    )
    assert (await change(accounts, user, limits=OwnLimits())).limits == OwnLimits()
    assert (await change(accounts, user, email="")).email == ""
    await accounts.user("berta", email="a@example.com")  # free again


async def test_a_field_that_cannot_be_changed_is_refused(accounts):
    user = await accounts.user()
    for changes in ({"user_id": "x"}, {"limits.x": 1}, {"role": "admin"}, {"": 1}):
        with pytest.raises(FieldNotUpdatable):
            await change(accounts, user, **changes)


async def test_a_new_address_is_unverified_unless_said_otherwise(accounts):
    user = await accounts.user(email="a@example.com", email_verified=True)
    assert user.email_verified
    assert (await change(accounts, user, email="a@example.com")).email_verified
    assert not (await change(accounts, user, email="b@example.com")).email_verified
    assert (await change(accounts, user, email_verified=True, email="c@example.com")).email_verified


async def test_a_new_password_or_being_disabled_ends_sessions(accounts):
    user = await accounts.user(email="a@example.com")
    for password, changes in (("another password", {}), ("", {"disabled": True})):
        await accounts.sign_in(user.user_id)
        await accounts.wait_for_news()
        await change(accounts, user, password, **changes)
        assert await accounts.live_sessions(user.user_id) == 0
        assert await accounts.heard_of(user.user_id)
    await accounts.sign_in(user.user_id)
    await change(accounts, user, display_name="A")
    assert await accounts.live_sessions(user.user_id) == 1
    assert await accounts.actions(user.user_id) == [
        "user.created", "user.password_set", "user.updated", "user.updated",
    ]  # fmt: skip


async def test_a_password_that_is_too_short_changes_nothing(accounts):
    user = await accounts.user()
    with pytest.raises(PasswordTooShort):
        await change(accounts, user, "short", display_name="A")
    assert await accounts.users.get(user.user_id) == user


async def test_users_change_their_own_name_and_address_and_no_more(accounts):
    user = await accounts.user(email="a@example.com", email_verified=True)
    changes = {"email": "b@example.com", "display_name": "B"}
    changed = await accounts.users.update_me(principal(user), changes, NOBODY)
    assert (changed.email, changed.email_verified) == ("b@example.com", False)
    for field, value in (
        ("role", Role.ADMIN),
        ("email_verified", True),
        ("limits", OwnLimits(0)),
        ("limits.pages_per_month", 0),
        ("disabled", False),
        ("user_name", "root"),
    ):
        with pytest.raises(FieldNotUpdatable):
            await accounts.users.update_me(principal(user), {field: value}, NOBODY)
    assert (await accounts.users.get(user.user_id)).role is Role.USER


@pytest.mark.parametrize("changes", [{"role": Role.USER}, {"disabled": True}])
async def test_the_last_administrator_stays_one(accounts, changes):
    admin = await accounts.user(role=Role.ADMIN)
    await accounts.user(role=Role.ADMIN, disabled=True)
    with pytest.raises(LastAdmin):
        await change(accounts, admin, **changes)
    with pytest.raises(LastAdmin):
        await accounts.users.delete(admin.user_id, NOBODY)
    assert await accounts.users.get(admin.user_id) == admin
    # All that leaves an administrator is fine.
    assert (await change(accounts, admin, role=Role.ADMIN, disabled=False)) == admin
    await accounts.user(role=Role.ADMIN)
    await change(accounts, admin, **changes)


async def test_an_administrator_without_a_way_in_does_not_count(accounts):
    admin = await accounts.user(role=Role.ADMIN)
    ghost = await accounts.users.create(NewUser("ghost", role=Role.ADMIN), "", NOBODY)
    keys, caller = accounts.api_keys, principal(ghost)
    await keys.create(caller, NewKey(scopes=frozenset({Scope.OCR})), NOBODY)

    async def stays():
        with pytest.raises(LastAdmin):
            await accounts.users.delete(admin.user_id, NOBODY)
        with pytest.raises(LastAdmin):
            await change(accounts, admin, disabled=True)

    await stays()
    key, _ = await keys.create(caller, NewKey(scopes=frozenset(Scope)), NOBODY)
    await keys.update(caller, key.key_id, {"disabled": True}, NOBODY)
    await stays()
    async with accounts.database.write() as sql:
        over = {"disabled": False, "expire_time": utc_now()}
        await sql.execute(update(KeyRow).where(KeyRow.key_id == key.key_id).values(**over))
    await stays()
    await keys.update(caller, key.key_id, {"expire_time": None}, NOBODY)
    await change(accounts, admin, disabled=True)
    await change(accounts, admin, disabled=False)
    await keys.revoke(ghost.user_id, key.key_id, NOBODY)
    await stays()
    await change(accounts, ghost, PASSWORD)
    await accounts.users.delete(admin.user_id, NOBODY)


@pytest.mark.parametrize("act", ["demote", "disable", "delete", "mixed"])
async def test_of_the_last_two_administrators_who_go_at_once_one_stays(accounts, act):
    admins = [await accounts.user(role=Role.ADMIN) for _ in range(2)]

    def going(number, admin):
        if act == "delete" or (act == "mixed" and number):
            return accounts.users.delete(admin.user_id, NOBODY)
        changes = {"disabled": True} if act == "disable" else {"role": Role.USER}
        return change(accounts, admin, **changes)

    results = await asyncio.gather(
        *(going(number, admin) for number, admin in enumerate(admins)), return_exceptions=True
    )
    assert [isinstance(result, LastAdmin) for result in results].count(True) == 1
    users, _, _ = await accounts.users.list(role=Role.ADMIN)
    assert len([user for user in users if not user.disabled]) == 1


async def test_a_deleted_user_is_forgotten(accounts):
    user = await accounts.users.create(
        NewUser("anna", "anna@example.com", "Anna Berg"), PASSWORD, NOBODY
    )
    key, _ = await accounts.api_keys.create(principal(user), NewKey(), NOBODY)
    await accounts.sign_in(user.user_id)
    async with accounts.database.write() as sql:
        sql.add(
            MailTokenRow(
                token_hash=b"x" * 32,
                user_id=user.user_id,
                purpose="verify",
                email=user.email,
                expire_time=utc_now() + timedelta(hours=1),
            )
        )
    await accounts.wait_for_news()

    await accounts.users.delete(user.user_id, NOBODY)

    assert await accounts.heard_of(user.user_id)
    async with accounts.database.read() as sql:
        row = await sql.get(UserRow, user.user_id)
        assert await sql.scalar(select(MailTokenRow)) is None
    texts = " ".join(str(value) for value in vars(row).values())
    assert "anna" not in texts.lower()
    assert row.password_hash is None
    assert row.disabled
    assert await accounts.live_sessions(user.user_id) == 0
    assert (await accounts.api_keys.list(user.user_id))[0] == []
    [revoked], _ = await accounts.api_keys.list(None, show_revoked=True)
    assert (revoked.key_id, revoked.state) == (key.key_id, KeyState.REVOKED)
    assert await accounts.users.list() == ([], "", 0)
    for gone in (accounts.users.get(user.user_id), accounts.users.delete(user.user_id, NOBODY)):
        with pytest.raises(UserNotFound):
            await gone
    events = await accounts.events(user.user_id)
    assert [event.action for event in events] == ["user.created", "user.deleted"]
    assert "anna" not in str(events).lower()
    await accounts.user("Anna", email="ANNA@example.com")  # both are free again


async def test_the_last_owner_of_an_organization_cannot_be_deleted(accounts):
    owner = await accounts.user()
    organization = await accounts.organization(owner)
    member = await accounts.member(organization)
    with pytest.raises(LastOwner):
        await accounts.users.delete(owner.user_id, NOBODY)
    await accounts.users.delete(member.user_id, NOBODY)
    admin = principal(await accounts.user(role=Role.ADMIN))
    found = await accounts.organizations.get(admin, organization.organization_id)
    assert found.member_count == 1
