"""Many callers against a service that is there, and what each of them saw.

    python -m benchmarks.load FOLDER --minutes 5
    python -m benchmarks.load FOLDER --grpc 127.0.0.1:50051 --database sqlite:///data/ocr.db

Makes users with keys of their own, has documents read in all ways for some minutes, and writes
`history.jsonl` into the folder. With `--database` the ledger is read too, and both are judged as
`python -m benchmarks.load.validate FOLDER` does; only a database that nobody else uses fits.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from benchmarks.load.books import Books, read_books
from benchmarks.load.caller import Doors
from benchmarks.load.corpus import corpus
from benchmarks.load.generator import Load, Plan
from benchmarks.load.history import History, Recorder
from benchmarks.load.learning import learn, make_users
from benchmarks.load.validate import findings, told


async def call(arguments: argparse.Namespace) -> None:
    """Make users, learn what documents say, and call."""
    key = (await asyncio.to_thread(arguments.key_file.read_text)).strip()
    doors = Doors(arguments.grpc or ["127.0.0.1:50051"], arguments.http)
    documents = await asyncio.to_thread(lambda: corpus(with_model=arguments.model))
    recorder, prefix = Recorder(arguments.folder), f"load{time.time_ns():x}"
    port = int(doors.grpc[0].rpartition(":")[2])
    users = await make_users(port, key, arguments.callers, prefix)
    await learn(doors, key, documents, recorder)
    seconds = arguments.minutes * 60
    plan = Plan(users, doors, documents, seconds, arguments.rate, arguments.seed, prefix)
    await Load(plan, recorder).run()
    recorder.close()
    if arguments.database:
        (await read_books(arguments.database)).keep(arguments.folder)


def main() -> None:
    """Call, and judge if the ledger can be seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="an empty folder")
    parser.add_argument("--grpc", action="append", help="host:port of a server on this machine")
    parser.add_argument("--http", default="http://127.0.0.1:8080")
    parser.add_argument("--key-file", type=Path, default=Path("data/local.key"))
    parser.add_argument("--database", help="DATABASE_URL of the service")
    parser.add_argument("--model", action="store_true", help="the trial's own model is behind it")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--callers", type=int, default=12)
    parser.add_argument("--rate", type=float, default=3, help="calls a second of all callers")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(call(arguments))
    if arguments.database:
        history, books = History.read(arguments.folder), Books.read(arguments.folder)
        wrong = findings(history, books)
        told(history, books, wrong)
        if wrong:
            sys.exit(1)


if __name__ == "__main__":
    main()
