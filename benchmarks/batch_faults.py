"""Kills, stops and cuts off what works on batches, and looks whether anything got lost.

    python -m benchmarks.batch_faults               100 faults (some 20 minutes)
    python -m benchmarks.batch_faults --kills 20 --seed 4

Half of the faults hit one `serve` on SQLite, half two `serve` and three `worker` on PostgreSQL: a
process is killed (kill -9, started again at once), stopped for longer than its lease, or loses a
connection to the database, while batches of 60 documents and 600 pages are read, one after the
other. Whoever watches goes on after the last event at whichever server is there. In the end every
batch must be finished; every page must be there once, in the events, in the archive and in the
ledger; the events must have no gap; and somebody must have gone on in time. Else the exit code
is 1.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.batch_books import PostgresqlBooks, SqliteBooks
from benchmarks.batch_parts import QUIET, Member, Settings, admin_key, caller, free_port
from benchmarks.batch_trial import BATCH_SECONDS, Shape, Trial
from benchmarks.databases import migrated, postgresql

MOST_EMBEDDED_SECONDS, MOST_TAKEOVER_SECONDS = 10.0, 30.0

WHOLE = Shape()
SMALL = Shape(
    mix=((4, 1), (6, 4), (3, 10), (2, 25)), between=(4, 30), restart_workers=False, lease_seconds=3
)


@asynccontextmanager
async def embedded(folder: Path, shape: Shape, seed: int) -> AsyncIterator[Trial]:
    """Yield a trial on one server with SQLite."""
    port = free_port()
    settings = QUIET | {"data_dir": folder / "data", "grpc_port": port}
    settings["batch_takeover_seconds"] = shape.lease_seconds
    member = Member(["serve", "--no-http"], settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(member.stop)
        await member.start()
        link = await stack.enter_async_context(caller([port], await admin_key(port)))
        books = SqliteBooks(folder / "data" / "ocr.db", MOST_EMBEDDED_SECONDS)
        yield Trial("SQLite", shape, [member], books, link, random.Random(seed))


@asynccontextmanager
async def distributed(
    folder: Path, database_url: str, shape: Shape, seed: int, servers: int = 2, workers: int = 3
) -> AsyncIterator[Trial]:
    """Yield a trial on some servers and workers with PostgreSQL."""
    ports = [free_port() for _ in range(servers)]
    shared: Settings = QUIET | {
        "database_url": database_url,
        "secret_key": "benchmarks " * 6,
        "blob_url": (folder / "blobs").as_uri(),
        "batches_in_serve": "false",
        "batch_takeover_seconds": shape.lease_seconds,
    }
    (folder / "blobs").mkdir()
    await migrated(database_url)
    members = [
        Member(["serve", "--no-http"], shared | {"data_dir": folder / f"{port}", "grpc_port": port})
        for port in ports
    ]
    members += [
        Member(["worker"], shared | {"data_dir": folder / f"worker-{number}"})
        for number in range(workers)
    ]
    async with AsyncExitStack() as stack:
        books = await stack.enter_async_context(
            PostgresqlBooks.opened(database_url, MOST_TAKEOVER_SECONDS)
        )
        for member in members:  # one by one, so that it is known who is who
            stack.push_async_callback(member.stop)
            await member.start()
            if member.kind == "worker":
                await books.learn(member)
        link = await stack.enter_async_context(caller(ports, await admin_key(ports[0])))
        yield Trial("PostgreSQL", shape, members, books, link, random.Random(seed))


def told(trial: Trial) -> None:
    """Print what a trial saw."""
    hit = ", ".join(f"{count} × {kind}" for kind, count in sorted(trial.faults.items()))
    print(f"     {trial.name}: {len(trial.batches)} batches, {trial.pages} pages; {hit}")
    for kind, seconds in sorted(trial.slowest.items()):
        print(f"     {trial.name}: went on after `{kind}` within {seconds:.1f} s at most")
    start = max(each.slowest_start_seconds for each in trial.members)
    print(f"     {trial.name}: a process took {start:.1f} s at most to start")
    for line in trial.wrong:
        print(f"MISS {trial.name}: {line}")
    if not trial.wrong:
        print(f"ok   {trial.name}: every page once in events, archive and ledger, no gap")


async def few_faults(folder: Path, database_url: str, kills: int = 1) -> list[Trial]:
    """Run a short version, for a test: some kills on SQLite, a stop and a kill on PostgreSQL.

    How long anybody took is not judged: a test may run on a slow machine.
    """
    (folder / "one").mkdir()
    (folder / "many").mkdir()
    async with embedded(folder / "one", SMALL, 1) as alone:
        alone.books.faults, alone.books.most_seconds = ["kill serve"], BATCH_SECONDS
        await alone.run(kills)
    async with distributed(folder / "many", database_url, SMALL, 1, 1, 2) as shared:
        shared.books.most_seconds = BATCH_SECONDS
        for fault in ("stop worker", "kill worker"):
            shared.books.faults = [fault]
            await shared.run(1)
    return [alone, shared]


async def many_faults(kills: int, seed: int, only: str) -> bool:
    """Run all of it and return whether nothing got lost."""
    trials: list[Trial] = []
    if only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="ocr-") as name:
            async with embedded(Path(name), WHOLE, seed) as trial:
                await trial.run(kills if only else kills // 2)
            trials.append(trial)
            told(trial)
    if only != "sqlite":
        with tempfile.TemporaryDirectory(prefix="ocr-") as name, postgresql() as url:
            async with distributed(Path(name), url, WHOLE, seed) as trial:
                await trial.run(kills if only else kills - kills // 2)
            trials.append(trial)
            told(trial)
    return not any(trial.wrong for trial in trials)


def main() -> None:
    """Break, look, and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="faults in all, default 100")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", choices=["", "sqlite", "postgresql"])
    arguments = parser.parse_args()
    if not asyncio.run(many_faults(arguments.kills, arguments.seed, arguments.only)):
        sys.exit(1)


if __name__ == "__main__":
    main()
