"""A sidecar of the tests' own, before whatever servers they name."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.sidecar.descriptors import descriptor_set
from ocr_grpc.sidecar.envoy import find_envoy
from ocr_grpc.sidecar.plan import HttpLimits, SidecarPlan
from ocr_grpc.sidecar.supervisor import Sidecar, SidecarFiles

MIB = 2**20
LIMITS = HttpLimits(
    max_inline_bytes=MIB, document_seconds=60, memory_bytes=256 * MIB, max_connections=1000
)


def plan_in(folder: Path, *upstreams: str, **changes: object) -> SidecarPlan:
    """Return a plan whose files are in a folder."""
    descriptors = folder / "descriptors.binpb"
    descriptors.write_bytes(descriptor_set(SERVICES))
    plan = SidecarPlan(
        host="127.0.0.1",
        port=0,
        upstreams=upstreams or (str(folder / "server.sock"),),
        descriptors=descriptors,
        web_files={},
        limits=LIMITS,
        admin_socket=folder / "admin.sock",
    )
    return replace(plan, **changes)


@asynccontextmanager
async def sidecar(
    *upstreams: str,
    on_change: Callable[[bool], None] = lambda _: None,
    drain_seconds: float = 5,
    **changes: object,
) -> AsyncIterator[Sidecar]:
    """Run a sidecar before servers, given as `host:port` or sockets."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # short: sockets are in it
    plan = plan_in(folder, *upstreams, **changes)
    files = SidecarFiles(find_envoy(None), folder, drain_seconds)
    running = Sidecar(plan, SERVICES, files, on_change)
    try:
        await running.start()
        yield running
    finally:
        await running.close()
        shutil.rmtree(folder)
