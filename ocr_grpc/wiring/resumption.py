"""Starts what keeps streams that can be resumed."""

from contextlib import AsyncExitStack

from ocr_grpc.resumption.resumption import Resumption
from ocr_grpc.settings import Settings
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.sealing import Seal


async def open_resumption(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    seal: Seal,
    stack: AsyncExitStack,
) -> Resumption:
    """Start keeping events; the retention job forgets them."""
    resumption = Resumption(database, blobs, seal, settings.resumable_seconds)
    stack.push_async_callback(resumption.close)
    await resumption.start()
    return resumption
