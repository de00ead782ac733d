"""Pieces that are all there before the first one leaves."""

import asyncio
import errno
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path

from ocr_grpc.batches.result_pieces import PIECE_BYTES
from ocr_grpc.documents.errors import SpoolFull


async def spooled(pieces: AsyncGenerator[bytes, None], folder: Path) -> AsyncGenerator[bytes, None]:
    """Yield pieces again after writing them to a file: whatever fails, fails before the first.

    Args:
        pieces: closed at the end.
        folder: where the file is, without a name, so that it goes with its process.

    Raises:
        SpoolFull: the disk is.
        OcrError: what the pieces raise.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(file.seek, 0)
        except OSError as error:
            # What it could not write it would try to write again at its end, and fail again.
            with suppress(OSError):
                file.close()
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise SpoolFull from None
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece
