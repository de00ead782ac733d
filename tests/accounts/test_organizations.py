"""Organizations: seen by members, run by owners, made by administrators."""

import asyncio

import pytest

from ocr_grpc.accounts.errors import (
    AlreadyInOrganization,
    FieldNotUpdatable,
    InvalidField,
    InviteInvalid,
    LastOwner,
    OrganizationNotFound,
    OwnerRequired,
    RoleRequired,
    UserNotFound,
)
from ocr_grpc.accounts.members import Member
from ocr_grpc.accounts.organizations import Organization
from ocr_grpc.accounts.principal import OrganizationRole, Role, Scope
from ocr_grpc.accounts.users import NewUser
from ocr_grpc.store.base import utc_now
from tests.accounts.support import NOBODY, all_pages, principal

MEMBER, OWNER = OrganizationRole.MEMBER, OrganizationRole.OWNER


class House:
    """An organization with an owner and a member, and somebody else."""

    owner = member = stranger = admin = organization = None

    @property
    def id(self):
        return self.organization.organization_id


@pytest.fixture
async def house(accounts):
    made = House()
    made.owner = await accounts.user("owner")
    made.organization = await accounts.organization(made.owner)
    made.member = await accounts.member(made.organization)
    made.stranger = await accounts.user("stranger")
    made.admin = await accounts.user("root", Role.ADMIN)
    return made


async def roles(accounts, house):
    members, _ = await accounts.memberships.list(principal(house.admin), house.id)
    return {member.user_id: member.role for member in members}


async def test_an_organization_has_an_owner_from_the_first(accounts):
    owner = await accounts.user("anna")
    await accounts.wait_for_news()
    made = await accounts.organizations.create("Examples & Sons", 70, owner.user_id, NOBODY)
    assert await accounts.heard_of(owner.user_id)
    assert made.create_time <= utc_now()
    assert made == Organization(
        made.organization_id, "Examples & Sons", 70, made.create_time, member_count=1
    )
    assert await accounts.organizations.get(principal(owner), made.organization_id) == made
    now = await accounts.users.get(owner.user_id)
    assert (now.organization_id, now.organization_role) == (made.organization_id, OWNER)
    assert await accounts.actions(made.organization_id) == ["organization.created"]


async def test_what_can_never_be_right_is_refused(accounts, house):
    create = accounts.organizations.create
    for name, pages in (("", 0), ("x" * 129, 0), ("a\0", 0), ("A", -1)):
        with pytest.raises(InvalidField):
            await create(name, pages, house.stranger.user_id, NOBODY)
    with pytest.raises(UserNotFound):
        await create("A", 0, "nobody", NOBODY)
    with pytest.raises(AlreadyInOrganization):
        await create("A", 0, house.member.user_id, NOBODY)
    assert len((await accounts.organizations.list())[0]) == 1


async def test_a_list_goes_through_all_organizations_without_gaps(accounts):
    for number in range(60):
        await accounts.organization(await accounts.user(), f"number {number}")
    found = await all_pages(accounts.organizations.list, 25)
    assert [one.display_name for one in found] == [f"number {n}" for n in reversed(range(60))]
    assert {one.member_count for one in found} == {1}


async def test_members_are_listed_by_name_without_gaps(accounts, house):
    members = 118
    async with accounts.database.write() as sql:
        for number in range(members):
            row = await accounts.users.add(sql, NewUser(f"M{number:03}"), None)
            row.organization_id, row.organization_role = house.id, MEMBER.value

    async def fetch(size, token):
        return await accounts.memberships.list(principal(house.member), house.id, size, token)

    found = await all_pages(fetch)
    names = [member.user_name for member in found]
    assert len(names) == members + 2
    assert names == sorted(names, key=str.lower)
    assert Member(house.owner.user_id, "owner", "", OWNER) in found


