"""Reads the audit log; `audit.py` writes it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, select

from ocr_grpc.accounts.names import possible_id
from ocr_grpc.store.accounts import AuditRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.paging import encoded, older_than, one_page, page_size_of


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Chooses events; what is empty or None chooses all.

    Attributes:
        start_time: from this time on.
        end_time: before this time.
    """

    actor_user_id: str = ""
    target_id: str = ""
    action: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something an administrator did, or a change of credentials. What is empty was not known."""

    event_id: str
    create_time: datetime
    actor_user_id: str
    actor_key_id: str
    action: str
    target_id: str
    address: str
    call_id: str
    details: dict[str, str]


class AuditLog:
    """The audit log of this installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, chosen: AuditFilter, page_size: int = 0, page_token: str = ""
    ) -> tuple[list[AuditEvent], str]:
        """Return a page of events, the newest first, and the token of the next.

        Raises:
            InvalidPageToken: nobody gave that token out.
        """
        size = page_size_of(page_size)
        after = older_than(page_token, AuditRow.create_time, AuditRow.event_id)
        async with self._database.read() as sql:
            rows = (
                await sql.scalars(
                    select(AuditRow)
                    .where(*_conditions(chosen), *after)
                    .order_by(AuditRow.create_time.desc(), AuditRow.event_id.desc())
                    .limit(size + 1)
                )
            ).all()
        page, token = one_page(
            rows, size, lambda row: encoded(row.create_time.isoformat(), row.event_id)
        )
        return [_event_of(row) for row in page], token


def _conditions(chosen: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.actor_user_id:
        conditions.append(AuditRow.actor_user_id == possible_id(chosen.actor_user_id))
    if chosen.target_id:
        conditions.append(AuditRow.target_id == possible_id(chosen.target_id))
    if chosen.action:
        # PostgreSQL has no strings with a NUL in them.
        known = "\0" not in chosen.action
        conditions.append(AuditRow.action == chosen.action if known else false())
    if chosen.start_time:
        conditions.append(AuditRow.create_time >= chosen.start_time)
    if chosen.end_time:
        conditions.append(AuditRow.create_time < chosen.end_time)
    return conditions


def _event_of(row: AuditRow) -> AuditEvent:
    return AuditEvent(
        event_id=row.event_id,
        create_time=row.create_time,
        actor_user_id=row.actor_user_id or "",
        actor_key_id=row.actor_key_id or "",
        action=row.action,
        target_id=row.target_id or "",
        address=row.address,
        call_id=row.call_id,
        details={name: str(value) for name, value in row.details.items()},
    )
