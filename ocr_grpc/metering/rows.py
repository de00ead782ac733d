"""Rows of the `usage` table, column by column."""

from typing import Any

from ocr_grpc.metering.entries import CallEntry, PageUsage
from ocr_grpc.metering.operations import Account, Settle
from ocr_grpc.store.metering import OPEN

MAX_CHARS = {"method": 128, "kind": 32, "status": 32, "reason": 64, "call_id": 128}
MAX_EXTRACTION_ID_CHARS = 64


def closed_row(entry: CallEntry) -> dict[str, Any]:
    """Return the row of an ordinary call."""
    return {
        "usage_id": entry.usage_id,
        "create_time": entry.create_time,
        "duration_seconds": entry.duration_seconds,
        "user_id": entry.user_id,
        "organization_id": entry.organization_id,
        "key_id": entry.key_id,
        "method": _kept("method", entry.method),
        "kind": _kept("kind", entry.kind),
        "status": _kept("status", entry.status),
        "reason": _kept("reason", entry.reason),
        "call_id": _kept("call_id", entry.call_id),
        "extraction_id": entry.extraction_id[:MAX_EXTRACTION_ID_CHARS],
        **entry.usage.as_columns(),
    }


def open_row(account: Account, server_id: str) -> dict[str, Any]:
    """Return the row of an extraction that begins."""
    reservation = account.reservation
    principal = reservation.principal
    return {
        "usage_id": account.usage_id,
        "create_time": reservation.create_time,
        "user_id": principal.user_id,
        "organization_id": principal.organization_id,
        "key_id": reservation.key_id,
        "method": _kept("method", reservation.method),
        "kind": _kept("kind", reservation.kind),
        "status": OPEN,
        "call_id": _kept("call_id", reservation.call_id),
        "extraction_id": reservation.extraction_id[:MAX_EXTRACTION_ID_CHARS],
        "pages_reserved": account.reserved,
        "quota_owner_id": principal.quota.owner_id,
        "period": account.period,
        "server_id": server_id,
    }


def written_columns(
    account: Account, settle: Settle | None, pages: int, reserved: int, usage: PageUsage
) -> dict[str, Any]:
    """Return what changes in the row of an open extraction; `b_` marks values to bind."""
    columns: dict[str, Any] = {
        "b_usage_id": account.usage_id,
        "b_pages": pages,
        "b_pages_reserved": reserved,
        **{f"b_{name}": value for name, value in usage.as_columns().items()},
    }
    if settle:
        columns |= {
            "b_status": _kept("status", settle.status),
            "b_reason": _kept("reason", settle.reason),
            "b_duration_seconds": settle.duration_seconds,
            "b_server_id": None,
        }
    return columns


def _kept(column: str, text: str) -> str:
    """Return what fits into a column; PostgreSQL has no NUL, and a row must not fail for a name."""
    clean = text.encode(errors="replace").decode().replace("\0", "")
    return clean[: MAX_CHARS[column]]
