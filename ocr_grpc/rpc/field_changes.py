"""Field masks: which fields of a message are to be changed, and to what."""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from ocr_grpc.accounts.errors import FieldNotUpdatable, InvalidField
from ocr_grpc.rpc.field_values import (
    LIMIT_NAMES,
    limit_from_proto,
    limits_from_proto,
    optional_time_from_proto,
    role_from_proto,
    scopes_from_proto,
)

_LIMIT_PATHS = frozenset(f"limits.{name}" for name in LIMIT_NAMES)

# Messages of different types have fields of the same name and meaning; Any, because of that.
_VALUES: dict[str, Callable[[Any], object]] = {
    "role": lambda message: role_from_proto(message.role),
    "scopes": lambda message: scopes_from_proto(list(message.scopes)),
    "limits": lambda message: limits_from_proto(message.limits),
    "expire_time": lambda message: optional_time_from_proto(message, "expire_time"),
}


def changes_of(
    message: Message, mask: FieldMask, updatable: frozenset[str], *, may_be_none: bool = False
) -> dict[str, object]:
    """Return the fields that an update changes, with their new values.

    Args:
        message: the new values.
        mask: the fields to change; one that is empty in the message is cleared. Without paths: all
            that are set in the message.
        updatable: the fields that may be changed. With `limits`, single ones of the limits may be,
            too.
        may_be_none: whether the request changes something else, so that it need not name a field.

    Returns:
        By name: values of the domain, such as `Role`, `OwnLimits` and `datetime`. A single limit
        has a name such as `limits.pages_per_month`, and is None if it is cleared.

    Raises:
        FieldNotUpdatable: a field that is unknown or may not be changed.
        InvalidField: a value that can never be right; or no field is named at all.
    """
    paths = list(mask.paths) or list(_set_paths(message))
    if not paths and not may_be_none:
        # Over HTTP, fields that do not belong here are dropped: nothing is left of a body of the
        # wrong shape, and its sender must not take that for a success.
        raise InvalidField(
            "No field to change is named: set one, or name one in update_mask to clear it.",
            field="update_mask",
        )
    for path in paths:
        if path not in updatable and not (path in _LIMIT_PATHS and "limits" in updatable):
            raise FieldNotUpdatable(path)
    return {path: _value(message, path) for path in paths}


def _set_paths(message: Message) -> Iterable[str]:
    for field, value in message.ListFields():
        if field.name == "limits":
            yield from (f"limits.{limit.name}" for limit, _ in value.ListFields())
        else:
            yield field.name


def _value(message: Any, path: str) -> object:
    name, _, limit = path.partition(".")
    if limit:
        return limit_from_proto(message.limits, limit)
    return _VALUES[name](message) if name in _VALUES else getattr(message, name)
