"""All tables, for migrations: importing this module is what makes them known."""

from ocr_grpc.store import accounts, metering
from ocr_grpc.store.base import Base

__all__ = ["accounts", "metadata", "metering"]

metadata = Base.metadata
