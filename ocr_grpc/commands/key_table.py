"""API keys as the commands print them."""

from ocr_grpc.commands.tables import limits_text, moment, short_name
from ocr_grpc.v1 import access_pb2, key_pb2

COLUMNS = ("ID", "NAME", "PREFIX", "SCOPES", "STATE", "EXPIRES (UTC)", "LAST USE (UTC)")


def key_row(key: key_pb2.ApiKey) -> tuple[str, ...]:
    """Return a key as a row of a table."""
    return (
        key.key_id,
        key.display_name,
        key.prefix,
        _scopes(key),
        _state(key),
        moment(key, "expire_time") or "never",
        moment(key, "last_use_time") or "never",
    )


def key_fields(key: key_pb2.ApiKey) -> list[tuple[str, str]]:
    """Return all that is known of a key, by name."""
    fields = [
        ("key_id", key.key_id),
        ("user_id", key.user_id),
        ("display_name", key.display_name),
        ("prefix", key.prefix),
        ("scopes", _scopes(key)),
        ("state", _state(key)),
        ("own limits", limits_text(key.limits)),
        ("created (UTC)", moment(key, "create_time")),
        ("expires (UTC)", moment(key, "expire_time") or "never"),
        ("last use (UTC)", moment(key, "last_use_time") or "never"),
    ]
    if revoked := moment(key, "revoke_time"):
        fields.append(("revoked (UTC)", revoked))
    return fields


def _scopes(key: key_pb2.ApiKey) -> str:
    return ",".join(short_name(access_pb2.Scope.Name(scope)) for scope in key.scopes)


def _state(key: key_pb2.ApiKey) -> str:
    return short_name(key_pb2.KeyState.Name(key.state))
