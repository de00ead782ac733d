"""A process that works on chunks, with a reader of documents that does as told."""

import asyncio

from sqlalchemy import update

from ocr_grpc.batches.desk import Desk
from ocr_grpc.batches.reading import ReadingParts
from ocr_grpc.batches.runner import Runner
from ocr_grpc.batches.sheet import CHANNEL
from ocr_grpc.rpc.page_results import encoded_page
from ocr_grpc.store.batches import ChunkRow
from ocr_grpc.store.news import News
from ocr_grpc.telemetry.metrics import Metrics
from tests.batches.rows import SEAL, all_of, person
from tests.batches.scripted import NoBlobs, ScriptedExtractor


class Owners:
    """Stands for `Owners`: everybody is one person."""

    refusal = None

    async def principal(self, user_id, key_id):
        if self.refusal:
            raise self.refusal
        return person(0, user_id)


class Office:
    """A runner with all that it needs, and a document of three pages."""

    def __init__(self, database, folder, worker_id="first"):
        self.database = database
        self.extractor = ScriptedExtractor()
        self.owners = Owners()
        self.news = News(database, CHANNEL)
        self.desk = Desk(database, self.news, Metrics(), worker_id)
        parts = ReadingParts(
            self.desk,
            self.extractor,
            self.owners,
            None,
            NoBlobs(),
            None,
            SEAL,
            encoded_page,
            folder,
            1000,
        )
        self.runner = Runner(parts, database, self.news, Metrics())

    async def run(self):
        """Work on what waits until nothing does."""
        for _ in range(40):
            async with self.database.write() as session:
                waiting = ChunkRow.state == "waiting"
                await session.execute(update(ChunkRow).where(waiting).values(state="queued"))
            chunks = await all_of(self.database, ChunkRow, ChunkRow.state == "queued")
            if not chunks:
                return
            await asyncio.gather(*(self.runner.run(chunk.chunk_id) for chunk in chunks))
        raise AssertionError("There is always something waiting.")

    async def start(self):
        await self.news.start()
        self.desk.start()

    async def close(self):
        await self.runner.close()
        await self.desk.close()
        await self.news.close()
