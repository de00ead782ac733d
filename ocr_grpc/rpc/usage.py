"""The servicer of UsageService: parse, call, map."""

from ocr_grpc.accounts.errors import OwnerRequired
from ocr_grpc.accounts.principal import OrganizationRole, Principal
from ocr_grpc.metering.usage_queries import UsageQueries, UsageScope
from ocr_grpc.rpc.caller import current_principal
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.rpc.usage_mapping import (
    filter_from_proto,
    group_to_proto,
    grouping_from_proto,
    quota_to_proto,
    record_to_proto,
)
from ocr_grpc.v1 import usage_service_pb2 as pb
from ocr_grpc.v1.usage_service_pb2_grpc import UsageServiceServicer


class UsageServicer(UsageServiceServicer):
    """Answers UsageService."""

    def __init__(self, queries: UsageQueries) -> None:
        self._queries = queries

    async def ListUsage(  # noqa: N802 - the name in the proto
        self, request: pb.ListUsageRequest, context: Context
    ) -> pb.ListUsageResponse:
        """Return calls."""
        scope = _scope(current_principal(), request.organization)
        rows, next_page_token = await self._queries.list(
            scope, filter_from_proto(request.filter), request.page_size, request.page_token
        )
        return pb.ListUsageResponse(
            records=map(record_to_proto, rows), next_page_token=next_page_token
        )

    async def GetUsageSummary(  # noqa: N802 - the name in the proto
        self, request: pb.GetUsageSummaryRequest, context: Context
    ) -> pb.GetUsageSummaryResponse:
        """Return sums of calls, and the quota."""
        principal = current_principal()
        grouping = grouping_from_proto(request.grouping)
        scope = _scope(principal, request.organization)
        chosen = filter_from_proto(request.filter)
        summary = await self._queries.summary(scope, chosen, grouping)
        return pb.GetUsageSummaryResponse(
            total=group_to_proto(summary.total),
            groups=[group_to_proto(group, grouping) for group in summary.groups],
            quota=quota_to_proto(await self._queries.quota(principal)),
        )


def _scope(principal: Principal, organization: bool) -> UsageScope:
    """Return whose calls are asked for.

    Raises:
        OwnerRequired: an organization's, and the caller owns none.
    """
    if not organization:
        return UsageScope(user_id=principal.user_id)
    owner = principal.organization_role is OrganizationRole.OWNER
    if not principal.organization_id or not owner:
        raise OwnerRequired
    return UsageScope(organization_id=principal.organization_id)
