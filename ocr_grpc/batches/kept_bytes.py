"""How many bytes of documents a user has here."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ocr_grpc.store.batches import DocumentRow, FileRow


async def stored_bytes(session: AsyncSession, user_id: str) -> int:
    """Return the bytes of all files of a user."""
    asked = select(func.coalesce(func.sum(FileRow.size_bytes), 0))
    return int((await session.execute(asked.where(FileRow.user_id == user_id))).scalar_one())


@dataclass(frozen=True, slots=True)
class KeptBytes:
    """The bytes of a user: of uploads that no batch uses, and of all files."""

    waiting_bytes: int
    stored_bytes: int

    @classmethod
    async def of(cls, session: AsyncSession, user_id: str) -> "KeptBytes":
        """Count them."""
        return cls(await _waiting_bytes(session, user_id), await stored_bytes(session, user_id))


async def _waiting_bytes(session: AsyncSession, user_id: str) -> int:
    """Return the bytes of a user's uploads that no batch uses."""
    used = select(DocumentRow.document_id).where(DocumentRow.file_id == FileRow.file_id).exists()
    asked = select(func.coalesce(func.sum(FileRow.size_bytes), 0)).where(
        FileRow.user_id == user_id, FileRow.uploaded.is_(True), ~used
    )
    return int((await session.execute(asked)).scalar_one())