async def test_others_do_not_see_it_and_members_do_not_run_it(accounts, house):
    organizations, memberships = accounts.organizations, accounts.memberships

    def attempts(user, organization_id):
        caller, member_id = principal(user), house.owner.user_id
        return (
            organizations.update(caller, organization_id, {"display_name": "X"}, NOBODY),
            memberships.update(caller, organization_id, member_id, MEMBER, NOBODY),
            memberships.remove(caller, organization_id, member_id, NOBODY),
            memberships.invite(caller, organization_id, "", 0, NOBODY),
        )

    for refused in attempts(house.member, house.id):
        with pytest.raises(OwnerRequired):
            await refused
    for user, organization_id in (
        (house.stranger, house.id),
        (house.admin, "0" * 24),
        (house.member, "a\0b"),
    ):
        for refused in (
            *attempts(user, organization_id),
            organizations.get(principal(user), organization_id),
            memberships.list(principal(user), organization_id),
        ):
            with pytest.raises(OrganizationNotFound):
                await refused
    assert await roles(accounts, house) == {
        house.owner.user_id: OWNER,
        house.member.user_id: MEMBER,
    }


async def test_an_administrators_key_sees_all_only_with_the_scope_for_it(accounts, house):
    get = accounts.organizations.get
    await get(principal(house.admin, Scope.ADMIN), house.id)
    with pytest.raises(OrganizationNotFound):
        await get(principal(house.admin, Scope.USAGE), house.id)
    await get(principal(house.member, Scope.USAGE), house.id)


async def test_owners_name_it_and_administrators_set_the_quota(accounts, house):
    update = accounts.organizations.update
    owner, admin = principal(house.owner), principal(house.admin)
    changed = await update(owner, house.id, {"display_name": "New"}, NOBODY)
    assert (changed.display_name, changed.member_count) == ("New", 2)
    with pytest.raises(RoleRequired):
        await update(owner, house.id, {"pages_per_month": 0}, NOBODY)
    for user in (house.owner, house.member):
        await accounts.wait_for_news()
        changed = await update(admin, house.id, {"pages_per_month": 9}, NOBODY)
        assert await accounts.heard_of(user.user_id)
    assert changed.pages_per_month == 9
    with pytest.raises(InvalidField):
        await update(admin, house.id, {"pages_per_month": -1}, NOBODY)
    with pytest.raises(FieldNotUpdatable):
        await update(admin, house.id, {"organization_id": "x"}, NOBODY)
    assert (
        await accounts.actions(house.id) == ["organization.created"] + ["organization.updated"] * 3
    )


async def test_members_of_a_deleted_organization_remain_users(accounts, house):
    await accounts.wait_for_news()
    await accounts.organizations.delete(house.id, NOBODY)
    assert await accounts.heard_of(house.member.user_id)
    for user in (house.owner, house.member):
        now = await accounts.users.get(user.user_id)
        assert (now.organization_id, now.organization_role) == (None, None)
    with pytest.raises(OrganizationNotFound):
        await accounts.organizations.delete(house.id, NOBODY)
    assert (await accounts.actions(house.id))[-1] == "organization.deleted"


async def test_an_invited_user_joins(accounts, house):
    invite, code = await accounts.memberships.invite(
        principal(house.owner), house.id, "", 60, NOBODY
    )
    assert (invite.organization_id, invite.role) == (house.id, Role.USER)
    await accounts.wait_for_news()
    joined, _ = await accounts.memberships.accept(principal(house.stranger), code, NOBODY)
    assert await accounts.heard_of(house.stranger.user_id)
    assert (joined.organization_id, joined.member_count) == (house.id, 3)
    assert (await roles(accounts, house))[house.stranger.user_id] is MEMBER
    with pytest.raises(InviteInvalid):
        await accounts.memberships.accept(principal(await accounts.user()), code, NOBODY)
    assert (await accounts.actions(house.stranger.user_id))[-1] == "member.joined"


