"""What the HTTP door costs, measured on a real server process and its Envoy.

    python -m benchmarks.http            all parts
    python -m benchmarks.http --only events,upload

Each part prints its figures with the bound they are held to, and the run ends with exit code 1 if
one was missed. Times on a shared machine wander; what is compared is measured in turns.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.documents import image_document, large_document, small_image, text_document
from benchmarks.served import PeakMemory, Served, timed
from benchmarks.service import missed, report, request
from ocr_grpc.cores import cores
from ocr_grpc.v1 import ocr_service_pb2 as pb

MIB = 2**20
UPLOAD = "/v1/ocr:upload"
ROUNDS = 200


@dataclass(frozen=True)
class Door(Served):
    """A server process, and its HTTP door."""

    url: str

    def client(self) -> httpx.AsyncClient:
        """Return a client with a connection of its own for each call under way."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx.AsyncClient(base_url=self.url, timeout=600, limits=limits, trust_env=False)

    def envoy(self) -> psutil.Process:
        """Return the process of Envoy."""
        return next(child for child in self.process.children() if child.name() == "envoy")


@contextmanager
def door(**settings: object) -> Iterator[Door]:
    """Run a server with HTTP on a folder of its own until the block is left."""
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder:
        environment = {"GRPC_PORT": "0", "HTTP_PORT": "0", "METRICS_PORT": "0"}
        environment |= {"LOG_LEVEL": "error", "AUTH_ENABLED": "false"}
        environment |= {"ANONYMOUS_CALLS_PER_MINUTE": "0", "DATA_DIR": str(Path(folder, "data"))}
        environment |= {"RESULT_CACHE_BYTES": "0"}  # what is sent again is to be read again
        environment |= {name.upper(): str(value) for name, value in settings.items()}
        process = subprocess.Popen(
            [Path(sys.executable).parent / "ocr-grpc", "serve"],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            said = dict(word.split("=", 1) for word in process.stdout.readline().split()[1:3])
            yield Door(psutil.Process(process.pid), said["grpc"], said["http"])
        finally:
            process.terminate()
            process.communicate(timeout=60)


async def lines(client: httpx.AsyncClient, content: Any) -> AsyncIterator[str]:
    """Upload a document and yield the lines of the answer as they come."""
    async with client.stream("POST", UPLOAD, content=content) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            yield line


async def first_line_seconds(client: httpx.AsyncClient, content: bytes) -> float:
    """Return when the first event of an extraction came over HTTP."""
    began, first = time.perf_counter(), 0.0
    async for _ in lines(client, content):
        first = first or time.perf_counter() - began
    return first


async def events(server: Door) -> None:
    """Measure how much later the first event comes over HTTP than over gRPC itself."""
    content = small_image()
    asked = pb.StreamExtractRequest(content=content)
    seconds: dict[str, list[float]] = {"gRPC": [], "NDJSON": []}
    async with server.stub() as stub, server.client() as client:
        for _ in range(ROUNDS + 10):
            direct = await timed(stub.StreamExtract(asked))
            seconds["gRPC"].append(direct.events[0][0])
            seconds["NDJSON"].append(await first_line_seconds(client, content))
    cuts = {name: statistics.quantiles(each[10:], n=100) for name, each in seconds.items()}
    for name, each in cuts.items():
        print(f"     first event, {name}: p50 {each[49] * 1e3:.1f} ms, p99 {each[98] * 1e3:.1f} ms")
    # All of the time to the first event over HTTP, less what the service itself needs for it.
    late = cuts["NDJSON"][98] - cuts["gRPC"][49]
    report("first event over HTTP, p99, later by", f"{late * 1e3:.1f} ms", late < 0.05, "< 50 ms")


async def upload(server: Door) -> None:
    """Measure what 200 MiB through the door do to the memory of both processes."""
    async with server.client() as client:
        async for _ in lines(client, large_document(1)):
            pass
        with PeakMemory(server.process) as service, PeakMemory(server.envoy()) as envoy:
            *_, last = [line async for line in lines(client, large_document(200))]
    assert '"pages_ok":1' in last, last
    both = service.growth_mib + envoy.growth_mib
    print(f"     the service grew by {service.growth_mib:.1f} MiB, Envoy by {envoy.growth_mib:.1f}")
    report("growth of both by 200 MiB", f"{both:.1f} MiB", both < 64, "< 64")


async def grpc_seconds(server: Door, documents: list[bytes], forced: bool) -> float:
    """Return the seconds that documents take over gRPC, as many at once as keep it busy."""
    async with server.stub() as stub:

        async def read(content: bytes) -> None:
            asked = request(content) if forced else pb.StreamExtractRequest(content=content)
            assert (await timed(stub.StreamExtract(asked))).last().HasField("finished")

        return await seconds_of(read, documents)


async def rest_seconds(server: Door, documents: list[bytes], forced: bool) -> float:
    """Return the same over REST, by curl: a client in Python costs more than the door."""
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder:
        files = {content: Path(folder, str(number)) for number, content in enumerate({*documents})}
        for content, file in files.items():
            file.write_bytes(content)
        url = f"{server.url}{UPLOAD}" + ("?options.mode=MODE_FORCE_OCR" if forced else "")

        async def read(content: bytes) -> None:
            curl = await asyncio.create_subprocess_exec(
                *("curl", "--silent", "--fail", "--data-binary", f"@{files[content]}", url),
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await curl.communicate()
            assert b'"finished":' in said[-1000:], said[-1000:]

        return await seconds_of(read, documents)


async def seconds_of(
    read: Callable[[bytes], Coroutine[Any, Any, None]], documents: list[bytes]
) -> float:
    """Return the seconds that reading all of them takes."""
    gate = asyncio.Semaphore(2 * cores())

    async def one(content: bytes) -> None:
        async with gate:
            await read(content)

    began = time.perf_counter()
    await asyncio.gather(*map(one, documents))
    return time.perf_counter() - began


async def throughput(server: Door) -> None:
    """Compare pages/s over REST with those over gRPC, of text layers and of the engine."""
    images = [image_document([name], 150) for name in ("report", "prose-de-11pt", "dense")]
    for kind, documents, pages in (
        ("images", images * (2 * cores()), len(images) * 2 * cores()),
        ("text layers", [text_document(50)] * 24, 50 * 24),
    ):
        forced = kind == "images"
        for warm_up in (rest_seconds, grpc_seconds):
            await warm_up(server, documents[:4], forced)
        ratios: list[float] = []
        for number in range(5):
            runs = {"gRPC": grpc_seconds, "REST": rest_seconds}
            order = sorted(runs, reverse=bool(number % 2))  # neither is always second
            speed = {name: pages / await runs[name](server, documents, forced) for name in order}
            print(
                f"     {kind}: " + ", ".join(f"{speed[name]:.1f} pages/s {name}" for name in runs)
            )
            ratios.append(speed["REST"] / speed["gRPC"])
        ratio = statistics.median(ratios)
        report(f"pages/s of {kind}, REST over gRPC", f"{ratio:.2f}", ratio >= 0.95, ">= 0.95")


async def revival(server: Door) -> None:
    """Kill Envoy and measure when the door answers again."""
    seconds: list[float] = []
    async with server.client() as client:
        for _ in range(5):
            await asyncio.sleep(1.5)  # else it is taken for one that fails at its start
            server.envoy().kill()
            began = time.perf_counter()
            while True:
                try:
                    (await client.get("/v1/ocr/capabilities")).raise_for_status()
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.005)
            seconds.append(time.perf_counter() - began)
    longest = max(seconds)
    print(f"     back after {', '.join(f'{each:.2f}' for each in seconds)} s")
    report("a killed Envoy answers again after at most", f"{longest:.2f} s", longest < 2, "< 2 s")


PARTS: dict[str, tuple[Callable[[Door], Coroutine[Any, Any, None]], dict[str, object]]] = {
    "events": (events, {"engine": "null"}),
    "upload": (upload, {"engine": "null"}),
    "throughput": (throughput, {}),
    "revival": (revival, {"engine": "null"}),
}


def main() -> None:
    """Run the parts asked for, each on a fresh server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    for name in parser.parse_args().only.split(","):
        print(f"\n## {name}", flush=True)
        part, settings = PARTS[name]
        with door(**settings) as server:
            asyncio.run(part(server))
    if missed:
        sys.exit("Missed: " + "; ".join(missed))


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
