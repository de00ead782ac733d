"""Batches that are read while things break, and what is wrong with them afterwards."""

import asyncio
import io
import json
import random
import time
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.batch_books import Books
from benchmarks.batch_parts import Member, scans, texts
from ocr_grpc.commands.batch_link import BatchLink
from ocr_grpc.commands.batch_watching import events
from ocr_grpc.v1 import batch_pb2, options_pb2, page_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

LEASE_SECONDS = 15
MANIFEST = "manifest.json"
"""What an archive holds beside the results."""

LATE_SECONDS = 0.05
"""Events of the last moment before a fault do not say that anybody goes on."""

BATCH_SECONDS = 600.0
QUIET_SECONDS = 90.0
"""How long what killed servers left open in the ledger may take to be closed by others."""


@dataclass(frozen=True)
class Shape:
    """How large a trial is.

    Attributes:
        mix: how many documents of how many pages a batch has.
        between: the least and the most pages that end between two faults.
        patience: the least and the most seconds that this is waited for.
        restart_workers: whether a worker that was killed is started again.
        lease_seconds: what the processes are told; a stop lasts three seconds longer.
    """

    mix: Sequence[tuple[int, int]] = ((8, 1), (18, 4), (22, 10), (12, 25))
    between: tuple[int, int] = (40, 200)
    patience: tuple[float, float] = (15, 40)
    restart_workers: bool = True
    lease_seconds: int = LEASE_SECONDS

    @property
    def page_counts(self) -> list[int]:
        """How many pages each document has."""
        return [pages for documents, pages in self.mix for _ in range(documents)]


