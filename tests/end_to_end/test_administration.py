"""What administrators and owners do, through the services, on both databases."""

import asyncio

import grpc
import pytest

from ocr_grpc.server import Server
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import access_pb2, key_pb2, user_pb2
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import organizations_service_pb2 as org_pb
from ocr_grpc.v1 import usage_service_pb2 as usage_pb
from ocr_grpc.wiring.errors import CannotServe
from tests.people import PASSWORD, House, bearer, house
from tests.support import collect, refusal, text_pdf

NOT_FOUND = grpc.StatusCode.NOT_FOUND
DENIED = grpc.StatusCode.PERMISSION_DENIED
USAGE = access_pb2.SCOPE_USAGE


async def pages_read(home: House, metadata, pages: int) -> None:
    request = pb.StreamExtractRequest(content=text_pdf(pages, lines_per_page=1))
    await collect(home.ocr.StreamExtract(request, metadata=metadata))


async def test_an_account_from_its_making_to_its_end(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        admin = await home.admin()
        user_id, user = await home.create_user("Ann", email="Ann@Example.com")
        by_mail = auth_pb.LoginRequest(user_name="ann@example.COM", password=PASSWORD)
        assert (await home.auth.Login(by_mail)).user.user_id == user_id
        listed = await home.admins.ListUsers(admin_pb.ListUsersRequest(query="aNN"), metadata=admin)
        assert [each.user_id for each in listed.users] == [user_id]
        update = admin_pb.UpdateUserRequest(
            user_id=user_id,
            user={"role": user_pb2.ROLE_BUSINESS, "limits": {"pages_per_month": 7}},
        )
        changed = (await home.admins.UpdateUser(update, metadata=admin)).user
        assert changed.effective_limits.pages_per_month == 7
        assert changed.effective_limits.calls_per_minute == 6_000
        me = (await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=user)).user
        assert me == changed
        fetched = await home.admins.GetUser(
            admin_pb.GetUserRequest(user_id=user_id), metadata=admin
        )
        assert fetched.user == changed
        await home.admins.DeleteUser(admin_pb.DeleteUserRequest(user_id=user_id), metadata=admin)
        gone = home.admins.GetUser(admin_pb.GetUserRequest(user_id=user_id), metadata=admin)
        assert await refusal(gone) == (NOT_FOUND, "USER_NOT_FOUND")
        assert (await refusal(home.login("ann")))[1] == "LOGIN_FAILED"
        again = auth_pb.RegisterRequest(user_name="ann", password=PASSWORD)
        assert (await home.auth.Register(again)).user.user_id != user_id
        audit = await home.admins.ListAuditEvents(
            admin_pb.ListAuditEventsRequest(target_id=user_id), metadata=admin
        )
        actions = [event.action for event in audit.events]
        assert actions[0] == "user.deleted"
        assert {"user.created", "user.updated", "login.succeeded"} <= set(actions)


