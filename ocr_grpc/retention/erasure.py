"""Forgets who a deleted user was, in every table; rows of the ledger stay, as sums of nobody's.

`Users.delete` scrubs the account itself and ends all ways in, in one transaction. This does the
rest, a few rows at a time: it may be much, and it can go on after a crash wherever it was. What the
user's last calls still write is found too, as a user counts as erased only some time later.
Batches and uploads go with `batches/purge.py`, webhooks with `webhooks/retention.py`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    CursorResult,
    Select,
    String,
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import InstrumentedAttribute

from ocr_grpc.metering.retention import forget_request_ids
from ocr_grpc.store.accounts import (
    AuditRow,
    InviteRow,
    KeyRow,
    MailTokenRow,
    RefreshTokenRow,
    SessionRow,
    UserRow,
)
from ocr_grpc.store.base import Base
from ocr_grpc.store.database import Database
from ocr_grpc.store.metering import RequestIdRow, UsageRow
from ocr_grpc.store.resumption import KeptExtractionRow
from ocr_grpc.store.retention import ROWS_AT_ONCE, Portion

USERS_AT_ONCE = 100
PORTIONS_AT_ONCE = 20
"""Of one user's rows of one kind, before it is somebody else's turn."""

SETTLED = timedelta(minutes=15)
"""How long after the deletion a user's last calls may still write: they end within seconds."""

KEPT_DETAILS = {
    "batch_id", "cause", "disabled", "fields", "invite_id", "organization", "overlap_seconds",
    "owner", "role", "scopes", "session_id", "status", "user",
}  # fmt: skip
"""Of events in the audit log: ids, and words of ours."""

Step = Callable[[str, datetime], Awaitable[int]]


