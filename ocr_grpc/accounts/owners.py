"""Says what the owner of something may use now, who may have made it long ago."""

from collections.abc import Mapping

from sqlalchemy import select

from ocr_grpc.accounts.credentials import USER_COLUMNS, CredentialReader
from ocr_grpc.accounts.errors import KeyRevoked, UserDisabled
from ocr_grpc.accounts.principal import KeyInUse, Limits, OwnLimits, Principal, Role
from ocr_grpc.store.accounts import KeyRow, UserRow
from ocr_grpc.store.database import Database


class Owners(CredentialReader):
    """Looks up people by their ids, for work that goes on without a call."""

    def __init__(
        self,
        database: Database,
        role_limits: Mapping[Role, Limits],
        everybody: Principal | None = None,
    ) -> None:
        """Take what limits roles have; `everybody` is who all are if nobody has to sign in."""
        super().__init__(database, role_limits)
        self._everybody = everybody

    async def principal(self, user_id: str, key_id: str | None) -> Principal:
        """Return a user, with the API key that was used at the time.

        Raises:
            UserDisabled: the user is locked out, or gone.
            KeyRevoked: the key is.
            DatabaseUnavailable: the database does not answer.
        """
        if self._everybody:
            return self._everybody
        columns = (
            *USER_COLUMNS,
            KeyRow.key_id,
            KeyRow.disabled.label("key_disabled"),
            KeyRow.revoke_time.label("key_revoke_time"),
            KeyRow.calls_per_minute.label("key_calls"),
            KeyRow.pages_per_month.label("key_pages"),
            KeyRow.concurrent_streams.label("key_streams"),
        )
        same_key = (KeyRow.user_id == UserRow.user_id) & (KeyRow.key_id == (key_id or ""))
        asking = select(*columns).outerjoin_from(UserRow, KeyRow, same_key)
        row = await self._one(asking.where(UserRow.user_id == user_id))
        if row is None or row.delete_time or row.disabled:
            raise UserDisabled
        if key_id and (row.key_id is None or row.key_revoke_time or row.key_disabled):
            raise KeyRevoked
        own = OwnLimits(row.key_calls, row.key_pages, row.key_streams)
        return self._principal(row, key=KeyInUse(key_id, frozenset(), own) if key_id else None)
