"""The results of a batch as one zip archive, written while it is sent."""

import asyncio
import json
import zipfile
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from io import RawIOBase
from typing import Any

from ocr_grpc.batches.result_names import numbered_name
from ocr_grpc.batches.result_pieces import ResultForm, in_pieces
from ocr_grpc.store.batches import DocumentRow

CONTENT_TYPE = "application/zip"
MANIFEST = "manifest.json"
_LEVEL = 3
"""Twice as fast as the usual 6, and 4 % larger: most of a result are numbers."""
_PAGES_WITHOUT_ZIP64 = 200
"""With more pages a result might have 2 GiB, which has to be said before it is written. Not said of
all: some programs stumble over it."""
_PERMISSIONS = 0o644 << 16
_MODE_UNIX = 3


class _Sink(RawIOBase):
    """Takes what the library writes, for who sends it on."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken, self._held = bytes(self._held), bytearray()
        return taken


def zip_pieces(
    batch_id: str,
    form: ResultForm,
    documents: AsyncGenerator[DocumentRow, None],
    pieces_of: Callable[[DocumentRow], AsyncGenerator[bytes, None]],
    listed: Callable[[DocumentRow], dict[str, Any]],
) -> AsyncGenerator[bytes, None]:
    """Yield an archive in pieces of at most 64 KiB.

    It holds the results of all documents with a page that was read, and `manifest.json`, which
    lists all documents: what became of them, and the name of the result.

    Args:
        batch_id: named in the manifest.
        form: of the results.
        documents: of the batch, in their order.
        pieces_of: writes the result of one.
        listed: says in JSON how one ended.
    """
    return in_pieces(_archive(batch_id, form, documents, pieces_of, listed))


async def _archive(
    batch_id: str,
    form: ResultForm,
    documents: AsyncGenerator[DocumentRow, None],
    pieces_of: Callable[[DocumentRow], AsyncGenerator[bytes, None]],
    listed: Callable[[DocumentRow], dict[str, Any]],
) -> AsyncGenerator[bytes, None]:
    sink = _Sink()
    entries: list[dict[str, Any]] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        async with aclosing(documents):
            async for document in documents:
                name = ""
                if document.pages_ok + document.pages_degraded:
                    name = numbered_name(document.number, document.file_name, form.ending)
                    pieces = pieces_of(document)
                    member = _member(archive, sink, name, document, pieces)
                    async with aclosing(pieces), aclosing(member) as parts:
                        async for part in parts:
                            yield part
                entries.append({**listed(document), "result": name})
        manifest = {"batch_id": batch_id, "documents": entries}
        text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        await asyncio.to_thread(archive.writestr, _member_named(MANIFEST, None), text)
    yield sink.take()


async def _member(
    archive: zipfile.ZipFile,
    sink: _Sink,
    name: str,
    document: DocumentRow,
    pieces: AsyncGenerator[bytes, None],
) -> AsyncGenerator[bytes, None]:
    member = _member_named(name, document.finish_time)
    is_large = document.page_count > _PAGES_WITHOUT_ZIP64
    with archive.open(member, "w", force_zip64=is_large) as file:
        async for piece in pieces:
            # Compressed beside the event loop; zlib does not hold the interpreter meanwhile.
            await asyncio.to_thread(file.write, piece)
            yield sink.take()
    yield sink.take()


def _member_named(name: str, time: datetime | None) -> zipfile.ZipInfo:
    """Return a file of an archive; the same results make the same archive."""
    member = zipfile.ZipInfo(name, time.timetuple()[:6] if time else (1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr, member.create_system = _PERMISSIONS, _MODE_UNIX
    return member