async def test_who_cannot_join_does_not_use_an_invitation_up(accounts, house):
    accept = accounts.memberships.accept
    _, code = await accounts.memberships.invite(
        principal(house.owner), house.id, "anna@example.com", 0, NOBODY
    )
    with pytest.raises(InviteInvalid):
        await accept(principal(house.stranger), code, NOBODY)
    await accounts.users.update(house.member.user_id, {"email": "anna@example.com"}, "", NOBODY)
    with pytest.raises(AlreadyInOrganization):
        await accept(principal(house.member), code, NOBODY)
    await accounts.memberships.remove(
        principal(house.member), house.id, house.member.user_id, NOBODY
    )
    await accept(principal(house.member), code, NOBODY)
    _, nowhere = await accounts.invites.create(Role.ADMIN, "", None, 0, NOBODY)
    with pytest.raises(InviteInvalid):
        await accept(principal(house.stranger), nowhere, NOBODY)
    await accounts.invites.check(nowhere, "")
    assert (await accounts.users.get(house.stranger.user_id)).role is Role.USER


async def test_of_two_who_take_an_invitation_at_once_one_gets_in(accounts, house):
    _, code = await accounts.memberships.invite(principal(house.owner), house.id, "", 0, NOBODY)
    users = [await accounts.user() for _ in range(3)]
    results = await asyncio.gather(
        *(accounts.memberships.accept(principal(user), code, NOBODY) for user in users),
        return_exceptions=True,
    )
    assert [type(result) for result in results].count(InviteInvalid) == 2
    assert len(await roles(accounts, house)) == 3


async def test_owners_promote_demote_and_remove(accounts, house):
    memberships, owner = accounts.memberships, principal(house.owner)
    await accounts.wait_for_news()
    promoted = await memberships.update(owner, house.id, house.member.user_id, OWNER, NOBODY)
    assert await accounts.heard_of(house.member.user_id)
    assert promoted.role is OWNER
    await memberships.update(owner, house.id, house.owner.user_id, MEMBER, NOBODY)
    # The principal is from before; what counts is what holds now.
    with pytest.raises(OwnerRequired):
        await memberships.remove(owner, house.id, house.member.user_id, NOBODY)
    await memberships.remove(principal(house.member), house.id, house.owner.user_id, NOBODY)
    assert await roles(accounts, house) == {house.member.user_id: OWNER}
    for user_id in (house.stranger.user_id, "nobody", "a\0b"):
        with pytest.raises(UserNotFound):
            await memberships.remove(principal(house.member), house.id, user_id, NOBODY)
        with pytest.raises(UserNotFound):
            await memberships.update(principal(house.admin), house.id, user_id, OWNER, NOBODY)
    actions = [
        event.action
        for user in (house.owner, house.member)
        for event in await accounts.events(user.user_id)
    ]
    assert actions == [
        "user.created", "member.updated", "member.removed",
        "user.created", "member.joined", "member.updated",
    ]  # fmt: skip


async def test_members_may_leave_but_not_the_last_owner(accounts, house):
    memberships = accounts.memberships
    owner_id, member_id = house.owner.user_id, house.member.user_id
    with pytest.raises(LastOwner):
        await memberships.remove(principal(house.owner), house.id, owner_id, NOBODY)
    with pytest.raises(LastOwner):
        await memberships.update(principal(house.admin), house.id, owner_id, MEMBER, NOBODY)
    await memberships.remove(principal(house.member), house.id, member_id, NOBODY)
    with pytest.raises(OrganizationNotFound):
        await memberships.remove(principal(house.member), house.id, member_id, NOBODY)


@pytest.mark.parametrize("act", ["leave", "demote", "delete"])
async def test_of_the_last_two_owners_who_go_at_once_one_stays(accounts, house, act):
    memberships = accounts.memberships
    owners = (house.owner, house.member)
    await memberships.update(principal(house.owner), house.id, house.member.user_id, OWNER, NOBODY)

    def going(user):
        if act == "delete":
            return accounts.users.delete(user.user_id, NOBODY)
        if act == "demote":
            return memberships.update(principal(user), house.id, user.user_id, MEMBER, NOBODY)
        return memberships.remove(principal(user), house.id, user.user_id, NOBODY)

    results = await asyncio.gather(*map(going, owners), return_exceptions=True)
    assert [type(result) for result in results].count(LastOwner) == 1
    assert list((await roles(accounts, house)).values()).count(OWNER) == 1
