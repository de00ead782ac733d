"""The settings about batches, files, webhooks and resumable streams; part of `settings.py`."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

GIB = 1024**3
BLOB_SCHEMES = frozenset({"file", "s3", "s3a", "gs", "az", "azure", "abfs", "abfss"})

Priority = Literal["low", "normal", "high"]


class BatchSettings(BaseSettings):
    """What is read in the background, and what is kept for it."""

    batches_in_serve: bool = Field(
        default=True,
        description="Whether `serve` reads batches itself. false where `ocr-grpc worker` does.",
    )
    batch_chunks: int = Field(
        default=16,
        ge=2,
        le=256,
        description="Chunks (of at most 16 pages) of batches that one process works on at once.",
    )
    batch_takeover_seconds: int = Field(
        default=15,
        ge=2,
        le=600,
        description="Seconds without a sign of life after which another process takes a chunk.",
    )
    max_batch_documents: int = Field(
        default=1_000, ge=1, le=1_000, description="Most documents of one batch."
    )
    max_waiting_documents: int = Field(
        default=20_000,
        ge=1,
        description="Documents of one user's batches that may wait or be read at a time.",
    )
    max_upload_bytes_per_user: int = Field(
        default=20 * GIB,
        ge=1024,
        description="Bytes of uploaded documents that one user may have waiting for a batch.",
    )
    max_stored_bytes_per_user: int = Field(
        default=100 * GIB,
        ge=1024,
        description="Bytes of all documents of one user that are kept, with those of batches, which"
        " last for BATCH_RETENTION_HOURS. One user shall not fill the disk.",
    )
    upload_retention_hours: int = Field(
        default=168,
        ge=1,
        le=24 * 365,
        description="Hours that an uploaded document waits for a batch.",
    )
    batch_retention_hours: int = Field(
        default=720,
        ge=1,
        le=24 * 3650,
        description="Most hours that a batch is kept after it has ended; less on request.",
    )
    user_batch_priority: Priority = Field(
        default="normal", description="Highest priority of a user's batches: low, normal, high."
    )
    business_batch_priority: Priority = Field(
        default="high", description="The same for the role BUSINESS."
    )
    admin_batch_priority: Priority = Field(
        default="high", description="The same for administrators."
    )
    blob_url: str = Field(
        default="",
        description="Where documents are kept: file:///folder, s3://bucket/path, gs://…, az://… "
        "Credentials as those services have them in the environment. Empty: under DATA_DIR.",
    )
    resumable_seconds: int = Field(
        default=900,
        ge=10,
        le=86_400,
        description="Seconds that a resumable extraction is kept after its last event.",
    )
    webhook_hosts: str = Field(
        default="*",
        description="Hosts that webhooks may go to, comma separated, as in FETCH_HOSTS; * means "
        "all public ones at their usual port, *:* at any. Empty: no webhooks.",
    )
    webhook_private: bool = Field(
        default=False,
        description="Whether webhooks may go to private addresses, not link-local, and to http:.",
    )

    @field_validator("blob_url")
    @classmethod
    def _is_a_store(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and parts.scheme not in BLOB_SCHEMES:
            raise ValueError("it begins with file://, s3://, gs:// or az://")
        if parts.username or parts.password:
            raise ValueError("it holds no credentials; they come from the environment")
        return value
