"""All tables, for migrations: importing this module is what makes them known."""

from ocr_grpc.store import accounts, batches, metering, resumption, retention, webhooks
from ocr_grpc.store.base import Base

__all__ = ["accounts", "batches", "metadata", "metering", "resumption", "retention", "webhooks"]

metadata = Base.metadata
