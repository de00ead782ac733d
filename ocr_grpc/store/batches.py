"""The tables of batches. They are the truth; what dispatches chunks only carries their numbers.

A document is cut into chunks of pages. A chunk that is taken up gets a new `attempt`, and whatever
is written for it asks whether that is still its attempt: a process that was stopped and taken for
dead writes nothing more. The result of a page, its event and its charge are one transaction.
"""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ocr_grpc.store.accounts import Id
from ocr_grpc.store.base import Base, UtcTime, new_id, utc_now

Number = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives out itself."""


UNDER_WAY = ("waiting", "reading")
"""States of batches and documents that have not ended."""


class FileRow(Base):
    """A document's bytes, which lie in the blob store under this id."""

    __tablename__ = "files"
    __table_args__ = (Index(None, "user_id", "uploaded"), Index(None, "expire_time"))

    file_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(Id)
    file_name: Mapped[str] = mapped_column(String(255), default="")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    uploaded: Mapped[bool] = mapped_column(default=False)
    """Whether its owner can name it in new batches."""
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expire_time: Mapped[datetime] = mapped_column(UtcTime)
    """When it goes, unless a batch uses it."""


class BatchRow(Base):
    """A batch, with the sums over its documents."""

    __tablename__ = "batches"
    __table_args__ = (
        Index(None, "user_id", "create_time", "batch_id"),
        Index(None, "expire_time"),
        Index(None, "delete_time"),
        Index(None, "release_time", "finish_time"),
    )

    batch_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(Id)
    key_id: Mapped[str | None] = mapped_column(Id)
    """The API key it was made with."""
    organization_id: Mapped[str | None] = mapped_column(Id)
    call_id: Mapped[str] = mapped_column(String(128), default="")
    display_name: Mapped[str] = mapped_column(String(128), default="")
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    priority: Mapped[int] = mapped_column(default=1)
    """0 low, 1 normal, 2 high."""
    options: Mapped[bytes] = mapped_column(LargeBinary)
    """See `batches/kept_options.py`; sealed."""
    retention_hours: Mapped[int]
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    finish_time: Mapped[datetime | None] = mapped_column(UtcTime)
    expire_time: Mapped[datetime | None] = mapped_column(UtcTime)
    delete_time: Mapped[datetime | None] = mapped_column(UtcTime)
    """When its owner deleted it, or it expired: it is gone for everybody, its rows go soon."""
    release_time: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it let go of its documents, but of those with chunks that were given up."""
    last_sequence: Mapped[int] = mapped_column(default=0)
    documents: Mapped[int] = mapped_column(default=0)
    documents_finished: Mapped[int] = mapped_column(default=0)
    documents_failed: Mapped[int] = mapped_column(default=0)
    documents_cancelled: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=0)
    pages_ok: Mapped[int] = mapped_column(default=0)
    pages_degraded: Mapped[int] = mapped_column(default=0)
    pages_failed: Mapped[int] = mapped_column(default=0)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    prompt_chars: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_chars: Mapped[int] = mapped_column(BigInteger, default=0)
    input_bytes: Mapped[int] = mapped_column(BigInteger, default=0)


class BatchRequestRow(Base):
    """What a caller's request id made, so that a repetition makes nothing."""

    __tablename__ = "batch_requests"

    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    batch_id: Mapped[str] = mapped_column(Id)
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, index=True)


