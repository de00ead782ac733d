"""What only administrators see, as messages: pure functions, field by field."""

from ocr_grpc.accounts.audit_log import AuditEvent, AuditFilter
from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.accounts.principal import Role
from ocr_grpc.accounts.stats import Stats
from ocr_grpc.accounts.users import NewUser
from ocr_grpc.metering.usage_queries import UsageScope, UsageSummary
from ocr_grpc.rpc.field_values import (
    limits_from_proto,
    optional_time_from_proto,
    role_from_proto,
    role_to_proto,
    time_to_proto,
)
from ocr_grpc.rpc.usage_mapping import group_to_proto
from ocr_grpc.telemetry.components import Component, ComponentState
from ocr_grpc.v1 import admin_service_pb2 as pb
from ocr_grpc.v1 import audit_pb2, user_pb2


def new_user_from_proto(user: user_pb2.User) -> NewUser:
    """Return what a user is to be.

    Raises:
        InvalidField: a role or a limit that can never be right.
    """
    return NewUser(
        user_name=user.user_name,
        email=user.email,
        display_name=user.display_name,
        role=role_from_proto(user.role),
        email_verified=user.email_verified,
        disabled=user.disabled,
        limits=limits_from_proto(user.limits),
    )


def role_filter_from_proto(role: user_pb2.Role.ValueType) -> Role | None:
    """Return the role to choose users by, None for all.

    Raises:
        InvalidField: a number that this version does not know.
    """
    return role_from_proto(role) if role else None


def audit_filter_from_proto(request: pb.ListAuditEventsRequest) -> AuditFilter:
    """Return which events are asked for.

    Raises:
        InvalidField: a time that is none.
    """
    return AuditFilter(
        actor_user_id=request.actor_user_id,
        target_id=request.target_id,
        action=request.action,
        start_time=optional_time_from_proto(request, "start_time"),
        end_time=optional_time_from_proto(request, "end_time"),
    )


def event_to_proto(event: AuditEvent) -> audit_pb2.AuditEvent:
    """Return an audit event as a message."""
    return audit_pb2.AuditEvent(
        event_id=event.event_id,
        create_time=time_to_proto(event.create_time),
        actor_user_id=event.actor_user_id,
        actor_key_id=event.actor_key_id,
        action=event.action,
        target_id=event.target_id,
        address=event.address,
        call_id=event.call_id,
        details=event.details,
    )


def component_to_proto(component: Component) -> pb.ComponentHealth:
    """Return how a part is as a message."""
    return pb.ComponentHealth(
        name=component.name,
        state=state_to_proto(component.state),
        message=component.message,
        latency_ms=component.latency_ms,
    )


def state_to_proto(state: ComponentState) -> pb.ComponentState.ValueType:
    """Return a state as its enum value."""
    return pb.ComponentState.Value(f"COMPONENT_STATE_{state.name}")


def usage_scope_from_proto(user_id: str, organization_id: str) -> UsageScope:
    """Return whose calls an administrator asks for; empty ids choose everyone's.

    Raises:
        InvalidField: an id that can never be right.
    """
    for field, text in (("user_id", user_id), ("organization_id", organization_id)):
        if "\0" in text:
            raise InvalidField("No id has a NUL in it.", field=field)
    return UsageScope(user_id=user_id, organization_id=organization_id, everyone=True)


def stats_to_proto(
    stats: Stats, last_day: UsageSummary, last_30_days: UsageSummary
) -> pb.GetStatsResponse:
    """Return the figures about the installation as a message."""
    return pb.GetStatsResponse(
        users_total=stats.users_total,
        users_disabled=stats.users_disabled,
        users_by_role=[
            pb.RoleCount(role=role_to_proto(role), users=users)
            for role, users in stats.users_by_role.items()
        ],
        keys_active=stats.keys_active,
        organizations_total=stats.organizations_total,
        last_day=group_to_proto(last_day.total),
        last_30_days=group_to_proto(last_30_days.total),
        open_extractions=stats.open_extractions,
        servers=stats.servers,
    )
