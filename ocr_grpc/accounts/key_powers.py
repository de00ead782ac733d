"""What an API key may do to API keys: never so much that somebody gains by it.

A key with the scope `keys` is often held by a program. If it could make or lay hands on a key that
may do more than itself, its own scopes, limits and end would mean nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.accounts.errors import InsufficientScope, KeyInvalid, LooserThanKey, RoleRequired
from ocr_grpc.accounts.key_rows import NewKey, scopes_of
from ocr_grpc.accounts.own_limits import LIMITS, own_limits
from ocr_grpc.accounts.principal import OwnLimits, Principal, Role, Scope
from ocr_grpc.store.accounts import KeyRow

EXPIRE_TIME = "expire_time"


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a key ends and how it is limited: no key made or changed with it is looser."""

    expire_time: datetime | None
    limits: OwnLimits

    def inherited_by(self, new: NewKey) -> NewKey:
        """Return a new key that has these bounds wherever it was given none."""
        own = {name: value for name, value in asdict(new.limits).items() if value is not None}
        return replace(
            new,
            expire_time=new.expire_time or self.expire_time,
            limits=replace(self.limits, **own),
        )

    def require(
        self, expire_time: datetime | None, limits: OwnLimits, fields: Iterable[str] | None = None
    ) -> None:
        """Check that a key is not looser.

        Args:
            expire_time: the key's.
            limits: the key's.
            fields: which of them count, as `ApiKeys.update` names them. None: all.

        Raises:
            LooserThanKey: it ends later, or a limit is higher.
        """
        chosen = {EXPIRE_TIME, LIMITS} if fields is None else set(fields)
        later = self.expire_time and (expire_time is None or expire_time > self.expire_time)
        if later and EXPIRE_TIME in chosen:
            raise LooserThanKey(f"key.{EXPIRE_TIME}")
        theirs = asdict(limits)
        for name, most in asdict(self.limits).items():
            field = f"{LIMITS}.{name}"
            # None and 0 do not limit a key: what the user has counts then.
            higher = most and not 0 < (theirs[name] or 0) <= most
            if higher and not chosen.isdisjoint((LIMITS, field)):
                raise LooserThanKey(f"key.{field}")


async def bounds_of(sql: AsyncSession, principal: Principal) -> Bounds | None:
    """Return the bounds of the key in use as they are now, None without one.

    Raises:
        KeyInvalid: it is not there any more.
    """
    if principal.key is None:
        return None
    # Columns: the row itself may be the one that is about to be changed.
    asking = select(
        KeyRow.expire_time,
        KeyRow.calls_per_minute,
        KeyRow.pages_per_month,
        KeyRow.concurrent_streams,
    ).where(KeyRow.key_id == principal.key.key_id)
    found = (await sql.execute(asking)).one_or_none()
    if found is None:
        raise KeyInvalid
    return Bounds(
        found.expire_time,
        OwnLimits(found.calls_per_minute, found.pages_per_month, found.concurrent_streams),
    )


def require_bounds(
    bounds: Bounds | None, row: KeyRow, changes: Mapping[str, object], scopes: frozenset[Scope]
) -> None:
    """Check a key that was changed against the bounds of the key in use.

    A key that is switched on or gets a scope must be within all of them. Else only what was changed
    counts, so that any key can be narrowed.

    Args:
        bounds: of the key in use. None: nothing is checked.
        row: the key as it is now.
        changes: what was changed.
        scopes: what the key had before.

    Raises:
        LooserThanKey: the key ends later, or a limit of it is higher.
    """
    if bounds:
        gives = changes.get("disabled") is False or not scopes_of(row) <= scopes
        bounds.require(row.expire_time, own_limits(row), None if gives else changes)


def require_scopes(principal: Principal, scopes: frozenset[Scope]) -> None:
    """Check that the caller may give a key these scopes.

    Raises:
        InsufficientScope: the key in use lacks one.
        RoleRequired: the scope for administration, for somebody who is no administrator.
    """
    for scope in sorted(scopes, key=lambda scope: scope.value):
        if not principal.may(scope):
            raise InsufficientScope(scope.value)
    if Scope.ADMIN in scopes and not principal.is_admin:
        raise RoleRequired(Role.ADMIN.value)


def require_power_over(principal: Principal, row: KeyRow, changes: Mapping[str, object]) -> None:
    """Check that the caller may change a key this way.

    A key in use may name, narrow or switch off a key that has scopes it lacks, and no more:
    switched on, longer lived, less limited or with a secret the caller knows, that key is a power
    the caller does not have.

    Args:
        principal: the caller.
        row: the key to be changed, as it is now.
        changes: the new values; `secret` stands for a rotation.

    Raises:
        InsufficientScope: the key in use lacks a scope.
        RoleRequired: the scope for administration, for somebody who is no administrator.
    """
    had = scopes_of(row)
    scopes = changes.get("scopes", had)
    if isinstance(scopes, frozenset):
        require_scopes(principal, cast("frozenset[Scope]", scopes) - had)
    if any(_empowers(field, value) for field, value in changes.items()):
        for scope in sorted(had, key=lambda scope: scope.value):
            if not principal.may(scope):
                raise InsufficientScope(scope.value)


def _empowers(field: str, value: object) -> bool:
    return field not in ("display_name", "scopes", "disabled") or value is False
