"""Runs cases against a server of their own, several at once, and looks at what is left of it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import psutil

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.fuzz.cases import Case, Cases
from tests.fuzz.good_documents import good
from tests.fuzz.sending import send
from tests.fuzz.traces import Watch, roles, settled
from tests.fuzz.verdict import Documented, Ended
from tests.processes import serve

AT_ONCE = 6
READERS = OFFICE_READERS = 2
MIB = 2**20
READER_MEMORY = 2048 * MIB
SERVER_GROWTH = 512 * MIB
"""Documents inside messages are held in memory, twice; that many calls at once have that much."""

SETTINGS = {
    "READERS": READERS, "OFFICE_READERS": OFFICE_READERS, "ENGINE_WORKERS": 1,
    "OPEN_TIMEOUT_SECONDS": 5, "RENDER_TIMEOUT_SECONDS": 5, "DOCUMENT_TIMEOUT_SECONDS": 20,
    "READER_MEMORY_BYTES": READER_MEMORY, "MAX_ARCHIVE_BYTES": 256 * MIB, "MAX_PAGES": 5000,
    "MAX_DOCUMENT_BYTES": 128 * MIB, "LOG_LEVEL": "info",
}  # fmt: skip
"""Low limits, so that what runs into them does so soon."""


@dataclass
class Served:
    """A server under attack, its process and where it keeps things."""

    process: psutil.Process
    address: str
    folder: Path
    temporary: Path

    def errors_logged(self) -> list[str]:
        """Return what the server logged as errors: each is a bug."""
        found = []
        for line in (self.folder / "serve.log").read_text(errors="replace").splitlines():
            level = json.loads(line).get("level") if line.startswith("{") else ""
            if level in ("error", "critical") or line.startswith("Traceback"):
                found.append(f"logged: {line[:500]}")
        return found


@dataclass
class Result:
    """What came of all cases: how each ended, and what is wrong with the server itself."""

    ended: list[tuple[Case, Ended]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    watch: Watch | None = None

    @property
    def bad(self) -> list[tuple[Case, Ended]]:
        """Return the cases that ended as none should."""
        return [(case, ended) for case, ended in self.ended if ended.problems]


@contextmanager
def attacked(folder: Path, **settings: object) -> Iterator[Served]:
    """Run a server with a folder for temporary files of its own."""
    temporary = folder / "temporary"
    temporary.mkdir()
    values = {name: str(value) for name, value in (SETTINGS | settings).items()}
    with serve(folder, TMPDIR=str(temporary), **values) as (process, address):
        yield Served(psutil.Process(process.pid), address, folder, temporary)


async def attack(
    served: Served, cases: Cases, indexes: Iterable[int], seen: Callable[[Case, Ended], None]
) -> Result:
    """Send the cases, `AT_ONCE` at a time; `seen` is told of each as it ends."""
    result, documented, waiting = Result(), Documented(), iter(indexes)
    wanted = roles(served.process)
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_metadata_size", 64 * 1024)]
    with Watch(served.process) as watch:
        async with grpc.aio.insecure_channel(served.address, options=options) as channel:
            stub = OcrServiceStub(channel)

            async def worker() -> None:
                for index in waiting:
                    case = await asyncio.to_thread(cases.case, index)
                    ended = await send(stub, case)
                    documented.judge(ended)
                    seen(case, ended)
                    # The bytes are made again if anybody wants them.
                    result.ended.append((Case(**vars(case) | {"content": b""}), ended))
                    if not served.process.is_running():
                        return

            await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
            result.problems += await _alive(served, stub)
        result.watch = watch
        if not result.problems:
            folders = [served.temporary, served.folder / "data" / "spool"]
            result.problems += settled(served.process, watch, wanted, folders)
            result.problems += served.errors_logged() + _too_much(watch)
    return result


async def _alive(served: Served, stub: OcrServiceStub) -> list[str]:
    """Return what is wrong with a server that should still answer."""
    if not served.process.is_running() or served.process.status() == psutil.STATUS_ZOMBIE:
        return ["the server died"]
    for name in ("pdf", "png", "docx", "xlsx"):
        try:
            answer = await stub.Extract(pb.ExtractRequest(content=good(name)), timeout=60)
        except grpc.aio.AioRpcError as error:
            return [f"the server does not read a good {name} any more: {error.details()}"]
        if not answer.text:
            return [f"the server finds no text in a good {name} any more"]
    return []


def _too_much(watch: Watch) -> list[str]:
    problems = []
    if watch.peak_child_bytes > READER_MEMORY:
        problems.append(f"a child had {watch.peak_child_bytes / MIB:.0f} MiB")
    if watch.server_growth_bytes > SERVER_GROWTH:
        problems.append(f"the server grew by {watch.server_growth_bytes / MIB:.0f} MiB")
    return problems
