"""What each process of a service holds in memory, and what a row of the ledger takes on disk.

    python -m benchmarks.sizes

A service with its defaults, Envoy included, reads a scan, a PDF with text and HTML; then each
process is asked for its proportional share of memory (PSS): what processes share is divided among
them. A thousand calls then show how far the database grows by a row.
"""

import asyncio
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import grpc.aio
import psutil

from benchmarks.documents import image_document, text_document
from benchmarks.served import launched
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

MIB = 2**20
HTML = b"<!DOCTYPE html><title>A page</title>" + b"<p>One line of a long page.</p>" * 3000
CALLS = 1000
ROLES = {
    "ocr_grpc.engines.worker": "an engine worker",
    "ocr_grpc.documents.child": "a document reader",
    "envoy": "Envoy",
}


def role_of(process: psutil.Process) -> str:
    """Return what a process is."""
    line = " ".join(process.cmdline())
    return next((role for word, role in ROLES.items() if word in line), "serve")


def shares(serve: psutil.Process) -> dict[str, list[float]]:
    """Return the MiB of all processes of each role."""
    found: dict[str, list[float]] = defaultdict(list)
    for process in [serve, *serve.children(recursive=True)]:
        found[role_of(process)].append(process.memory_full_info().pss / MIB)
    return found


async def read(address: str, key: str) -> None:
    """Have some documents read."""
    metadata = (("x-api-key", key),)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = OcrServiceStub(channel)
        for content in (image_document(["report"] * 4, 150), text_document(50), HTML):
            await stub.Extract(pb.ExtractRequest(content=content), metadata=metadata)


async def call(address: str, key: str) -> None:
    """Make calls that have a row each and read nothing."""
    metadata = (("x-api-key", key),)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = OcrServiceStub(channel)
        content = text_document(1)
        for _ in range(CALLS):
            await stub.Inspect(pb.InspectRequest(content=content), metadata=metadata)


def database_bytes(data_dir: Path) -> int:
    """Return the size of the database, its log written back."""
    with closing(sqlite3.connect(data_dir / "ocr.db")) as database:
        (busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise RuntimeError("The log of the database could not be written back.")
    return (data_dir / "ocr.db").stat().st_size


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder:
        data_dir = Path(folder) / "data"
        settings = {"auth_enabled": "true", "http_enabled": "true", "http_port": 0}
        with launched(data_dir, **settings) as (process, address):
            key = (data_dir / "local.key").read_text().strip()
            asyncio.run(read(address, key))
            for role, sizes in shares(psutil.Process(process.pid)).items():
                print(f"{role}: {len(sizes)} of {min(sizes):.0f} to {max(sizes):.0f} MiB")
            before = database_bytes(data_dir)
            asyncio.run(call(address, key))
        row_bytes = (database_bytes(data_dir) - before) / CALLS
        print(f"a row of the ledger, its indexes included: {row_bytes:.0f} bytes")


if __name__ == "__main__":
    main()
