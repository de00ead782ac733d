"""Accounts, keys and organizations as messages: pure functions, field by field."""

from ocr_grpc.accounts.invites import Invite
from ocr_grpc.accounts.key_rows import ApiKey
from ocr_grpc.accounts.members import Member
from ocr_grpc.accounts.organizations import Organization
from ocr_grpc.accounts.user_queries import User
from ocr_grpc.rpc.field_changes import changes_of
from ocr_grpc.rpc.field_values import (
    limits_to_proto,
    organization_role_to_proto,
    role_to_proto,
    scopes_to_proto,
    time_to_proto,
)
from ocr_grpc.v1 import key_pb2, organization_pb2, user_pb2

__all__ = [
    "changes_of",
    "invite_to_proto",
    "key_to_proto",
    "member_to_proto",
    "organization_to_proto",
    "user_to_proto",
]


def user_to_proto(user: User) -> user_pb2.User:
    """Return a user as a message."""
    return user_pb2.User(
        user_id=user.user_id,
        user_name=user.user_name,
        email=user.email,
        email_verified=user.email_verified,
        display_name=user.display_name,
        role=role_to_proto(user.role),
        disabled=user.disabled,
        limits=limits_to_proto(user.limits),
        effective_limits=limits_to_proto(user.effective_limits),
        organization_id=user.organization_id or "",
        organization_role=organization_role_to_proto(user.organization_role),
        create_time=time_to_proto(user.create_time),
        last_login_time=time_to_proto(user.last_login_time),
    )


def key_to_proto(key: ApiKey) -> key_pb2.ApiKey:
    """Return a key as a message."""
    return key_pb2.ApiKey(
        key_id=key.key_id,
        user_id=key.user_id,
        display_name=key.display_name,
        prefix=key.prefix,
        scopes=scopes_to_proto(key.scopes),
        state=key_pb2.KeyState.Value(f"KEY_STATE_{key.state.name}"),
        disabled=key.disabled,
        expire_time=time_to_proto(key.expire_time),
        limits=limits_to_proto(key.limits),
        create_time=time_to_proto(key.create_time),
        last_use_time=time_to_proto(key.last_use_time),
        revoke_time=time_to_proto(key.revoke_time),
    )


def organization_to_proto(organization: Organization) -> organization_pb2.Organization:
    """Return an organization as a message."""
    return organization_pb2.Organization(
        organization_id=organization.organization_id,
        display_name=organization.display_name,
        pages_per_month=organization.pages_per_month,
        create_time=time_to_proto(organization.create_time),
        member_count=organization.member_count,
    )


def member_to_proto(member: Member) -> organization_pb2.Member:
    """Return a member as a message."""
    return organization_pb2.Member(
        user_id=member.user_id,
        user_name=member.user_name,
        display_name=member.display_name,
        role=organization_role_to_proto(member.role),
    )


def invite_to_proto(invite: Invite) -> organization_pb2.Invite:
    """Return an invitation as a message."""
    return organization_pb2.Invite(
        invite_id=invite.invite_id,
        organization_id=invite.organization_id or "",
        email=invite.email,
        role=role_to_proto(invite.role),
        expire_time=time_to_proto(invite.expire_time),
        create_time=time_to_proto(invite.create_time),
        use_time=time_to_proto(invite.use_time),
        used_by_user_id=invite.used_by_user_id or "",
    )
