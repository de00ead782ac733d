"""What a unary call costs with authentication, limits and the ledger, over a bare grpc.aio call.

    python -m benchmarks.calls

Two server processes answer the same method: one has no interceptor at all, the other those of the
product, with an API key, a rate limit in memory, and a row in the ledger (SQLite, fsync on) for
each call. The same client asks them in turn, one call at a time. The run ends with exit code 1 if
the median of the second is more than twice that of the first.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
import grpc.aio
import uvloop

from ocr_grpc.rpc.interceptors.base import CallInterceptor
from ocr_grpc.settings import Settings
from ocr_grpc.telemetry.logs import configure_logs
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.v1 import access_pb2
from ocr_grpc.wiring.accounts import open_accounts
from ocr_grpc.wiring.database import open_database
from ocr_grpc.wiring.metering import open_metering
from ocr_grpc.wiring.services import make_interceptors

METHOD = "/bench.Echo/Call"
ACCESS = {METHOD: access_pb2.Access(audience=access_pb2.AUDIENCE_USERS, scope=access_pb2.SCOPE_OCR)}
KEY_FILE = "local.key"
ROUNDS, CALLS = 10, 500
MOST = 2.0


def handlers() -> grpc.GenericRpcHandler:
    """Return the method that both servers answer."""

    async def answer(request: bytes, _: object) -> bytes:
        return request

    return grpc.method_handlers_generic_handler(
        "bench.Echo", {"Call": grpc.unary_unary_rpc_method_handler(answer)}
    )


async def open_product(
    folder: str, access: Mapping[str, access_pb2.Access], stack: AsyncExitStack
) -> list[CallInterceptor]:
    """Return the interceptors of the product, with a limit that is counted and never reached."""
    settings = Settings(
        _env_file=None, data_dir=folder, bcrypt_cost=4, admin_calls_per_minute=10_000_000
    )
    database = await open_database(settings, stack)
    metering = await open_metering(settings, database, Metrics(), stack)
    accounts = await open_accounts(settings, database, metering.windows, stack)
    return [make_interceptors(metering, accounts, access)]


async def _serve(
    folder: str,
    access: Mapping[str, access_pb2.Access] | None,
    add: Callable[[grpc.aio.Server], None],
    pipe: Connection,
) -> None:
    async with AsyncExitStack() as stack:
        interceptors = [] if access is None else await open_product(folder, access, stack)
        server = grpc.aio.server(interceptors=interceptors)
        add(server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        pipe.send(port)
        await asyncio.to_thread(pipe.recv)
        await server.stop(1)


def be_server(
    folder: str,
    access: Mapping[str, access_pb2.Access] | None,
    add: Callable[[grpc.aio.Server], None],
    pipe: Connection,
) -> None:
    """Be a server process until the other end of the pipe says so.

    Args:
        folder: for what the product keeps.
        access: what its methods ask of callers. None: a bare server, without any interceptor.
        add: adds the methods.
        pipe: is told the port, and says when it is over.
    """
    configure_logs("json", "error")  # what a log costs depends on where it goes
    uvloop.run(_serve(folder, access, add, pipe))


def run(folder: str, kind: str, pipe: Connection) -> None:
    """Be one of the two."""
    access = ACCESS if kind == "product" else None
    be_server(folder, access, lambda server: server.add_generic_rpc_handlers((handlers(),)), pipe)


async def timed_calls(channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> list:
    """Return the seconds of each of some calls, one after the other."""
    call, seconds = channel.unary_unary(METHOD), []
    for _ in range(CALLS):
        began = time.perf_counter()
        await call(b"x" * 100, metadata=metadata)
        seconds.append(time.perf_counter() - began)
    return seconds


async def compare(ports: dict[str, int], key: str) -> float:
    """Return the ratio of the medians."""
    seconds: dict[str, list[float]] = {kind: [] for kind in ports}
    async with AsyncExitStack() as stack:
        channels = {
            kind: await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
            for kind, port in ports.items()
        }
        for number in range(ROUNDS + 1):
            for kind, channel in channels.items():
                measured = await timed_calls(channel, (("x-api-key", key),))
                if number:  # the first round warms up
                    seconds[kind] += measured
    for kind, values in seconds.items():
        cuts = statistics.quantiles(values, n=100)
        print(f"     {kind}: p50 {cuts[49] * 1e6:.0f} µs, p99 {cuts[98] * 1e6:.0f} µs")
    return statistics.median(seconds["product"]) / statistics.median(seconds["bare"])


def main() -> None:
    """Start both servers, compare them, and judge."""
    spawning = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder:
        (Path(folder) / "data").mkdir()
        pipes, processes = {}, []
        for kind in ("bare", "product"):
            pipes[kind], theirs = spawning.Pipe()
            process = spawning.Process(target=run, args=(f"{folder}/data", kind, theirs))
            process.start()
            processes.append(process)
        ports = {kind: pipe.recv() for kind, pipe in pipes.items()}
        key = (Path(folder) / "data" / KEY_FILE).read_text().strip()
        ratio = uvloop.run(compare(ports, key))
        for pipe in pipes.values():
            pipe.send("stop")
        for process in processes:
            process.join()
    good = ratio <= MOST
    print(
        f"{'ok  ' if good else 'MISS'} authentication, limits and ledger over a bare call, p50: "
        f"{ratio:.2f}  (bound: <= {MOST})"
    )
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
