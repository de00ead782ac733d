"""What an API key may do to API keys: never so much that somebody gains by it.

A key with the scope `keys` is often held by a program. If it could make or lay hands on a key that
may do more than itself, its own scopes would mean nothing.
"""

from collections.abc import Mapping
from typing import cast

from ocr_grpc.accounts.errors import InsufficientScope, RoleRequired
from ocr_grpc.accounts.key_rows import scopes_of
from ocr_grpc.accounts.principal import Principal, Role, Scope
from ocr_grpc.store.accounts import KeyRow


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
