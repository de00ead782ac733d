"""The tables of the usage ledger and of quotas.

An extraction under way is a row of `usage` with the status `OPEN`: the pages it may still charge
are reserved in `quotas`. Whoever finds such a row whose server is gone closes it and gives the
reserved pages back.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ocr_grpc.store.accounts import Id
from ocr_grpc.store.base import Base, UtcTime, new_id, utc_now

OPEN = "OPEN"
LOST = "LOST"


class UsageRow(Base):
    """One call: who, what, how much."""

    __tablename__ = "usage"
    __table_args__ = (
        Index(None, "create_time", "usage_id"),
        Index(None, "user_id", "create_time"),
        Index(None, "organization_id", "create_time"),
        Index(None, "key_id", "create_time"),
        Index(None, "server_id"),
    )

    usage_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    duration_seconds: Mapped[float] = mapped_column(default=0.0)
    user_id: Mapped[str | None] = mapped_column(Id)
    organization_id: Mapped[str | None] = mapped_column(Id)
    key_id: Mapped[str | None] = mapped_column(Id)
    method: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(32), default="")
    status: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(64), default="")
    call_id: Mapped[str] = mapped_column(String(128), default="")
    extraction_id: Mapped[str] = mapped_column(String(64), default="")
    prompt_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    prompt_chars: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_chars: Mapped[int] = mapped_column(BigInteger, default=0)
    input_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    pages: Mapped[int] = mapped_column(default=0)
    """Pages charged."""
    pages_reserved: Mapped[int] = mapped_column(default=0)
    """Pages it may still charge; 0 once it is closed."""
    quota_owner_id: Mapped[str | None] = mapped_column(Id)
    """The user or organization whose quota it draws on."""
    period: Mapped[str] = mapped_column(String(7), default="")
    """The month it draws on, such as `2026-11`."""
    server_id: Mapped[str | None] = mapped_column(Id)
    """The server that works on it, while it is open."""


class QuotaRow(Base):
    """Pages of one user or organization in one month."""

    __tablename__ = "quotas"

    owner_id: Mapped[str] = mapped_column(Id, primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    used_pages: Mapped[int] = mapped_column(default=0)
    reserved_pages: Mapped[int] = mapped_column(default=0)


class RequestIdRow(Base):
    """What a caller's request id stands for, so that a repetition can be told from an abuse."""

    __tablename__ = "request_ids"

    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, index=True)


class RequestPageRow(Base):
    """A page that was charged under a request id, once and never again."""

    __tablename__ = "request_pages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "request_id"],
            ["request_ids.user_id", "request_ids.request_id"],
            ondelete="CASCADE",
        ),
    )

    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    page_number: Mapped[int] = mapped_column(primary_key=True)


class ServerRow(Base):
    """A server that is alive as long as it renews its lease."""

    __tablename__ = "servers"

    server_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    start_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    lease_expire_time: Mapped[datetime] = mapped_column(UtcTime)
