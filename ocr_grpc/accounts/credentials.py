"""Looks up whose a credential is: one query for a key, one for a session."""

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

from sqlalchemy import Row, Select, select

from ocr_grpc.accounts.errors import (
    KeyDisabled,
    KeyExpired,
    KeyInvalid,
    KeyRevoked,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    Unauthenticated,
    UserDisabled,
)
from ocr_grpc.accounts.principal import (
    KeyInUse,
    Limits,
    OrganizationRole,
    OwnLimits,
    Principal,
    QuotaShare,
    Role,
    Scope,
)
from ocr_grpc.accounts.tokens import Claims
from ocr_grpc.store.accounts import (
    KeyRow,
    KeySecretRow,
    OrganizationRow,
    SessionRow,
    UserRow,
)
from ocr_grpc.store.database import Database

_SCOPES = {scope.value: scope for scope in Scope}

USER_COLUMNS = (
    UserRow.user_id,
    UserRow.user_name,
    UserRow.role,
    UserRow.disabled,
    UserRow.delete_time,
    UserRow.calls_per_minute,
    UserRow.pages_per_month,
    UserRow.concurrent_streams,
    UserRow.organization_id,
    UserRow.organization_role,
    OrganizationRow.pages_per_month.label("organization_pages"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known about a credential that exists.

    Attributes:
        refused: makes the error that says what is wrong with it. None: nothing is.
        expire_time: when it stops being good, in seconds since 1970.
        expired: makes the error that says so.
    """

    user_id: str
    principal: Principal
    refused: Callable[[], Unauthenticated] | None
    expire_time: float
    expired: Callable[[], Unauthenticated]

    def principal_now(self) -> Principal:
        """Return who has it.

        Raises:
            Unauthenticated: it is not good, or not any more.
        """
        if time.time() >= self.expire_time and not self.refused:
            raise self.expired()
        return self._principal_unless_refused()

    def principal_under_way(self) -> Principal:
        """Return who has it, for a call that began while it was good.

        A token that expires leaves its calls alone; a key may have been rotated, so it does not.

        Raises:
            Unauthenticated: it was taken away.
        """
        if self.principal.key:
            return self.principal_now()
        return self._principal_unless_refused()

    def _principal_unless_refused(self) -> Principal:
        if self.refused:
            raise self.refused()
        return self.principal


class CredentialReader:
    """Reads keys and sessions with all that belongs to them."""

    def __init__(self, database: Database, role_limits: Mapping[Role, Limits]) -> None:
        self._database = database
        self._role_limits = role_limits

    async def read_key(self, secret_hash: bytes) -> Reading:
        """Return what is known about a key.

        Args:
            secret_hash: the SHA-256 of its secret.

        Raises:
            KeyInvalid: there is none.
            DatabaseUnavailable: the database does not answer.
        """
        asking = (
            select(
                *USER_COLUMNS,
                KeySecretRow.secret_hash,
                KeySecretRow.expire_time.label("secret_expire_time"),
                KeyRow.key_id,
                KeyRow.scopes,
                KeyRow.disabled.label("key_disabled"),
                KeyRow.calls_per_minute.label("key_calls"),
                KeyRow.pages_per_month.label("key_pages"),
                KeyRow.concurrent_streams.label("key_streams"),
                KeyRow.expire_time.label("key_expire_time"),
                KeyRow.revoke_time.label("key_revoke_time"),
            )
            .join_from(KeySecretRow, KeyRow, KeyRow.key_id == KeySecretRow.key_id)
            .join(UserRow, UserRow.user_id == KeyRow.user_id)
            .where(KeySecretRow.secret_hash == secret_hash)
        )
        row = await self._one(asking)
        if row is None or not hmac.compare_digest(row.secret_hash, secret_hash):
            raise KeyInvalid
        key = KeyInUse(
            row.key_id,
            frozenset(_SCOPES[name] for name in row.scopes.split() if name in _SCOPES),
            OwnLimits(row.key_calls, row.key_pages, row.key_streams),
        )
        return Reading(
            row.user_id,
            self._principal(row, key=key),
            _wrong_with_key(row),
            min(_seconds(row.key_expire_time), _seconds(row.secret_expire_time)),
            KeyExpired,
        )

    async def read_session(self, claims: Claims) -> Reading:
        """Return what is known about the session of an access token.

        Raises:
            SessionRevoked: there is none, or not any more.
            TokenInvalid: it is somebody else's.
            DatabaseUnavailable: the database does not answer.
        """
        asking = (
            select(
                *USER_COLUMNS,
                SessionRow.session_id,
                SessionRow.expire_time.label("session_expire_time"),
                SessionRow.revoke_time.label("session_revoke_time"),
            )
            .join_from(SessionRow, UserRow, UserRow.user_id == SessionRow.user_id)
            .where(SessionRow.session_id == claims.session_id)
        )
        row = await self._one(asking)
        if row is None:
            raise SessionRevoked
        if row.user_id != claims.user_id:
            raise TokenInvalid
        return Reading(
            row.user_id,
            self._principal(row, session_id=row.session_id),
            _wrong_with_session(row),
            min(claims.expire_time.timestamp(), _seconds(row.session_expire_time)),
            TokenExpired,
        )

    async def _one(self, asking: Select[*tuple[Any, ...]]) -> Row[Any] | None:
        joined = asking.outerjoin(
            OrganizationRow, OrganizationRow.organization_id == UserRow.organization_id
        )
        async with self._database.read() as sql:
            return (await sql.execute(joined)).one_or_none()

    def _principal(
        self, row: Row[Any], session_id: str | None = None, key: KeyInUse | None = None
    ) -> Principal:
        role = Role(row.role)
        own = OwnLimits(row.calls_per_minute, row.pages_per_month, row.concurrent_streams)
        limits = own.over(self._role_limits[role])
        in_organization = row.organization_id is not None
        return Principal(
            user_id=row.user_id,
            user_name=row.user_name,
            role=role,
            limits=limits,
            quota=QuotaShare(row.organization_id, row.organization_pages, shared=True)
            if in_organization
            else QuotaShare(row.user_id, limits.pages_per_month),
            organization_id=row.organization_id,
            organization_role=OrganizationRole(row.organization_role or "member")
            if in_organization
            else None,
            session_id=session_id,
            key=key,
        )


def _wrong_with_key(row: Row[Any]) -> Callable[[], Unauthenticated] | None:
    if row.delete_time:
        return KeyInvalid
    if row.key_revoke_time:
        return KeyRevoked
    if row.disabled:
        return UserDisabled
    return KeyDisabled if row.key_disabled else None


def _wrong_with_session(row: Row[Any]) -> Callable[[], Unauthenticated] | None:
    if row.delete_time:
        return TokenInvalid
    if row.disabled:
        return UserDisabled
    return SessionRevoked if row.session_revoke_time else None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else inf
