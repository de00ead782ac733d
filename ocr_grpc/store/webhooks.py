"""The tables of webhooks: where messages go, what signs them, and what became of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ocr_grpc.store.accounts import Id
from ocr_grpc.store.base import Base, UtcTime, new_id, utc_now


class WebhookRow(Base):
    """An address that is told what happens to its owner's batches."""

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "user_id", "create_time", "webhook_id"),)

    webhook_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(Id)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[str] = mapped_column(String(255))
    """What it is told, such as `batch.finished`, separated by spaces."""
    display_name: Mapped[str] = mapped_column(String(128), default="")
    disabled: Mapped[bool] = mapped_column(default=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    """What messages are signed with, sealed."""
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The one before, sealed."""
    old_secret_expire_time: Mapped[datetime | None] = mapped_column(UtcTime)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class DeliveryRow(Base):
    """A message to a webhook, sent or to be sent."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(None, "webhook_id", "create_time", "delivery_id"),
        Index(None, "state", "next_attempt_time"),
        Index(None, "create_time"),
    )

    delivery_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.webhook_id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(64))
    batch_id: Mapped[str] = mapped_column(Id, default="")
    payload: Mapped[str] = mapped_column(Text)
    """The body, JSON."""
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    """`waiting`, `delivered` or `failed`."""
    tries: Mapped[int] = mapped_column(default=0)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    next_attempt_time: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it is due; while it is being sent, when somebody else may send it."""
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """The attempts, the newest first."""
