"""Between single values of messages and of the domain: times, limits, roles, scopes."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from ocr_grpc.accounts.errors import InvalidField
from ocr_grpc.accounts.principal import Limits, OrganizationRole, OwnLimits, Role, Scope
from ocr_grpc.rpc.access import SCOPES
from ocr_grpc.v1 import access_pb2, user_pb2

LIMIT_NAMES = ("calls_per_minute", "pages_per_month", "concurrent_streams")

_ROLES = {
    user_pb2.ROLE_UNSPECIFIED: Role.USER,
    user_pb2.ROLE_USER: Role.USER,
    user_pb2.ROLE_BUSINESS: Role.BUSINESS,
    user_pb2.ROLE_ADMIN: Role.ADMIN,
}
_ORGANIZATION_ROLES = {
    user_pb2.ORGANIZATION_ROLE_UNSPECIFIED: OrganizationRole.MEMBER,
    user_pb2.ORGANIZATION_ROLE_MEMBER: OrganizationRole.MEMBER,
    user_pb2.ORGANIZATION_ROLE_OWNER: OrganizationRole.OWNER,
}


def role_from_proto(role: user_pb2.Role.ValueType, field: str = "role") -> Role:
    """Return a role; a plain user if it is unspecified.

    Raises:
        InvalidField: a number that this version does not know.
    """
    if role not in _ROLES:
        raise InvalidField(f"{role} is no role that this server knows.", field=field)
    return _ROLES[role]


def role_to_proto(role: Role) -> user_pb2.Role.ValueType:
    """Return a role as its enum value."""
    return user_pb2.Role.Value(f"ROLE_{role.name}")


def organization_role_from_proto(
    role: user_pb2.OrganizationRole.ValueType,
) -> OrganizationRole:
    """Return what a member is; a plain member if it is unspecified.

    Raises:
        InvalidField: a number that this version does not know.
    """
    if role not in _ORGANIZATION_ROLES:
        raise InvalidField(f"{role} is no role that this server knows.", field="role")
    return _ORGANIZATION_ROLES[role]


def organization_role_to_proto(
    role: OrganizationRole | None,
) -> user_pb2.OrganizationRole.ValueType:
    """Return what a member is as its enum value."""
    if role is None:
        return user_pb2.ORGANIZATION_ROLE_UNSPECIFIED
    return user_pb2.OrganizationRole.Value(f"ORGANIZATION_ROLE_{role.name}")


def scopes_from_proto(
    scopes: "list[access_pb2.Scope.ValueType]", field: str = "key.scopes"
) -> frozenset[Scope]:
    """Return scopes, each once.

    Raises:
        InvalidField: one is unspecified, or a number that this version does not know.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise InvalidField(f"{scope} is no scope that this server knows.", field=field)
    return frozenset(SCOPES[scope] for scope in scopes)


def scopes_to_proto(scopes: frozenset[Scope]) -> "list[access_pb2.Scope.ValueType]":
    """Return scopes as enum values, in the order of the enum."""
    return sorted(access_pb2.Scope.Value(f"SCOPE_{scope.name}") for scope in scopes)


def limits_from_proto(limits: user_pb2.CallerLimits, field: str = "limits") -> OwnLimits:
    """Return somebody's own limits.

    Raises:
        InvalidField: one is negative.
    """
    return OwnLimits(*(limit_from_proto(limits, name, field) for name in LIMIT_NAMES))


def limit_from_proto(limits: user_pb2.CallerLimits, name: str, field: str = "limits") -> int | None:
    """Return one limit, or None if it is absent.

    Raises:
        InvalidField: it is negative.
    """
    if not limits.HasField(name):  # pyright: ignore[reportArgumentType] - one of LIMIT_NAMES
        return None
    limit: int = getattr(limits, name)
    if limit < 0:
        raise InvalidField("A limit is 0 (none) or more.", field=f"{field}.{name}")
    return limit


def limits_to_proto(limits: OwnLimits | Limits) -> user_pb2.CallerLimits:
    """Return limits; those that are None stay absent."""
    return user_pb2.CallerLimits(
        calls_per_minute=limits.calls_per_minute,
        pages_per_month=limits.pages_per_month,
        concurrent_streams=limits.concurrent_streams,
    )


def time_from_proto(timestamp: Timestamp, field: str) -> datetime:
    """Return a moment.

    Raises:
        InvalidField: it is none, or not in the years 1 to 9999.
    """
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField("That is no moment in the years 1 to 9999.", field=field) from None


def optional_time_from_proto(message: Any, name: str, field: str = "") -> datetime | None:
    """Return a moment in a message, or None if it is absent.

    Args:
        message: one that has such a field.
        name: of the field.
        field: its path in the request, if that is not just its name.

    Raises:
        InvalidField: it is none, or not in the years 1 to 9999.
    """
    if not message.HasField(name):
        return None
    return time_from_proto(getattr(message, name), field or name)


def time_to_proto(moment: datetime | None) -> Timestamp | None:
    """Return a moment as a message, or None for none."""
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
