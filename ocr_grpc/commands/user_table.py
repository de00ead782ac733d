"""Users as the commands print them."""

from ocr_grpc.commands.tables import limits_text, moment, short_name
from ocr_grpc.v1 import user_pb2

COLUMNS = ("NAME", "E-MAIL", "ROLE", "STATE", "LAST LOGIN (UTC)", "ID")


def user_row(user: user_pb2.User) -> tuple[str, ...]:
    """Return a user as a row of a table."""
    return (
        user.user_name,
        user.email,
        _role(user),
        _state(user),
        moment(user, "last_login_time"),
        user.user_id,
    )


def user_fields(user: user_pb2.User) -> list[tuple[str, str]]:
    """Return all that is known of a user, by name."""
    verified = " (verified)" if user.email_verified else ""
    fields = [
        ("user_name", user.user_name),
        ("user_id", user.user_id),
        ("display_name", user.display_name),
        ("email", user.email + verified if user.email else ""),
        ("role", _role(user)),
        ("state", _state(user)),
        ("limits", limits_text(user.effective_limits)),
        ("own limits", limits_text(user.limits)),
        ("created (UTC)", moment(user, "create_time")),
        ("last login (UTC)", moment(user, "last_login_time")),
    ]
    if user.organization_id:
        rank = short_name(user_pb2.OrganizationRole.Name(user.organization_role))
        fields.insert(5, ("organization", f"{user.organization_id} ({rank})"))
    return fields


def _role(user: user_pb2.User) -> str:
    return short_name(user_pb2.Role.Name(user.role))


def _state(user: user_pb2.User) -> str:
    return "disabled" if user.disabled else "active"
