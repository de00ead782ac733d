"""The gRPC server itself: its options, health and reflection."""

from collections.abc import Iterable
from typing import Any, Protocol

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.rpc.interceptors.base import CallInterceptor
from ocr_grpc.rpc.reflected import ReflectedPool

SERVICE_NAMES = tuple(service.full_name for service in SERVICES)

PIECE_BYTES = 1024 * 1024
"""The largest piece of an upload that is recommended, and that the sidecar makes."""

LIVENESS = "liveness"
"""A name for probes that restart what does not answer: SERVING until the server stops, also while
there is no engine, which a restart would not bring."""

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def server_options(max_inline_bytes: int, max_connection_age_seconds: int) -> list[tuple[str, int]]:
    """Return the channel arguments of the server."""
    return [
        # Twice, so that a document somewhat too large is refused by us, with a reason, and only one
        # far too large by grpc, with RESOURCE_EXHAUSTED alone.
        ("grpc.max_receive_message_length", max(2 * max_inline_bytes, 2 * PIECE_BYTES)),
        # Whole documents of text leave in one message of `Extract`.
        ("grpc.max_send_message_length", -1),
        # Bursts of new streams are otherwise dropped as CANCELLED, which clients must not retry.
        ("grpc.server.max_pending_requests", 20_000),
        ("grpc.server.max_pending_requests_hard_limit", 40_000),
        # A second server on the port must fail to start, not take half of the connections.
        ("grpc.so_reuseport", 0),
        # No memory for the headers of a connection: grpc also remembers there that it could not
        # read one, and fails every later call with a header of that name. Behind a sidecar those
        # are calls of others. Headers arrive unabridged instead, some hundred bytes more a call.
        ("grpc.http2.hpack_table_size.decoder", 0),
        ("grpc.max_connection_age_ms", max_connection_age_seconds * 1000),
        # As long again for the streams that a connection has when it is asked to end.
        ("grpc.max_connection_age_grace_ms", max_connection_age_seconds * 1000),
        # A caller that vanished without a word is noticed within a minute, and its work stops.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]


class _HealthServicer(Protocol):
    """What is used of grpc's own servicer."""

    async def set(self, service: str, status: int) -> None: ...

    async def enter_graceful_shutdown(self) -> None: ...


class HealthBoard:
    """What `grpc.health.v1` answers: for the server as a whole and for each service."""

    def __init__(self, services: tuple[str, ...] = SERVICE_NAMES) -> None:
        # grpc's stubs leave `aio` out.
        self.servicer: _HealthServicer = health.aio.HealthServicer()  # pyright: ignore
        self._services = ("", *services)

    async def set(self, status: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> None:
        """Say whether calls can be answered."""
        await self.servicer.set(LIVENESS, SERVING)
        for service in self._services:
            await self.servicer.set(service, status)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Answer the calls of a server."""
        add: Any = health_pb2_grpc.add_HealthServicer_to_server  # pyright: ignore
        add(self.servicer, server)

    async def leave(self) -> None:
        """Say NOT_SERVING, for good."""
        await self.servicer.enter_graceful_shutdown()


def make_server(
    interceptors: Iterable[CallInterceptor], options: list[tuple[str, int]], board: HealthBoard
) -> grpc.aio.Server:
    """Return a server with health and reflection; its services are to be added."""
    server = grpc.aio.server(interceptors=list(interceptors), options=options)
    board.add_to(server)
    names = (*SERVICE_NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME)
    pool: Any = ReflectedPool()
    reflection.enable_server_reflection(names, server, pool)
    return server
