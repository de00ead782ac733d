"""The servicer of AdminService: parse, call, map."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ocr_grpc.accounts.api_keys import ApiKeys
from ocr_grpc.accounts.audit_log import AuditLog
from ocr_grpc.accounts.invites import Invites
from ocr_grpc.accounts.stats import read_stats
from ocr_grpc.accounts.users import Users
from ocr_grpc.batches.dead_letters import DeadLetters
from ocr_grpc.metering.usage_queries import UsageFilter, UsageQueries, UsageScope
from ocr_grpc.rpc.accounts_mapping import (
    changes_of,
    invite_to_proto,
    key_to_proto,
    user_to_proto,
)
from ocr_grpc.rpc.admin_mapping import (
    audit_filter_from_proto,
    component_to_proto,
    event_to_proto,
    new_user_from_proto,
    role_filter_from_proto,
    state_to_proto,
    stats_to_proto,
    usage_scope_from_proto,
)
from ocr_grpc.rpc.caller import current_actor
from ocr_grpc.rpc.dead_letters import DeadLetterServicer
from ocr_grpc.rpc.field_values import role_from_proto, time_to_proto
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.usage_mapping import (
    filter_from_proto,
    group_to_proto,
    grouping_from_proto,
    record_to_proto,
)
from ocr_grpc.store.base import utc_now
from ocr_grpc.telemetry.components import SystemHealth, worst_state
from ocr_grpc.v1 import admin_service_pb2 as pb

UPDATABLE = frozenset(
    {"user_name", "email", "email_verified", "display_name", "role", "disabled", "limits"}
)


@dataclass(frozen=True, slots=True)
class AdminAreas:
    """What AdminService is made of.

    Attributes:
        version: of the service.
        start_time: when this server started.
    """

    users: Users
    api_keys: ApiKeys
    invites: Invites
    audit_log: AuditLog
    usage: UsageQueries
    health: SystemHealth
    version: str
    start_time: datetime


class AdminServicer(DeadLetterServicer):
    """Answers AdminService."""

    def __init__(self, areas: AdminAreas, dead_letters: DeadLetters) -> None:
        super().__init__(dead_letters)
        self._areas = areas

    async def ListUsers(  # noqa: N802 - the name in the proto
        self, request: pb.ListUsersRequest, context: Context
    ) -> pb.ListUsersResponse:
        """Return users."""
        users, token, total = await self._areas.users.list(
            request.query,
            role_filter_from_proto(request.role),
            request.organization_id,
            request.page_size,
            request.page_token,
        )
        return pb.ListUsersResponse(
            users=map(user_to_proto, users), next_page_token=token, total_size=total
        )

    async def CreateUser(  # noqa: N802 - the name in the proto
        self, request: pb.CreateUserRequest, context: Context
    ) -> pb.CreateUserResponse:
        """Make a user."""
        user = await self._areas.users.create(
            new_user_from_proto(request.user), request.password, current_actor()
        )
        return pb.CreateUserResponse(user=user_to_proto(user))

    async def GetUser(  # noqa: N802 - the name in the proto
        self, request: pb.GetUserRequest, context: Context
    ) -> pb.GetUserResponse:
        """Return one user."""
        user = await self._areas.users.get(request.user_id)
        return pb.GetUserResponse(user=user_to_proto(user))

    async def UpdateUser(  # noqa: N802 - the name in the proto
        self, request: pb.UpdateUserRequest, context: Context
    ) -> pb.UpdateUserResponse:
        """Change a user."""
        user = await self._areas.users.update(
            request.user_id,
            changes_of(
                request.user,
                request.update_mask,
                UPDATABLE,
                may_be_none=bool(request.password),
            ),
            request.password,
            current_actor(),
        )
        return pb.UpdateUserResponse(user=user_to_proto(user))

    async def DeleteUser(  # noqa: N802 - the name in the proto
        self, request: pb.DeleteUserRequest, context: Context
    ) -> pb.DeleteUserResponse:
        """Delete a user."""
        await self._areas.users.delete(request.user_id, current_actor())
        return pb.DeleteUserResponse()

    async def ListKeys(  # noqa: N802 - the name in the proto
        self, request: pb.AdminServiceListKeysRequest, context: Context
    ) -> pb.AdminServiceListKeysResponse:
        """Return anybody's keys."""
        keys, token = await self._areas.api_keys.list(
            request.user_id or None, request.show_revoked, request.page_size, request.page_token
        )
        return pb.AdminServiceListKeysResponse(keys=map(key_to_proto, keys), next_page_token=token)

    async def RevokeKey(  # noqa: N802 - the name in the proto
        self, request: pb.AdminServiceRevokeKeyRequest, context: Context
    ) -> pb.AdminServiceRevokeKeyResponse:
        """Revoke anybody's key."""
        key = await self._areas.api_keys.revoke(None, request.key_id, current_actor())
        return pb.AdminServiceRevokeKeyResponse(key=key_to_proto(key))

    async def CreateInvite(  # noqa: N802 - the name in the proto
        self, request: pb.CreateInviteRequest, context: Context
    ) -> pb.CreateInviteResponse:
        """Make an invitation."""
        invite, code = await self._areas.invites.create(
            role_from_proto(request.role),
            request.email,
            request.organization_id or None,
            request.lifetime_seconds,
            current_actor(),
        )
        return pb.CreateInviteResponse(invite=invite_to_proto(invite), code=code)

    async def ListInvites(  # noqa: N802 - the name in the proto
        self, request: pb.ListInvitesRequest, context: Context
    ) -> pb.ListInvitesResponse:
        """Return invitations."""
        invites, token = await self._areas.invites.list(request.page_size, request.page_token)
        return pb.ListInvitesResponse(invites=map(invite_to_proto, invites), next_page_token=token)

    async def DeleteInvite(  # noqa: N802 - the name in the proto
        self, request: pb.DeleteInviteRequest, context: Context
    ) -> pb.DeleteInviteResponse:
        """Delete an invitation."""
        await self._areas.invites.delete(request.invite_id, current_actor())
        return pb.DeleteInviteResponse()

    async def GetStats(  # noqa: N802 - the name in the proto
        self, request: pb.GetStatsRequest, context: Context
    ) -> pb.GetStatsResponse:
        """Return figures about the installation."""
        now, everyone = utc_now(), UsageScope(everyone=True)
        last_day, last_30_days = [
            await self._areas.usage.summary(
                everyone, UsageFilter(start_time=now - timedelta(days=days))
            )
            for days in (1, 30)
        ]
        return stats_to_proto(await read_stats(self._areas.users.database), last_day, last_30_days)

    async def ListUsage(  # noqa: N802 - the name in the proto
        self, request: pb.AdminServiceListUsageRequest, context: Context
    ) -> pb.AdminServiceListUsageResponse:
        """Return anybody's calls."""
        rows, token = await self._areas.usage.list(
            usage_scope_from_proto(request.user_id, request.organization_id),
            filter_from_proto(request.filter),
            request.page_size,
            request.page_token,
        )
        return pb.AdminServiceListUsageResponse(
            records=map(record_to_proto, rows), next_page_token=token
        )

    async def GetUsageSummary(  # noqa: N802 - the name in the proto
        self, request: pb.AdminServiceGetUsageSummaryRequest, context: Context
    ) -> pb.AdminServiceGetUsageSummaryResponse:
        """Return sums of anybody's calls."""
        grouping = grouping_from_proto(request.grouping)
        summary = await self._areas.usage.summary(
            usage_scope_from_proto(request.user_id, request.organization_id),
            filter_from_proto(request.filter),
            grouping,
        )
        return pb.AdminServiceGetUsageSummaryResponse(
            total=group_to_proto(summary.total),
            groups=[group_to_proto(group, grouping) for group in summary.groups],
        )

    async def ListAuditEvents(  # noqa: N802 - the name in the proto
        self, request: pb.ListAuditEventsRequest, context: Context
    ) -> pb.ListAuditEventsResponse:
        """Return audit events."""
        events, token = await self._areas.audit_log.list(
            audit_filter_from_proto(request), request.page_size, request.page_token
        )
        return pb.ListAuditEventsResponse(events=map(event_to_proto, events), next_page_token=token)

    async def GetSystemHealth(  # noqa: N802 - the name in the proto
        self, request: pb.GetSystemHealthRequest, context: Context
    ) -> pb.GetSystemHealthResponse:
        """Return how the parts of this server are."""
        components = await self._areas.health.check()
        return pb.GetSystemHealthResponse(
            state=state_to_proto(worst_state(components)),
            components=map(component_to_proto, components),
            version=self._areas.version,
            start_time=time_to_proto(self._areas.start_time),
        )