class Erasure:
    """A `Rule`: what is left of deleted users. Several processes may apply it at once."""

    kinds: Sequence[str] = ("users",)

    def __init__(self, database: Database, settled: timedelta = SETTLED) -> None:
        """Take what is needed; `settled`: how long a user's last calls may still write."""
        self._database = database
        self._settled = settled
        self._read_to: dict[str, datetime] = {}
        """By user, up to where the ledger was read: it is long, and most of it is done."""

    async def remove(self, now: datetime) -> Portion:
        """See `Rule`."""
        pending = select(UserRow.user_id, UserRow.delete_time).where(*_pending())
        async with self._database.read() as session:
            # By chance: one with much to be erased must not always stand before the others.
            some = pending.order_by(func.random()).limit(USERS_AT_ONCE)
            users = (await session.execute(some)).all()
        erased, more = 0, False
        for user_id, delete_time in users:
            is_done = await self._erase(user_id, now)
            more = more or not is_done
            if is_done and delete_time is not None and delete_time <= now - self._settled:
                async with self._database.write() as session:
                    mine = UserRow.user_id == user_id, UserRow.erase_time.is_(None)
                    done = await session.execute(
                        update(UserRow).where(*mine).values(erase_time=now)
                    )
                erased += cast("CursorResult[Any]", done).rowcount
        return Portion({self.kinds[0]: erased}, more)

    async def due(self, now: datetime) -> Mapping[str, int]:
        """See `Rule`."""
        async with self._database.read() as session:
            count = select(func.count(UserRow.user_id)).where(*_pending())
            return {self.kinds[0]: await session.scalar(count) or 0}

    async def _erase(self, user_id: str, now: datetime) -> bool:
        """Erase some of what is left of a user; return whether that was all."""
        steps: tuple[Step, ...] = (
            self._streams,
            self._invites,
            self._credentials,
            self._request_ids,
            self._audit,
            self._ledger,
        )
        is_done = True
        for step in steps:
            for _ in range(PORTIONS_AT_ONCE):
                if await step(user_id, now) < ROWS_AT_ONCE:
                    break
            else:
                is_done = False
        return is_done

    async def _streams(self, user_id: str, now: datetime) -> int:
        """Have streams that are kept expire: whoever writes one is told, and the job removes it."""
        row = KeptExtractionRow
        mine = select(row.extraction_id).where(row.user_id == user_id, row.expire_time > now)
        return await self._change(row, (row.extraction_id,), mine, {"expire_time": now})

    async def _invites(self, user_id: str, now: datetime) -> int:
        """Withdraw invitations that the user made, and those that were used by the user."""
        made = select(AuditRow.target_id).where(
            AuditRow.actor_user_id == user_id, AuditRow.action == "invite.created"
        )
        row = InviteRow
        mine = or_(row.used_by_user_id == user_id, row.invite_id.in_(made))
        return await self._delete(row, (row.invite_id,), select(row.invite_id).where(mine))

    async def _credentials(self, user_id: str, now: datetime) -> int:
        sessions = select(SessionRow.session_id).where(SessionRow.user_id == user_id)
        tokens = select(RefreshTokenRow.token_hash).where(RefreshTokenRow.session_id.in_(sessions))
        keys = select(KeyRow.key_id).where(KeyRow.user_id == user_id)
        mails = select(MailTokenRow.token_hash).where(MailTokenRow.user_id == user_id)
        counts = (
            await self._delete(RefreshTokenRow, (RefreshTokenRow.token_hash,), tokens),
            await self._delete(SessionRow, (SessionRow.session_id,), sessions),
            await self._delete(KeyRow, (KeyRow.key_id,), keys),  # its secrets go with it
            await self._delete(MailTokenRow, (MailTokenRow.token_hash,), mails),
        )
        return max(counts)

    async def _request_ids(self, user_id: str, now: datetime) -> int:
        row = RequestIdRow
        mine = row.user_id == user_id
        count, more = await forget_request_ids(self._database, mine, row.request_id)
        return ROWS_AT_ONCE if more else count

    async def _audit(self, user_id: str, now: datetime) -> int:
        """Keep what was done, by which id, and no address, call id or name of a host."""
        # What was done to a user without anybody's credentials, such as a failed login, was
        # perhaps done from the user's own address. An administrator's address is another matter.
        theirs = or_(
            AuditRow.actor_user_id == user_id,
            and_(AuditRow.actor_user_id.is_(None), AuditRow.target_id == user_id),
        )
        is_full = or_(
            AuditRow.address != "",
            AuditRow.call_id != "",
            sql_cast(AuditRow.details, String).contains('"host"'),
        )
        asked = select(AuditRow.event_id, AuditRow.details).where(theirs, is_full)
        async with self._database.read() as session:
            rows = (await session.execute(asked.limit(ROWS_AT_ONCE))).all()
        if not rows:
            return 0
        emptied = {"address": "", "call_id": ""}
        ids = [event_id for event_id, _ in rows]
        async with self._database.write() as session:
            statement = update(AuditRow).where(AuditRow.event_id.in_(ids)).values(emptied)
            await session.execute(statement.execution_options(synchronize_session=False))
            for event_id, details in rows:
                kept = {name: each for name, each in details.items() if name in KEPT_DETAILS}
                if kept != details:
                    one = update(AuditRow).where(AuditRow.event_id == event_id)
                    await session.execute(one.values(details=kept))
        return len(rows)

    async def _ledger(self, user_id: str, now: datetime) -> int:
        """Have rows of the ledger name no call: those ids are the user's own words."""
        row = UsageRow
        asked = select(row.usage_id, row.create_time).where(row.user_id == user_id)
        if user_id in self._read_to:
            asked = asked.where(row.create_time >= self._read_to[user_id])
        some = asked.where(row.call_id != "").order_by(row.create_time).limit(ROWS_AT_ONCE)
        async with self._database.read() as session:
            rows = (await session.execute(some)).all()
        if rows:
            self._read_to[user_id] = rows[-1].create_time
            found = select(row.usage_id).where(row.usage_id.in_([each.usage_id for each in rows]))
            await self._change(row, (row.usage_id,), found, {"call_id": ""})
        else:
            self._read_to.pop(user_id, None)
        return len(rows)

    async def _delete(
        self,
        row: type[Base],
        key: tuple[InstrumentedAttribute[Any], ...],
        chosen: Select[Any] | Select[Any, Any],
    ) -> int:
        return await self._change(row, key, chosen, None)

    async def _change(
        self,
        row: type[Base],
        key: tuple[InstrumentedAttribute[Any], ...],
        chosen: Select[Any] | Select[Any, Any],
        values: Mapping[str, object] | None,
    ) -> int:
        """Change rows, or delete them, as many as one transaction may; return how many."""
        async with self._database.read() as session:
            keys = [tuple(each) for each in await session.execute(chosen.limit(ROWS_AT_ONCE))]
        if not keys:
            return 0
        those = tuple_(*key).in_(keys)
        statement: Any = (
            delete(row).where(those)
            if values is None
            else update(row).where(those).values(dict(values))
        )
        async with self._database.write() as session:
            await session.execute(statement.execution_options(synchronize_session=False))
        return len(keys)


def _pending() -> tuple[Any, ...]:
    return UserRow.delete_time.is_not(None), UserRow.erase_time.is_(None)
