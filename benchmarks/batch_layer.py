"""The durable layer of batches alone: all of it, with pages that are there at once.

    python -m benchmarks.batch_layer                      pages/s on SQLite
    python -m benchmarks.batch_layer --pages 40000

Chunks are handed out, taken up, cut and closed as ever, and every page is written with its event
and its charge; only reading is left out. `batches.py` calls it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr
from sqlalchemy import delete, select

from ocr_grpc.accounts.owners import Owners
from ocr_grpc.accounts.principal import Limits, Principal, QuotaShare, Role
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.spool import Spool
from ocr_grpc.engines.null import LINES_PER_PAGE
from ocr_grpc.extraction.events import (
    Delta,
    Event,
    Finished,
    PageFinished,
    PageOutcome,
    PageStarted,
    Provenance,
    Started,
    TextSource,
    Usage,
)
from ocr_grpc.extraction.kept_options import sealed_options
from ocr_grpc.extraction.options import ExtractOptions, Mode, select_pages
from ocr_grpc.extraction.order import Order
from ocr_grpc.model import Line, PageGeometry, box
from ocr_grpc.settings import Settings
from ocr_grpc.store import migrations
from ocr_grpc.store.base import new_id
from ocr_grpc.store.batches import BatchRow, ChunkRow, DocumentRow, InstallationRow
from ocr_grpc.store.database import Database, embedded_url
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.wiring.batch_work import BatchWork
from ocr_grpc.wiring.batches import Kept, open_kept

PAGES_A_DOCUMENT = 500
FILE_ID = "0" * 24
USER_ID = "f" * 24
MOST_SECONDS = 300

PROVENANCE = Provenance(Mode.AUTO, TextSource.TEXT_LAYER)
LINES = tuple(Line(f"null line {n}", box(0, n, 90, n + 1), 1.0) for n in range(LINES_PER_PAGE))
TEXT = "\n".join(line.text for line in LINES)


class InstantExtractor:
    """Stands for `Extractor`: every document has 500 pages such as the null engine's, at once."""

    async def extract(self, order: Order) -> AsyncIterator[Event]:
        """Yield the events of an order."""
        pages = select_pages(order.options.pages, PAGES_A_DOCUMENT)
        count = sum(map(len, pages))
        started = Started("", DocumentKind.PDF, PAGES_A_DOCUMENT, count, Mode.AUTO, None, 0, 1)
        await order.meter.reserve(started, pages)
        yield started
        for number in islice(chain.from_iterable(pages), order.first_pages or None):
            yield PageStarted(number, PageGeometry(100, 100, 72), TextSource.TEXT_LAYER)
            yield Delta(number, TEXT, LINES)
            usage = Usage(completion_chars=len(TEXT), pages=1)
            yield PageFinished(number, PageOutcome.OK, PROVENANCE, usage, TEXT)
            await asyncio.sleep(0)
        yield Finished(Usage(), count, 0, 0, 0.0)


@asynccontextmanager
async def working(folder: Path, url: str) -> AsyncIterator[Kept]:
    """Work on the batches of a database, for the time of the block."""
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        data_dir=folder / new_id(),
        blob_url=(folder / "blobs").as_uri(),
        secret_key=SecretStr("benchmarks " * 6),
    )
    settings.data_dir.mkdir(parents=True)
    (folder / "blobs").mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        database = Database(url)
        stack.push_async_callback(database.close)
        nobody: Any = None  # no document comes from a URL
        kept = await open_kept(settings, database, nobody, stack)
        spool = Spool(settings.data_dir / "spool")
        stack.callback(spool.close)
        owner = Principal(USER_ID, "ann", Role.USER, Limits(), QuotaShare(USER_ID, 0))
        owners = Owners(database, {}, owner)
        extractor = cast(Any, InstantExtractor())
        work = BatchWork(settings, kept, extractor, owners, spool, Metrics())
        stack.push_async_callback(work.stop)
        await work.start()
        yield kept


async def layer_rate(url: str, pages: int, processes: int = 1) -> float:
    """Return the pages/s of this process, or of this one and others.

    Args:
        url: of the database, which has its tables; empty for SQLite in a new folder.
        pages: how many, a multiple of 500.
        processes: how many work together, on PostgreSQL alone.
    """
    with tempfile.TemporaryDirectory(prefix="ocr-") as name:
        folder = Path(name)
        url = url or embedded_url(folder)
        database = Database(url)
        await migrations.upgrade(database)
        async with database.write() as session:
            # Of the folder of a run before this one.
            await session.execute(delete(InstallationRow))
        await database.close()
        async with AsyncExitStack() as stack:
            kept = await stack.enter_async_context(working(folder, url))
            await kept.blobs.put_bytes(FILE_ID, b"a document")
            for _ in range(processes - 1):
                await stack.enter_async_context(_another(folder, url))
            await _read(kept, 2_000)
            return pages / await _read(kept, pages)


async def _read(kept: Kept, pages: int) -> float:
    """Return the seconds that a batch takes."""
    batch_id = await _insert(kept, pages // PAGES_A_DOCUMENT)
    began = time.perf_counter()
    ended = asyncio.Event()
    unsubscribe = kept.news.subscribe(lambda _: ended.set())
    async with asyncio.timeout(MOST_SECONDS):
        while await _state(kept.database, batch_id) != "finished":
            ended.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await ended.wait()
            await asyncio.sleep(0.1)  # every commit is news
    unsubscribe()
    return time.perf_counter() - began


async def _insert(kept: Kept, documents: int) -> str:
    batch = BatchRow(
        batch_id=new_id(),
        user_id=USER_ID,
        options=sealed_options(kept.seal, ExtractOptions()),
        retention_hours=1,
        documents=documents,
    )
    async with kept.database.write() as session:
        session.add(batch)
        await session.flush()
        for number in range(1, documents + 1):
            row = DocumentRow(
                document_id=new_id(),
                batch_id=batch.batch_id,
                user_id=USER_ID,
                number=number,
                file_id=FILE_ID,
            )
            session.add(row)
            session.add(
                ChunkRow(batch_id=batch.batch_id, document_id=row.document_id, user_id=USER_ID)
            )
    return batch.batch_id


async def _state(database: Database, batch_id: str) -> str:
    async with database.read() as session:
        asked = select(BatchRow.state).where(BatchRow.batch_id == batch_id)
        return (await session.execute(asked)).scalar_one()


@asynccontextmanager
async def _another(folder: Path, url: str) -> AsyncIterator[None]:
    """Have another process work on the same database, for the time of the block."""
    words = ["-m", "benchmarks.batch_layer", "--beside", url, str(folder)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    await process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _beside(url: str, folder: Path) -> None:
    async with working(folder, url):
        print("ready", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Print the pages/s, or work beside another process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--beside", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.beside:
        url, folder = arguments.beside
        asyncio.run(_beside(url, Path(folder)))
    else:
        print(f"{asyncio.run(layer_rate('', arguments.pages)):.0f} pages/s on SQLite")


if __name__ == "__main__":
    main()
