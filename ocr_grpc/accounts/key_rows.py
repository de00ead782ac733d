"""API keys as the rest of the service sees them, and as rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import cast

from ocr_grpc.accounts.errors import FieldNotUpdatable, InvalidField
from ocr_grpc.accounts.names import checked_display_name
from ocr_grpc.accounts.own_limits import NO_LIMITS, change_limits, is_limit, own_limits
from ocr_grpc.accounts.principal import OwnLimits, Scope
from ocr_grpc.store.accounts import KeyRow
from ocr_grpc.store.base import new_id, utc_now

DEFAULT_SCOPES = frozenset({Scope.OCR})


class KeyState(Enum):
    """Whether a key can be used; if several apply, the first of revoked, disabled, expired."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a new key is to be. `expire_time` None: it works for ever."""

    display_name: str = ""
    scopes: frozenset[Scope] = DEFAULT_SCOPES
    expire_time: datetime | None = None
    limits: OwnLimits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret, as it was a moment ago."""

    key_id: str
    user_id: str
    display_name: str
    prefix: str
    scopes: frozenset[Scope]
    state: KeyState
    disabled: bool
    expire_time: datetime | None
    limits: OwnLimits
    create_time: datetime
    last_use_time: datetime | None
    revoke_time: datetime | None


def key_of(row: KeyRow) -> ApiKey:
    """Return a row as a key."""
    return ApiKey(
        key_id=row.key_id,
        user_id=row.user_id,
        display_name=row.display_name,
        prefix=row.prefix,
        scopes=scopes_of(row),
        state=_state_of(row),
        disabled=row.disabled,
        expire_time=row.expire_time,
        limits=own_limits(row),
        create_time=row.create_time,
        last_use_time=row.last_use_time,
        revoke_time=row.revoke_time,
    )


def new_key_row(user_id: str, new: NewKey, prefix: str) -> KeyRow:
    """Return the row of a new key.

    Raises:
        InvalidField: the name.
    """
    row = KeyRow(
        key_id=new_id(),
        user_id=user_id,
        display_name=checked_display_name(new.display_name, "key.display_name"),
        prefix=prefix,
        scopes=scope_names(new.scopes or DEFAULT_SCOPES),
        disabled=False,
        expire_time=new.expire_time,
        create_time=utc_now(),
    )
    change_limits(row, "limits", new.limits)
    return row


def check_future(expire_time: datetime | None) -> None:
    """Check when a key is to end.

    Raises:
        InvalidField: it would be over.
    """
    if expire_time and expire_time <= utc_now():
        raise InvalidField("It lies in the future.", field="key.expire_time")


def apply_changes(row: KeyRow, changes: Mapping[str, object]) -> None:
    """Change a row; the fields are those of `ApiKeys.update`.

    Raises:
        FieldNotUpdatable: another field, or a value of another type.
        InvalidField: see there.
    """
    for field, value in changes.items():
        match field, value:
            case "display_name", str():
                row.display_name = checked_display_name(value, "key.display_name")
            case "scopes", frozenset():
                row.scopes = scope_names(cast("frozenset[Scope]", value))
            case "disabled", bool():
                row.disabled = value
            case "expire_time", datetime() | None:
                check_future(value)
                row.expire_time = value
            case _ if is_limit(field):
                change_limits(row, field, value)
            case _:
                raise FieldNotUpdatable(field)


def scopes_of(row: KeyRow) -> frozenset[Scope]:
    """Return the scopes in a row, without those that only a newer release knows."""
    known = {scope.value: scope for scope in Scope}
    return frozenset(known[name] for name in row.scopes.split() if name in known)


def scope_names(scopes: frozenset[Scope]) -> str:
    """Return scopes as a row has them.

    Raises:
        InvalidField: there are none.
    """
    if not scopes:
        raise InvalidField("A key has at least one scope.", field="key.scopes")
    return " ".join(sorted(scope.value for scope in scopes))


def _state_of(row: KeyRow) -> KeyState:
    if row.revoke_time:
        return KeyState.REVOKED
    if row.disabled:
        return KeyState.DISABLED
    if row.expire_time and row.expire_time <= utc_now():
        return KeyState.EXPIRED
    return KeyState.ACTIVE
