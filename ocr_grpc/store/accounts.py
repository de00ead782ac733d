"""The tables of people, their credentials and their organizations.

No secret is in any of them: passwords are bcrypt hashes, everything else that opens a door is kept
as its SHA-256.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ocr_grpc.store.base import ID_CHARS, Base, UtcTime, new_id, utc_now

Id = String(ID_CHARS)


class OrganizationRow(Base):
    """An organization: users who share a quota."""

    __tablename__ = "organizations"

    organization_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    display_name: Mapped[str] = mapped_column(String(128))
    pages_per_month: Mapped[int] = mapped_column(default=0)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class UserRow(Base):
    """A user. Deleted ones stay, without name and address, because the ledger refers to them."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "create_time", "user_id"), Index(None, "delete_time"))

    user_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_name: Mapped[str] = mapped_column(String(64))
    user_name_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The name in lower case. None once deleted."""
    email: Mapped[str] = mapped_column(String(320), default="")
    email_key: Mapped[str | None] = mapped_column(String(320), unique=True)
    """The address in lower case. None if there is none."""
    email_verified: Mapped[bool] = mapped_column(default=False)
    display_name: Mapped[str] = mapped_column(String(128), default="")
    role: Mapped[str] = mapped_column(String(16), default="user")
    disabled: Mapped[bool] = mapped_column(default=False)
    calls_per_minute: Mapped[int | None]
    pages_per_month: Mapped[int | None]
    concurrent_streams: Mapped[int | None]
    password_hash: Mapped[str | None] = mapped_column(String(128))
    organization_id: Mapped[str | None] = mapped_column(
        ForeignKey("organizations.organization_id", ondelete="SET NULL"), index=True
    )
    organization_role: Mapped[str | None] = mapped_column(String(16))
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    last_login_time: Mapped[datetime | None] = mapped_column(UtcTime)
    delete_time: Mapped[datetime | None] = mapped_column(UtcTime)
    erase_time: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the last trace of who a deleted user was had gone from all tables."""


class SessionRow(Base):
    """A login: the family of all refresh tokens that came from it."""

    __tablename__ = "sessions"

    session_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expire_time: Mapped[datetime] = mapped_column(UtcTime, index=True)
    revoke_time: Mapped[datetime | None] = mapped_column(UtcTime)


class RefreshTokenRow(Base):
    """A refresh token, spent or not."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True
    )
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expire_time: Mapped[datetime] = mapped_column(UtcTime)
    use_time: Mapped[datetime | None] = mapped_column(UtcTime)


class KeyRow(Base):
    """An API key, whatever its secret is at the moment."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "create_time", "key_id"),)

    key_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    display_name: Mapped[str] = mapped_column(String(128), default="")
    prefix: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[str] = mapped_column(String(128))
    """Names of scopes, separated by spaces."""
    disabled: Mapped[bool] = mapped_column(default=False)
    calls_per_minute: Mapped[int | None]
    pages_per_month: Mapped[int | None]
    concurrent_streams: Mapped[int | None]
    expire_time: Mapped[datetime | None] = mapped_column(UtcTime)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    last_use_time: Mapped[datetime | None] = mapped_column(UtcTime)
    revoke_time: Mapped[datetime | None] = mapped_column(UtcTime)


class KeySecretRow(Base):
    """A secret of a key. After a rotation there are two for a while."""

    __tablename__ = "key_secrets"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    key_id: Mapped[str] = mapped_column(
        ForeignKey("api_keys.key_id", ondelete="CASCADE"), index=True
    )
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expire_time: Mapped[datetime | None] = mapped_column(UtcTime)


class MailTokenRow(Base):
    """A token that was sent by mail. It works once."""

    __tablename__ = "mail_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(320))
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expire_time: Mapped[datetime] = mapped_column(UtcTime, index=True)
    use_time: Mapped[datetime | None] = mapped_column(UtcTime)


class InviteRow(Base):
    """An invitation. It works once."""

    __tablename__ = "invites"
    __table_args__ = (Index(None, "create_time", "invite_id"),)

    invite_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    organization_id: Mapped[str | None] = mapped_column(
        ForeignKey("organizations.organization_id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(320), default="")
    role: Mapped[str] = mapped_column(String(16), default="user")
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expire_time: Mapped[datetime] = mapped_column(UtcTime)
    use_time: Mapped[datetime | None] = mapped_column(UtcTime)
    used_by_user_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))


class AuditRow(Base):
    """Something an administrator did, or a change of credentials."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "create_time", "event_id"),
        Index(None, "actor_user_id", "create_time"),
        Index(None, "target_id", "create_time"),
        Index(
            "ix_audit_events_addresses",
            "create_time",
            sqlite_where=text("address <> ''"),
            postgresql_where=text("address <> ''"),
        ),
    )

    event_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    actor_user_id: Mapped[str | None] = mapped_column(Id)
    actor_key_id: Mapped[str | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(64))
    target_id: Mapped[str | None] = mapped_column(Id)
    address: Mapped[str] = mapped_column(String(64), default="")
    call_id: Mapped[str] = mapped_column(String(128), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
