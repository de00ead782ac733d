"""The servicer of OrganizationsService: parse, call, map."""

from ocr_grpc.accounts.memberships import Memberships
from ocr_grpc.accounts.organizations import Organizations
from ocr_grpc.rpc.accounts_mapping import (
    changes_of,
    invite_to_proto,
    member_to_proto,
    organization_to_proto,
)
from ocr_grpc.rpc.caller import current_actor, current_principal
from ocr_grpc.rpc.field_values import organization_role_from_proto, time_to_proto
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.v1 import organizations_service_pb2 as pb
from ocr_grpc.v1.organizations_service_pb2_grpc import OrganizationsServiceServicer

UPDATABLE = frozenset({"display_name", "pages_per_month"})


class OrganizationsServicer(OrganizationsServiceServicer):
    """Answers OrganizationsService."""

    def __init__(self, organizations: Organizations, memberships: Memberships) -> None:
        self._organizations = organizations
        self._memberships = memberships

    async def CreateOrganization(  # noqa: N802 - the name in the proto
        self, request: pb.CreateOrganizationRequest, context: Context
    ) -> pb.CreateOrganizationResponse:
        """Make an organization."""
        organization = await self._organizations.create(
            request.display_name, request.pages_per_month, request.owner_user_id, current_actor()
        )
        return pb.CreateOrganizationResponse(organization=organization_to_proto(organization))

    async def ListOrganizations(  # noqa: N802 - the name in the proto
        self, request: pb.ListOrganizationsRequest, context: Context
    ) -> pb.ListOrganizationsResponse:
        """Return all organizations."""
        found, token = await self._organizations.list(request.page_size, request.page_token)
        return pb.ListOrganizationsResponse(
            organizations=map(organization_to_proto, found), next_page_token=token
        )

    async def GetOrganization(  # noqa: N802 - the name in the proto
        self, request: pb.GetOrganizationRequest, context: Context
    ) -> pb.GetOrganizationResponse:
        """Return one organization."""
        organization = await self._organizations.get(current_principal(), request.organization_id)
        return pb.GetOrganizationResponse(organization=organization_to_proto(organization))

    async def UpdateOrganization(  # noqa: N802 - the name in the proto
        self, request: pb.UpdateOrganizationRequest, context: Context
    ) -> pb.UpdateOrganizationResponse:
        """Change an organization."""
        organization = await self._organizations.update(
            current_principal(),
            request.organization_id,
            changes_of(request.organization, request.update_mask, UPDATABLE),
            current_actor(),
        )
        return pb.UpdateOrganizationResponse(organization=organization_to_proto(organization))

    async def DeleteOrganization(  # noqa: N802 - the name in the proto
        self, request: pb.DeleteOrganizationRequest, context: Context
    ) -> pb.DeleteOrganizationResponse:
        """Delete an organization."""
        await self._organizations.delete(request.organization_id, current_actor())
        return pb.DeleteOrganizationResponse()

    async def ListMembers(  # noqa: N802 - the name in the proto
        self, request: pb.ListMembersRequest, context: Context
    ) -> pb.ListMembersResponse:
        """Return the members."""
        found, token = await self._memberships.list(
            current_principal(), request.organization_id, request.page_size, request.page_token
        )
        return pb.ListMembersResponse(members=map(member_to_proto, found), next_page_token=token)

    async def UpdateMember(  # noqa: N802 - the name in the proto
        self, request: pb.UpdateMemberRequest, context: Context
    ) -> pb.UpdateMemberResponse:
        """Change what a member may do."""
        member = await self._memberships.update(
            current_principal(),
            request.organization_id,
            request.user_id,
            organization_role_from_proto(request.role),
            current_actor(),
        )
        return pb.UpdateMemberResponse(member=member_to_proto(member))

    async def RemoveMember(  # noqa: N802 - the name in the proto
        self, request: pb.RemoveMemberRequest, context: Context
    ) -> pb.RemoveMemberResponse:
        """Remove a member."""
        await self._memberships.remove(
            current_principal(), request.organization_id, request.user_id, current_actor()
        )
        return pb.RemoveMemberResponse()

    async def InviteMember(  # noqa: N802 - the name in the proto
        self, request: pb.InviteMemberRequest, context: Context
    ) -> pb.InviteMemberResponse:
        """Make an invitation into an organization."""
        invite, code = await self._memberships.invite(
            current_principal(),
            request.organization_id,
            request.email,
            request.lifetime_seconds,
            current_actor(),
        )
        return pb.InviteMemberResponse(invite=invite_to_proto(invite), code=code)

    async def AcceptInvite(  # noqa: N802 - the name in the proto
        self, request: pb.AcceptInviteRequest, context: Context
    ) -> pb.AcceptInviteResponse:
        """Join the organization of an invitation."""
        organization, join_time = await self._memberships.accept(
            current_principal(), request.code, current_actor()
        )
        return pb.AcceptInviteResponse(
            organization=organization_to_proto(organization), join_time=time_to_proto(join_time)
        )