class DocumentRow(Base):
    """A document of a batch."""

    __tablename__ = "batch_documents"
    __table_args__ = (
        Index(None, "batch_id", "number"),
        Index(None, "user_id", "state"),
        Index(None, "file_id"),
    )

    document_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.batch_id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(Id)
    number: Mapped[int]
    """Its place in the batch, from 1."""
    file_name: Mapped[str] = mapped_column(String(255), default="")
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    options: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None: those of the batch. Sealed."""
    file_id: Mapped[str | None] = mapped_column(Id)
    """None until it was fetched."""
    upload_id: Mapped[str] = mapped_column(Id, default="")
    """The upload it came from; empty if it came otherwise."""
    url: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Where it is fetched from, sealed, as it may hold a key."""
    url_shown: Mapped[str] = mapped_column(Text, default="")
    """The same without its query."""
    kind: Mapped[str] = mapped_column(String(32), default="")
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    document_page_count: Mapped[int] = mapped_column(default=0)
    page_count: Mapped[int] = mapped_column(default=0)
    """Pages that are to be read; 0 until it was opened."""
    pages_ok: Mapped[int] = mapped_column(default=0)
    pages_degraded: Mapped[int] = mapped_column(default=0)
    pages_failed: Mapped[int] = mapped_column(default=0)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    prompt_chars: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_chars: Mapped[int] = mapped_column(BigInteger, default=0)
    input_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    usage_id: Mapped[str | None] = mapped_column(Id)
    """Its row in the ledger, open while pages are reserved."""
    start_time: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it was opened."""
    finish_time: Mapped[datetime | None] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")


class ChunkRow(Base):
    """Some pages of a document: what is worked on at a time.

    States: `waiting` to be handed out, `queued` with the dispatcher, `running`, `done`,
    `cancelled`, and `dead` when it was given up.
    """

    __tablename__ = "batch_chunks"
    __table_args__ = (
        Index(None, "state", "user_id", "priority", "chunk_id"),
        Index(None, "batch_id", "state"),
        Index(None, "document_id"),
    )

    chunk_id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.batch_id", ondelete="CASCADE"))
    document_id: Mapped[str] = mapped_column(Id)
    user_id: Mapped[str] = mapped_column(Id)
    weight: Mapped[float] = mapped_column(default=1.0)
    """The share of its owner, by role and priority, beside others."""
    priority: Mapped[int] = mapped_column(default=1)
    pages: Mapped[str] = mapped_column(String(255), default="")
    """Such as `17-32`. Empty: the document was not opened yet, and this chunk opens it."""
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    attempt: Mapped[int] = mapped_column(default=0)
    """The fencing token: how many times it was taken up."""
    crashes: Mapped[int] = mapped_column(default=0)
    """Attempts that ended with their process, since a page of it ended last."""
    errors: Mapped[int] = mapped_column(default=0)
    """Attempts that ended with an error that may pass."""
    alone: Mapped[bool] = mapped_column(default=False)
    """Whether it runs beside no other such chunk: it may be what kills its process."""
    suspect_page: Mapped[int | None]
    """When alone: the page being read, 0 while it is opened. Who dies now, dies of it."""
    suspect_crashes: Mapped[int] = mapped_column(default=0)
    """How many processes died of that page, one after the other."""
    worker_id: Mapped[str | None] = mapped_column(Id)
    run_after: Mapped[datetime | None] = mapped_column(UtcTime)
    """Not before, after an error that may pass."""
    progress_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    """When it last changed hands, or a page of it ended."""
    reason: Mapped[str] = mapped_column(String(64), default="")
    """Why it is dead."""


class PageRow(Base):
    """A page that ended. Its key is what makes it count once."""

    __tablename__ = "batch_pages"

    document_id: Mapped[str] = mapped_column(
        ForeignKey("batch_documents.document_id", ondelete="CASCADE"), primary_key=True
    )
    page_number: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    result: Mapped[bytes] = mapped_column(LargeBinary)
    """The whole page, as `rpc/page_results.py` writes it."""


class EventRow(Base):
    """Something that happened to a batch."""

    __tablename__ = "batch_events"

    batch_id: Mapped[str] = mapped_column(
        ForeignKey("batches.batch_id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(primary_key=True)
    create_time: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(24))
    """`document_started`, `page_finished`, `document_finished` or `finished`."""
    document_id: Mapped[str | None] = mapped_column(Id)
    page_number: Mapped[int | None]
    progress: Mapped[list[int]] = mapped_column(JSON)
    """The counts of `BatchProgress` then, in the order of its fields."""


class InstallationRow(Base):
    """What all processes on one database have in common; see `wiring/installation.py`."""

    __tablename__ = "installation"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class WorkerRow(Base):
    """A process that works on batches, alive as long as it renews its lease."""

    __tablename__ = "batch_workers"

    worker_id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    slots: Mapped[int]
    """Chunks it works on at once."""
    start_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    lease_expire_time: Mapped[datetime] = mapped_column(UtcTime)