async def test_what_belongs_to_others_is_not_found(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        _, ann = await home.register("ann")
        _, bob = await home.register("bob")
        theirs, _ = await home.key(ann, USAGE)
        unknown = "0" * 24
        renamed = key_pb2.ApiKey(display_name="mine")
        answers = set()
        for key_id in (theirs, unknown):
            for call in (
                home.keys.GetKey(keys_pb.GetKeyRequest(key_id=key_id), metadata=bob),
                home.keys.UpdateKey(
                    keys_pb.UpdateKeyRequest(key_id=key_id, key=renamed), metadata=bob
                ),
                home.keys.RotateKey(keys_pb.RotateKeyRequest(key_id=key_id), metadata=bob),
                home.keys.RevokeKey(keys_pb.RevokeKeyRequest(key_id=key_id), metadata=bob),
                home.keys.GetKeyUsage(keys_pb.GetKeyUsageRequest(key_id=key_id), metadata=bob),
            ):
                answers.add(await refusal(call))
        assert answers == {(NOT_FOUND, "KEY_NOT_FOUND")}
        fetched = await home.keys.GetKey(keys_pb.GetKeyRequest(key_id=theirs), metadata=ann)
        assert fetched.key.key_id == theirs


async def test_an_organization_shares_its_quota_and_shows_its_owner_all_usage(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        admin = await home.admin()
        owner_id, owner = await home.register("owner")
        _, stranger = await home.register("stranger")
        made = org_pb.CreateOrganizationRequest(
            display_name="Archive", pages_per_month=5, owner_user_id=owner_id
        )
        archive = (await home.organizations.CreateOrganization(made, metadata=admin)).organization
        archive_id = archive.organization_id
        invite = await home.organizations.InviteMember(
            org_pb.InviteMemberRequest(organization_id=archive_id), metadata=owner
        )
        member_id, member = await home.register("member", invite_code=invite.code)
        await pages_read(home, owner, 2)
        await pages_read(home, member, 2)
        summary = usage_pb.GetUsageSummaryRequest(organization=True)
        whole = await home.usage.GetUsageSummary(summary, metadata=owner)
        assert whole.total.usage.pages == 4
        assert (whole.quota.remaining_pages, whole.quota.shared) == (1, True)
        too_many = pb.StreamExtractRequest(content=text_pdf(2, lines_per_page=1))
        refused = home.ocr.StreamExtract(too_many, metadata=member)
        assert (await refusal(refused))[1] == "QUOTA_EXCEEDED"
        assert await refusal(home.usage.GetUsageSummary(summary, metadata=member)) == (
            DENIED,
            "OWNER_REQUIRED",
        )
        seen = org_pb.GetOrganizationRequest(organization_id=archive_id)
        assert (
            await home.organizations.GetOrganization(seen, metadata=member)
        ).organization.member_count == 2
        hidden = home.organizations.GetOrganization(seen, metadata=stranger)
        assert await refusal(hidden) == (NOT_FOUND, "ORGANIZATION_NOT_FOUND")
        removal = org_pb.RemoveMemberRequest(organization_id=archive_id, user_id=member_id)
        await home.organizations.RemoveMember(removal, metadata=owner)
        await asyncio.sleep(1)
        await pages_read(home, member, 2)


async def test_invitations_are_listed_and_can_be_taken_back(tmp_path):
    async with house(tmp_path, registration="invite") as home:
        admin = await home.admin()
        alone = auth_pb.RegisterRequest(user_name="ann", password=PASSWORD)
        assert await refusal(home.auth.Register(alone)) == (DENIED, "INVITE_REQUIRED")
        made = [
            await home.admins.CreateInvite(admin_pb.CreateInviteRequest(), metadata=admin)
            for _ in range(2)
        ]
        await home.admins.DeleteInvite(
            admin_pb.DeleteInviteRequest(invite_id=made[0].invite.invite_id), metadata=admin
        )
        void = auth_pb.RegisterRequest(user_name="ann", password=PASSWORD, invite_code=made[0].code)
        assert await refusal(home.auth.Register(void)) == (DENIED, "INVITE_INVALID")
        await home.register("ann", invite_code=made[1].code)
        listed = await home.admins.ListInvites(admin_pb.ListInvitesRequest(), metadata=admin)
        assert [bool(each.used_by_user_id) for each in listed.invites] == [True]


async def test_stats_usage_and_health_are_told_to_administrators(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        admin = await home.admin()
        user_id, user = await home.register("ann")
        await home.key(user, USAGE)
        await pages_read(home, user, 3)
        await asyncio.sleep(0.2)
        stats = await home.admins.GetStats(admin_pb.GetStatsRequest(), metadata=admin)
        assert (stats.users_total, stats.servers, stats.open_extractions) == (2, 1, 0)
        assert stats.last_day.usage.pages == 3
        listed = await home.admins.ListUsage(
            admin_pb.AdminServiceListUsageRequest(user_id=user_id, page_size=1), metadata=admin
        )
        assert listed.records[0].usage.pages == 3
        assert listed.next_page_token
        summed = await home.admins.GetUsageSummary(
            admin_pb.AdminServiceGetUsageSummaryRequest(grouping="USAGE_GROUPING_USER"),
            metadata=admin,
        )
        assert {group.group for group in summed.groups} >= {user_id}
        health = await home.admins.GetSystemHealth(
            admin_pb.GetSystemHealthRequest(), metadata=admin
        )
        states = {part.name: part.state for part in health.components}
        ok, off = admin_pb.COMPONENT_STATE_OK, admin_pb.COMPONENT_STATE_OFF
        assert (health.state, states["database"], states["mail"]) == (ok, ok, off)
        assert states["redis"] == (ok if backend.redis_url else off)


async def test_an_administrator_revokes_anybodys_key(tmp_path):
    async with house(tmp_path) as home:
        admin = await home.admin()
        user_id, user = await home.register("ann")
        key_id, key = await home.key(user, USAGE)
        listed = await home.admins.ListKeys(
            admin_pb.AdminServiceListKeysRequest(user_id=user_id), metadata=admin
        )
        assert [each.key_id for each in listed.keys] == [key_id]
        await home.admins.RevokeKey(
            admin_pb.AdminServiceRevokeKeyRequest(key_id=key_id), metadata=admin
        )
        used = home.usage.ListUsage(usage_pb.ListUsageRequest(), metadata=key)
        assert (await refusal(used))[1] == "KEY_REVOKED"


async def test_signing_out_answers_before_it_takes_hold(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        for number in range(10):
            _, user = await home.register(f"ann{number}")
            await home.auth.Logout(auth_pb.LogoutRequest(everywhere=True), metadata=user)
            tokens = await home.login(f"ann{number}")
            key_id, key = await home.key(bearer(tokens.access_token), access_pb2.SCOPE_KEYS)
            await home.keys.RevokeKey(keys_pb.RevokeKeyRequest(key_id=key_id), metadata=key)


async def test_without_authentication_everything_is_open_to_the_anonymous_user(tmp_path):
    async with house(tmp_path, auth_enabled=False, anon_username="everybody") as home:
        me = await home.auth.GetMe(auth_pb.GetMeRequest())
        assert me.user.user_name == "everybody"
        await pages_read(home, (), 2)
        await home.admins.ListUsers(admin_pb.ListUsersRequest())
        await asyncio.sleep(0.2)
        listed = await home.usage.ListUsage(usage_pb.ListUsageRequest())
        assert {row.user_id for row in listed.records} == {me.user.user_id}


async def test_keys_made_while_everything_was_open_end_with_that(tmp_path):
    async with house(tmp_path, auth_enabled=False) as home:
        _, key = await home.key((), access_pb2.SCOPE_USAGE)
    async with house(tmp_path) as home:
        used = home.usage.ListUsage(usage_pb.ListUsageRequest(), metadata=key)
        assert (await refusal(used))[1] == "USER_DISABLED"
    async with house(tmp_path, auth_enabled=False) as home:
        await pages_read(home, (), 1)


async def test_a_name_of_somebody_cannot_be_everybodys(tmp_path):
    with pytest.raises(CannotServe, match="ANON_USERNAME"):
        async with house(tmp_path, auth_enabled=False, anon_username="admin"):
            pass


async def test_a_second_server_starts_though_the_default_ports_are_taken(tmp_path):
    values = {"engine": "null", "grpc_port": 0, "bcrypt_cost": 4}
    servers = [
        Server(Settings(_env_file=None, data_dir=tmp_path / name, **values)) for name in "ab"
    ]
    for server in servers:
        await server.start()
    assert len({server.metrics_port for server in servers}) == 2
    assert len({server.http_port for server in servers} - {0}) == 2
    for server in servers:
        await server.stop()
