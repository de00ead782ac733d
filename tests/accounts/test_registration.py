"""Registration: who may, with and without an invitation."""

import asyncio

import pytest

from ocr_grpc.accounts.errors import (
    EmailTaken,
    InvalidEmail,
    InvalidUserName,
    InviteInvalid,
    InviteRequired,
    LoginThrottled,
    PasswordTooLong,
    PasswordTooShort,
    RegistrationClosed,
    UserNameTaken,
)
from ocr_grpc.accounts.principal import Actor, OrganizationRole, Role
from ocr_grpc.accounts.throttle import LoginLimits, LoginThrottle
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.telemetry.metrics import Metrics
from tests.accounts.support import NOBODY, PASSWORD


async def register(accounts, mode="open", name="anna", code="", email="", password=PASSWORD):
    registration = accounts.registration(mode)
    return await registration.register(name, email, password, "", code, NOBODY)


async def invited(accounts, role=Role.USER, email="", organization_id=None):
    _, code = await accounts.invites.create(role, email, organization_id, 0, NOBODY)
    return code


@pytest.fixture
async def windows(backend):
    made = RateWindows(backend.redis_url, Metrics())
    yield made
    await made.close()


async def test_what_is_taken_is_found_out_before_a_password_is_hashed(accounts):
    await register(accounts, email="anna@example.com")
    taken = accounts.registration("open")
    accounts.hasher.close()  # it would fail now
    for name, email, error in (
        ("ANNA", "", UserNameTaken),
        ("berta", "Anna@example.com", EmailTaken),
        ("b", "", InvalidUserName),
        ("berta", "nobody", InvalidEmail),
    ):
        with pytest.raises(error):
            await taken.register(name, email, PASSWORD, "", "", NOBODY)


async def test_registrations_count_with_the_logins_of_an_address(accounts, windows):
    limits = LoginLimits(10, 3, slot_seconds=3_600, patience_seconds=0)
    throttle = LoginThrottle(windows, limits)
    registration = accounts.registration("open", throttle)
    await throttle.count("somebody", "10.0.0.7")
    for name in ("anna", "berta"):
        await registration.register(name, "", PASSWORD, "", "", NOBODY)
    with pytest.raises(LoginThrottled):
        await registration.register("carla", "", PASSWORD, "", "", NOBODY)
    elsewhere = Actor(address="10.0.0.8")
    await registration.register("carla", "", PASSWORD, "", "", elsewhere)


async def users(accounts):
    return (await accounts.users.list())[2]


async def test_anyone_may_register_where_that_is_open(accounts):
    user = await register(accounts, email="anna@example.com")
    assert user == await accounts.users.get(user.user_id)
    assert (user.role, user.email_verified, user.organization_id) == (Role.USER, False, None)
    [event] = await accounts.events(user.user_id)
    assert (event.action, event.actor_user_id, event.address) == ("user.registered", "", "10.0.0.7")
    async with accounts.database.read() as sql:
        row = await sql.get(UserRow, user.user_id)
    assert row.password_hash.startswith("$2b$04$")


async def test_taken_names_are_told(accounts):
    await register(accounts, email="anna@example.com")
    with pytest.raises(UserNameTaken):
        await register(accounts, name="ANNA")
    with pytest.raises(EmailTaken):
        await register(accounts, name="berta", email="Anna@example.com")


async def test_a_password_has_8_to_1024_characters(accounts):
    with pytest.raises(PasswordTooShort):
        await register(accounts, password="ö" * 7)
    with pytest.raises(PasswordTooShort):
        await register(accounts, password="")
    with pytest.raises(PasswordTooLong):
        await register(accounts, password="x" * 1_025)
    await register(accounts, password="ö" * 8)


async def test_nobody_may_register_where_that_is_closed(accounts):
    code = await invited(accounts)
    for given in ("", code):
        with pytest.raises(RegistrationClosed):
            await register(accounts, "closed", code=given)
    assert await users(accounts) == 0
    await register(accounts, "invite", code=code)  # and the invitation was not used up


async def test_only_the_invited_may_register_where_it_takes_that(accounts):
    with pytest.raises(InviteRequired):
        await register(accounts, "invite")
    for code in ("x", "\0", "x" * 100_000):
        with pytest.raises(InviteInvalid):
            await register(accounts, "invite", code=code)
    # Who has no invitation learns nothing about names.
    await accounts.user("anna")
    with pytest.raises(InviteInvalid):
        await register(accounts, "invite", name="anna", code="x")


@pytest.mark.parametrize("mode", ["open", "invite"])
async def test_an_invitation_decides_role_and_organization(accounts, mode):
    organization = await accounts.organization(await accounts.user())
    code = await invited(accounts, Role.BUSINESS, organization_id=organization.organization_id)
    user = await register(accounts, mode, code=code)
    assert (user.role, user.organization_id) == (Role.BUSINESS, organization.organization_id)
    assert user.organization_role is OrganizationRole.MEMBER
    assert user == await accounts.users.get(user.user_id)
    [invite], _ = await accounts.invites.list()
    assert invite.used_by_user_id == user.user_id
    assert invite.use_time
    with pytest.raises(InviteInvalid):
        await register(accounts, mode, name="berta", code=code)


async def test_an_invitation_is_for_its_address(accounts):
    code = await invited(accounts, email="Anna@example.com")
    for email in ("", "berta@example.com"):
        with pytest.raises(InviteInvalid):
            await register(accounts, code=code, email=email)
    user = await register(accounts, code=code, email="anna@EXAMPLE.com")
    assert not user.email_verified


async def test_an_account_that_is_not_made_leaves_the_invitation(accounts):
    await accounts.user("anna")
    code = await invited(accounts)
    with pytest.raises(UserNameTaken):
        await register(accounts, "invite", code=code)
    await register(accounts, "invite", name="berta", code=code)


async def test_an_invitation_makes_one_account_of_many_at_once(accounts):
    organization = await accounts.organization(await accounts.user("owner"))
    code = await invited(accounts, organization_id=organization.organization_id)
    results = await asyncio.gather(
        *(register(accounts, "invite", f"user-{number}", code) for number in range(4)),
        return_exceptions=True,
    )
    assert [type(result) for result in results].count(InviteInvalid) == 3
    assert await users(accounts) == 2


async def test_an_invitation_into_a_deleted_organization_is_void(accounts):
    organization = await accounts.organization(await accounts.user())
    code = await invited(accounts, organization_id=organization.organization_id)
    await accounts.organizations.delete(organization.organization_id, NOBODY)
    with pytest.raises(InviteInvalid):
        await register(accounts, code=code)


async def test_registering_while_the_organization_is_deleted_ends_well_either_way(accounts):
    organization = await accounts.organization(await accounts.user())
    code = await invited(accounts, organization_id=organization.organization_id)
    registered, _ = await asyncio.gather(
        register(accounts, code=code),
        accounts.organizations.delete(organization.organization_id, NOBODY),
        return_exceptions=True,
    )
    if isinstance(registered, InviteInvalid):
        assert await users(accounts) == 1
    else:
        user = await accounts.users.get(registered.user_id)
        assert (user.organization_id, user.organization_role) == (None, None)