@dataclass
class Trial:
    """Batches that are read while things break."""

    name: str
    shape: Shape
    members: list[Member]
    books: Books
    link: BatchLink
    dice: random.Random
    faults: Counter[str] = field(default_factory=Counter)
    batches: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    pages: int = 0
    stuck: bool = False
    """Whether a batch did not end: there is nothing more to see then."""
    slowest: dict[str, float] = field(default_factory=dict)
    """The longest time until work went on, by what had happened."""
    _broken_since: float | None = None
    _last_fault: float = 0.0
    _fresh: int = 0
    """Pages that ended since the last fault."""

    async def run(self, kills: int) -> None:
        """Break so many things, and look at the books afterwards."""
        before = self.faults.total()
        breaking = asyncio.create_task(self._break(before + kills))
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                while not breaking.done() and not self.stuck:
                    await self._batch()
                if not breaking.done():
                    breaking.cancel()
        finally:
            await asyncio.gather(breaking, return_exceptions=True)
        if not breaking.cancelled():
            breaking.result()
        await self._look_at_the_books()

    async def _break(self, total: int) -> None:
        while self.faults.total() < total:
            await self._some_pages()
            await asyncio.sleep(self.dice.uniform(0, 0.3))
            await self._fault()
            if self.faults.total() % 10 == 0:
                print(
                    f"     {self.name}: {self.faults.total()} faults, {self.pages} pages, "
                    f"{len(self.wrong)} surprises",
                    flush=True,
                )

    async def _some_pages(self) -> None:
        """Wait until some more pages ended: with fewer the same page would be hit again and again,
        and be given up, as it ought to be. Not for ever: faults may hit those who take over.
        """
        if self.books.embedded:
            await self.members[0].ready.wait()
        self._fresh = 0
        wanted = self.dice.randint(*self.shape.between)
        patience = time.monotonic() + self.dice.uniform(*self.shape.patience)
        while self._fresh < wanted and time.monotonic() < patience:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def _fault(self) -> None:
        kind = self.dice.choice(self.books.faults)
        if kind == "lost connection":
            await self.books.cut_off(self.dice)
            self.faults[kind] += 1
            return
        word, _, whom = kind.partition(" ")
        able = [each for each in self.members if each.kind == whom and not each.paused]
        able = [each for each in able if each.ready.is_set()]
        # One at a time is stopped, so that there is somebody to take over.
        if not able or (word == "stop" and any(each.paused for each in self.members)):
            await asyncio.sleep(0.2)
            return
        member, held = self.dice.choice(able), set[tuple[int, int]]()
        if worker_id := self.books.worker_of(member):
            held = await self.books.held_by(worker_id)
        self.faults[kind] += 1
        self._last_fault = time.time()
        if word == "kill":
            await member.kill(again=whom == "serve" or self.shape.restart_workers)
            self._broken_since = self._broken_since or time.time()
            if worker_id and self.shape.restart_workers:
                self._group.create_task(self.books.learn(member))
        else:
            self._group.create_task(member.pause(self.shape.lease_seconds + 3))
        if held:
            self._group.create_task(self._time_takeover(kind, held))

    async def _time_takeover(self, kind: str, held: set[tuple[int, int]]) -> None:
        """Note how long it took until the last of some chunks was in other hands, or done."""
        began = time.monotonic()
        while held and time.monotonic() - began < 2 * self.books.most_seconds:
            await asyncio.sleep(0.25)
            held &= await self.books.running()
        self._note(kind, time.monotonic() - began)

    def _note(self, kind: str, seconds: float) -> None:
        self.slowest[kind] = max(seconds, self.slowest.get(kind, 0.0))
        if seconds > self.books.most_seconds:
            self.wrong.append(f"{kind}: nobody went on for {seconds:.1f} s")

    async def _batch(self) -> None:
        """Have one batch read and check all that is to be seen of it."""
        number = len(self.batches)
        request = self._request(f"batch-{number}")
        create = self.link.batches.CreateBatch
        batch = (await self.link.ask(create, request, seconds=60)).batch
        self.batches.append(batch.batch_id)
        seen: list[pb.WatchBatchResponse] = []
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                async for event in events(self.link, batch.batch_id):
                    seen.append(event)
                    self._saw(event)
        except TimeoutError:
            self.stuck, states = True, await self.books.chunk_states()
            self.wrong.append(f"batch {number} did not end; its chunks: {states}")
            return
        again = (await self.link.ask(create, request, seconds=60)).batch
        if again.batch_id != batch.batch_id:
            self.wrong.append(f"batch {number} was made twice")
        self.wrong += [f"batch {number}: {each}" for each in wrong_in(seen, self.shape)]
        self.wrong += [f"batch {number}: {each}" async for each in self._wrong_in_results(again)]

    def _saw(self, event: pb.WatchBatchResponse) -> None:
        is_page = event.HasField("page_finished")
        self.pages += is_page
        at = event.create_time.ToMicroseconds() / 1e6
        if at < self._last_fault + LATE_SECONDS:
            return  # it happened before, and comes late, after a reconnect
        self._fresh += is_page
        if since := self._broken_since:
            self._broken_since = None
            if self.books.embedded:
                self._note("kill serve", time.time() - since)

    def _request(self, request_id: str) -> pb.CreateBatchRequest:
        """Return a batch, one half images, one half text, every document inside the request."""
        documents = [
            pb.NewBatchDocument(
                content=scans(pages) if number % 2 else texts(pages),
                file_name=f"{number:02}-{pages}.pdf",
                options=options_pb2.ExtractOptions(
                    mode=options_pb2.MODE_FORCE_OCR if number % 2 else options_pb2.MODE_AUTO
                ),
            )
            for number, pages in enumerate(self.shape.page_counts)
        ]
        return pb.CreateBatchRequest(documents=documents, request_id=request_id)

    async def _wrong_in_results(self, batch: batch_pb2.Batch) -> AsyncIterator[str]:
        """Yield what is wrong with a batch that is over and with its archive."""
        whole = sum(self.shape.page_counts)
        if batch.state != batch_pb2.BATCH_STATE_FINISHED or batch.usage.pages != whole:
            yield f"state {batch.state}, {batch.usage.pages} pages charged of {whole}"
        content = await self._archive(batch.batch_id)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            pages = [
                [page["page_number"] for page in json.loads(archive.read(name))["pages"]]
                for name in sorted(set(archive.namelist()) - {MANIFEST})
            ]
        if pages != [list(range(1, count + 1)) for count in self.shape.page_counts]:
            yield f"{sum(map(len, pages))} pages in {len(pages)} files of the archive"

    async def _archive(self, batch_id: str) -> bytes:
        """Return the archive of a batch, though servers may be killed while it comes."""
        request = pb.DownloadBatchRequest(batch_id=batch_id, format=pb.RESULT_FORMAT_JSON)

        async def fetched(request: pb.DownloadBatchRequest, **call: object) -> bytes:
            answer = self.link.batches.DownloadBatch(request, **call)
            return b"".join([piece.content.data async for piece in answer])

        return await self.link.ask(fetched, request, seconds=60)

    async def _look_at_the_books(self) -> None:
        """Wait until what was left open is closed, then compare pages with what they cost."""
        patience = time.monotonic() + QUIET_SECONDS
        while left := await self.books.left_open():
            if time.monotonic() > patience:
                break
            await asyncio.sleep(0.5)
        if left:
            self.wrong.append(f"left open: {left}")
        wanted = len(self.batches) * sum(self.shape.page_counts)
        found = await self.books.charged()
        if set(found) != {wanted}:
            self.wrong.append(f"{wanted} pages read, in the ledger and the quota: {found}")


def wrong_in(seen: Sequence[pb.WatchBatchResponse], shape: Shape) -> Iterator[str]:
    """Yield what is wrong with the events of a batch, as a watcher saw them."""
    sequences = [event.sequence for event in seen]
    if sequences != list(range(1, len(seen) + 1)):
        yield f"sequence numbers with gaps or repeated: {sequences}"
    kinds = Counter(event.WhichOneof("event") for event in seen)
    documents, whole = len(shape.page_counts), sum(shape.page_counts)
    wanted = {"document_started": documents, "page_finished": whole}
    wanted |= {"document_finished": documents, "finished": 1}
    if kinds != wanted:
        yield f"events: {dict(kinds)}"
    pages = Counter(
        (event.page_finished.document_id, event.page_finished.page_number)
        for event in seen
        if event.HasField("page_finished")
    )
    if len(pages) != whole or set(pages.values()) != {1}:
        yield f"{len(pages)} pages ended {pages.total()} times"
    bad = Counter(
        event.page_finished.reason
        for event in seen
        if event.HasField("page_finished")
        and event.page_finished.outcome != page_pb2.PAGE_OUTCOME_OK
    )
    if bad:
        yield f"pages that were not read: {dict(bad)}"
    last = seen[-1].progress if seen else batch_pb2.BatchProgress()
    if (last.pages_ok, last.documents_finished) != (whole, documents):
        yield f"at the end {last.pages_ok} pages and {last.documents_finished} documents"
