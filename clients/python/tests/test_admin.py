"""AdminService: all of its RPCs."""

import pytest
from conftest import PASSWORD, new_name, setting

from ocr_grpc_client import OcrClient, OcrError
from ocr_grpc_client.messages import (
    AdminServiceGetUsageSummaryRequest,
    AdminServiceListKeysRequest,
    AdminServiceListUsageRequest,
    AdminServiceRevokeKeyRequest,
    ComponentState,
    CreateInviteRequest,
    CreateUserRequest,
    DeleteInviteRequest,
    DeleteUserRequest,
    FieldMask,
    GetStatsRequest,
    GetSystemHealthRequest,
    GetUserRequest,
    KeyState,
    ListAuditEventsRequest,
    ListDeadLettersRequest,
    ListInvitesRequest,
    ListUsersRequest,
    RegisterRequest,
    ResendDeadLetterRequest,
    Role,
    UpdateUserRequest,
    User,
)


async def test_only_administrators_administer(ann):
    with pytest.raises(OcrError) as refused:
        await ann.client.admin.list_users(ListUsersRequest())
    assert refused.value.reason == "ROLE_REQUIRED"


async def test_a_user_is_made_found_changed_and_deleted(admin):
    name = new_name()
    made = await admin.admin.create_user(
        CreateUserRequest(user=User(user_name=name, role=Role.BUSINESS), password=PASSWORD)
    )
    user_id = made.user.user_id
    found = await admin.admin.list_users(ListUsersRequest(query=name))
    assert [(user.user_id, user.role) for user in found.users] == [(user_id, Role.BUSINESS)]
    await admin.admin.update_user(
        UpdateUserRequest(
            user_id=user_id,
            user=User(disabled=True),
            update_mask=FieldMask(paths=["disabled"]),
        )
    )
    assert (await admin.admin.get_user(GetUserRequest(user_id=user_id))).user.disabled
    async with OcrClient(setting("OCR_GRPC")) as client:
        with pytest.raises(OcrError) as refused:
            await client.login(name, PASSWORD)
        assert refused.value.reason == "USER_DISABLED"
    await admin.admin.delete_user(DeleteUserRequest(user_id=user_id))
    with pytest.raises(OcrError) as gone:
        await admin.admin.get_user(GetUserRequest(user_id=user_id))
    assert gone.value.reason == "USER_NOT_FOUND"


async def test_anybodys_key_is_seen_and_revoked_and_the_audit_log_has_it(admin, ann):
    await ann.key()
    user_id = ann.user.user_id
    [key] = (await admin.admin.list_keys(AdminServiceListKeysRequest(user_id=user_id))).keys
    revoked = await admin.admin.revoke_key(AdminServiceRevokeKeyRequest(key_id=key.key_id))
    assert revoked.key.state is KeyState.REVOKED
    request = ListAuditEventsRequest(target_id=key.key_id, action="key.revoked")
    [event] = (await admin.admin.list_audit_events(request)).events
    assert event.actor_user_id not in ("", user_id)


async def test_an_invitation_works_once_and_can_be_taken_back(admin):
    admins = admin.admin
    kept = await admins.create_invite(CreateInviteRequest(role=Role.BUSINESS))
    unused = await admins.create_invite(CreateInviteRequest())
    registered = await admin.auth.register(
        RegisterRequest(user_name=new_name(), password=PASSWORD, invite_code=kept.code)
    )
    assert registered.user.role is Role.BUSINESS
    await admins.delete_invite(DeleteInviteRequest(invite_id=unused.invite.invite_id))
    listed = {
        each.invite_id: each for each in (await admins.list_invites(ListInvitesRequest())).invites
    }
    assert listed[kept.invite.invite_id].used_by_user_id == registered.user.user_id
    assert unused.invite.invite_id not in listed


async def test_figures_usage_and_health(admin, ann):
    await ann.client.read(b"Hello", file_name="a.txt")
    stats = await admin.admin.get_stats(GetStatsRequest())
    assert stats.users_total >= 2
    assert stats.servers >= 1
    user_id = ann.user.user_id
    calls = await admin.admin.list_usage(AdminServiceListUsageRequest(user_id=user_id))
    assert {record.user_id for record in calls.records} == {user_id}
    summary = await admin.admin.get_usage_summary(
        AdminServiceGetUsageSummaryRequest(user_id=user_id)
    )
    assert summary.total.usage.pages == 1
    health = await admin.admin.get_system_health(GetSystemHealthRequest())
    states = {each.name: each.state for each in health.components}
    assert (states["database"], states["redis"]) == (ComponentState.OK, ComponentState.OFF)


async def test_dead_letters_are_listed_and_an_unknown_one_is_refused(admin):
    letters = await admin.admin.list_dead_letters(ListDeadLettersRequest())
    assert letters.dead_letters == []
    with pytest.raises(OcrError) as refused:
        await admin.admin.resend_dead_letter(ResendDeadLetterRequest(dead_letter_id="nothing"))
    assert refused.value.reason == "DEAD_LETTER_NOT_FOUND"
