"""Limits that users and keys have of their own, as columns and as changes to them."""

from ocr_grpc.accounts.errors import FieldNotUpdatable
from ocr_grpc.accounts.principal import OwnLimits
from ocr_grpc.store.accounts import KeyRow, UserRow

LIMITS = "limits"
NO_LIMITS = OwnLimits()


def own_limits(row: UserRow | KeyRow) -> OwnLimits:
    """Return the limits in a row."""
    return OwnLimits(row.calls_per_minute, row.pages_per_month, row.concurrent_streams)


def is_limit(field: str) -> bool:
    """Return whether a changed field is about limits."""
    return field.partition(".")[0] == LIMITS


def change_limits(row: UserRow | KeyRow, field: str, value: object) -> None:
    """Change the limits in a row.

    Args:
        row: what to change.
        field: `limits` with `OwnLimits`, or a single one such as `limits.pages_per_month`, with
            an int, or None for "as above it".
        value: the new value.

    Raises:
        FieldNotUpdatable: there is no such limit.
    """
    match field, value:
        case "limits", OwnLimits():
            row.calls_per_minute = value.calls_per_minute
            row.pages_per_month = value.pages_per_month
            row.concurrent_streams = value.concurrent_streams
        case "limits.calls_per_minute", int() | None:
            row.calls_per_minute = value
        case "limits.pages_per_month", int() | None:
            row.pages_per_month = value
        case "limits.concurrent_streams", int() | None:
            row.concurrent_streams = value
        case _:
            raise FieldNotUpdatable(field)
