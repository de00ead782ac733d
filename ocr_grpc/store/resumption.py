"""The tables of extractions that can be resumed: what is to be read, and the events so far."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ocr_grpc.store.accounts import Id
from ocr_grpc.store.base import Base, UtcTime, utc_now


class KeptExtractionRow(Base):
    """An extraction whose events are kept. Its document lies in the blob store under its id."""

    __tablename__ = "kept_extractions"

    extraction_id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id)
    method: Mapped[str] = mapped_column(String(128))
    file_name: Mapped[str] = mapped_column(String(255), default="")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    options: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    request_id: Mapped[str] = mapped_column(String(128))
    """What its pages are charged under, the caller's or one of ours: each once."""
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    pages: Mapped[str] = mapped_column(String(4000), default="")
    """The pages asked for, as written."""
    attempt: Mapped[int] = mapped_column(default=1)
    """The fencing token: how many times somebody went on with it."""
    last_sequence: Mapped[int] = mapped_column(default=0)
    ended: Mapped[bool] = mapped_column(default=False)
    """Whether its last event was written."""
    create_time: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expire_time: Mapped[datetime] = mapped_column(UtcTime, index=True)


class KeptEventRow(Base):
    """An event of such an extraction."""

    __tablename__ = "kept_events"

    extraction_id: Mapped[str] = mapped_column(
        ForeignKey("kept_extractions.extraction_id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(primary_key=True)
    page_number: Mapped[int | None]
    """The page it is about."""
    kind: Mapped[str] = mapped_column(String(24))
    """The name of the event, such as `page_finished`."""
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    """The event as it was sent."""
