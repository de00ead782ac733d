"""Kills the server again and again while it reads, and looks at what the ledger says afterwards.

    python -m benchmarks.kills              200 kills (some 15 minutes)
    python -m benchmarks.kills --kills 10

Each time three callers have documents read (null engine, fsync on), each under a request id, until
`kill -9` at a random moment. After the restart: pages a caller saw end <= pages charged <= pages
seen plus those in flight; the same requests again charge what is missing and not one page more;
nothing is reserved any more, and the quota says what the rows say. Else the exit code is 1.
"""

import argparse
import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from benchmarks.documents import image_document
from benchmarks.served import launched
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

PAGES, CALLERS = 24, 3
IN_FLIGHT = 4
"""Pages of one extraction under way together (`PAGES_AT_ONCE`)."""

LONGEST_SECONDS = 1.5
"""When the server is killed at the latest, counted from the calls."""

FORCE_OCR = options_pb2.ExtractOptions(mode=options_pb2.MODE_FORCE_OCR)


@dataclass
class Reading:
    """One request, and what its caller saw of it before the kill."""

    request_id: str
    seen: set[int] = field(default_factory=set)

    async def read(self, address: str, key: str, content: bytes, call_id: str) -> None:
        """Have the document read, for as long as there is a server."""
        request = pb.StreamExtractRequest(
            content=content, options=FORCE_OCR, request_id=self.request_id
        )
        metadata = (("x-api-key", key), ("x-request-id", call_id))
        with suppress(grpc.aio.AioRpcError):
            async with grpc.aio.insecure_channel(address) as channel:
                async for event in OcrServiceStub(channel).StreamExtract(
                    request, metadata=metadata, timeout=60
                ):
                    if event.HasField("page_finished"):
                        self.seen.add(event.page_finished.page_number)


class Books:
    """The ledger, read past the server."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "ocr.db"

    def number(self, query: str, *values: str) -> int:
        """Return the one number that a query gives, 0 if none."""
        with closing(sqlite3.connect(self._path, timeout=10)) as connection:
            return connection.execute(query, values).fetchone()[0] or 0

    def charged(self, call_id: str) -> int:
        """Return the pages charged under a call."""
        return self.number("SELECT sum(pages) FROM usage WHERE call_id = ?", call_id)


class Trial:
    """Many kills on one folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._data_dir = folder / "data"
        self._dice = random.Random(seed)
        self._content = image_document(["invoice-en"] * PAGES, 50)
        self._books = Books(self._data_dir)
        self.wrong: list[str] = []
        self.seen = self.charged = self.cut = 0

    async def run(self, kills: int) -> None:
        """Kill the server so many times, and look at the books after each restart."""
        torn: list[Reading] = []
        for number in range(kills + 1):
            with self._server() as (process, address, key):
                if torn:
                    await self._repeat(torn, number - 1, address, key)
                if number == kills:
                    break
                torn = [Reading(f"request-{number}-{each}") for each in range(CALLERS)]
                reading = [
                    asyncio.create_task(
                        each.read(address, key, self._content, f"first-{each.request_id}")
                    )
                    for each in torn
                ]
                await asyncio.sleep(self._dice.uniform(0, LONGEST_SECONDS))
                process.send_signal(signal.SIGKILL)
                await asyncio.gather(*reading)
            if number % 10 == 9:
                print(f"     {number + 1} kills, {len(self.wrong)} surprises", flush=True)

    @contextmanager
    def _server(self) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
        with launched(self._data_dir, engine="null", auth_enabled="true", bcrypt_cost=4) as (
            process,
            address,
        ):
            yield process, address, (self._data_dir / "local.key").read_text().strip()

    async def _repeat(self, torn: list[Reading], number: int, address: str, key: str) -> None:
        """Check what the kill left, ask for the same again, and check that too."""
        self._expect(number, "open rows", 0, "SELECT count(*) FROM usage WHERE status = 'OPEN'")
        for reading in torn:
            first = self._books.charged(f"first-{reading.request_id}")
            seen = len(reading.seen)
            self.seen, self.charged = self.seen + seen, self.charged + first
            self.cut += 0 < seen < PAGES
            if not seen <= first <= seen + IN_FLIGHT:
                self.wrong.append(f"kill {number}: {seen} pages seen, {first} charged")
            again = Reading(reading.request_id)
            await again.read(address, key, self._content, f"again-{reading.request_id}")
            total = first + self._books.charged(f"again-{reading.request_id}")
            if len(again.seen) != PAGES or total != PAGES:
                self.wrong.append(
                    f"kill {number}: {len(again.seen)} pages seen and {total} charged in all, "
                    f"of {PAGES}"
                )
        self._expect(number, "reserved pages", 0, "SELECT sum(reserved_pages) FROM quotas")
        paid = self._books.number("SELECT sum(pages) FROM usage")
        owners = "SELECT quota_owner_id FROM usage"
        used = f"SELECT sum(used_pages) FROM quotas WHERE owner_id IN ({owners})"
        self._expect(number, "pages in the quota", paid, used)

    def _expect(self, number: int, what: str, wanted: int, query: str) -> None:
        found = self._books.number(query)
        if found != wanted:
            self.wrong.append(f"kill {number}: {found} {what}, not {wanted}")


async def kill_often(kills: int, seed: int) -> Trial:
    """Run a trial in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="ocr-kills-") as folder:
        trial = Trial(Path(folder), seed)
        await trial.run(kills)
        return trial


def main() -> None:
    """Kill, look, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    trial = asyncio.run(kill_often(arguments.kills, arguments.seed))
    print(
        f"     {arguments.kills} kills: {trial.seen} pages seen, {trial.charged} charged before "
        f"the kills, {trial.cut} documents cut in the middle"
    )
    for line in trial.wrong:
        print(f"MISS {line}")
    if trial.wrong:
        sys.exit(1)
    print("ok   every page seen is charged, none twice, and nothing stays reserved")


if __name__ == "__main__":
    main()
