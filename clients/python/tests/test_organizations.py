"""OrganizationsService: all of its RPCs."""

import pytest
from conftest import new_name

from ocr_grpc_client import OcrError
from ocr_grpc_client.messages import (
    AcceptInviteRequest,
    CreateOrganizationRequest,
    DeleteOrganizationRequest,
    FieldMask,
    GetOrganizationRequest,
    InviteMemberRequest,
    ListMembersRequest,
    ListOrganizationsRequest,
    Organization,
    OrganizationRole,
    RemoveMemberRequest,
    UpdateMemberRequest,
    UpdateOrganizationRequest,
)


async def test_an_organization_is_made_joined_left_and_deleted(admin, ann, bob):
    owner, member = ann.client.organizations, bob.client.organizations
    name = new_name()
    made = await admin.organizations.create_organization(
        CreateOrganizationRequest(
            display_name=name, pages_per_month=100, owner_user_id=ann.user.user_id
        )
    )
    organization_id = made.organization.organization_id
    listed = await admin.organizations.list_organizations(ListOrganizationsRequest())
    assert name in [each.display_name for each in listed.organizations]

    invited = await owner.invite_member(InviteMemberRequest(organization_id=organization_id))
    joined = await member.accept_invite(AcceptInviteRequest(code=invited.code))
    assert joined.organization.organization_id == organization_id
    shown = await member.get_organization(GetOrganizationRequest(organization_id=organization_id))
    assert (shown.organization.member_count, shown.organization.pages_per_month) == (2, 100)
    with pytest.raises(OcrError) as refused:
        await member.invite_member(InviteMemberRequest(organization_id=organization_id))
    assert refused.value.reason == "OWNER_REQUIRED"

    changed = await owner.update_organization(
        UpdateOrganizationRequest(
            organization_id=organization_id,
            organization=Organization(display_name="Archive"),
            update_mask=FieldMask(paths=["display_name"]),
        )
    )
    assert changed.organization.display_name == "Archive"
    promoted = await owner.update_member(
        UpdateMemberRequest(
            organization_id=organization_id,
            user_id=bob.user.user_id,
            role=OrganizationRole.OWNER,
        )
    )
    assert promoted.member.role is OrganizationRole.OWNER
    members = await owner.list_members(ListMembersRequest(organization_id=organization_id))
    assert {each.user_name for each in members.members} == {ann.name, bob.name}

    await owner.remove_member(
        RemoveMemberRequest(organization_id=organization_id, user_id=bob.user.user_id)
    )
    await admin.organizations.delete_organization(
        DeleteOrganizationRequest(organization_id=organization_id)
    )
    with pytest.raises(OcrError) as gone:
        await owner.get_organization(GetOrganizationRequest(organization_id=organization_id))
    assert gone.value.reason == "ORGANIZATION_NOT_FOUND"
