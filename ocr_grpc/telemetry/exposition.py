"""Where Prometheus and probes ask a process. Each has a registry of its own: tests run several."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import version
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector
from prometheus_client import make_wsgi_app as _make_wsgi_app  # pyright: ignore[reportUnknownVariableType]
from prometheus_client.exposition import ThreadingWSGIServer

POLL_SECONDS = 0.05
CALLER_SECONDS = 10.0
"""How long somebody who connects may say nothing: each holds a thread."""

MAX_CALLERS = 32
"""Connected at once. One more, and the oldest is cut off: threads of a container are counted."""

METRICS_PATH = "/metrics"
HEALTH_PATH = "/healthz"
WELL = "ok"


class _Quiet(WSGIRequestHandler):
    """Does not print a line for each scrape."""

    timeout = CALLER_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Do nothing."""


class _Server(ThreadingWSGIServer):
    """Answers each caller in a thread, and lets nobody keep others out by staying."""

    request_queue_size = MAX_CALLERS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._callers: dict[socket.socket, None] = {}  # the oldest is the first
        self._lock = Lock()
        super().__init__(*arguments, **options)

    def server_bind(self) -> None:
        """Bind, and do not look for a name of this machine: nobody is told it, and it may hang."""
        TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        oldest: socket.socket | None = None
        with self._lock:
            if len(self._callers) >= MAX_CALLERS:
                del self._callers[oldest := next(iter(self._callers))]
            self._callers[request] = None
        if oldest:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)  # its thread reads the end, and ends
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._callers.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: callers who are silent or leave are no news, and it would be no JSON."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class LateGauge:
    """A gauge that is told of once it has a value.

    A zero for a part that a process does not have would look like one that is down.
    """

    def __init__(self, registry: CollectorRegistry, name: str, sentence: str) -> None:
        """Register nothing yet."""
        self._registry, self._name, self._sentence = registry, name, sentence
        self._gauge: Gauge | None = None

    def set(self, value: float) -> None:
        """Set it, registered by now. For one thread alone."""
        if self._gauge is None:
            self._gauge = Gauge(self._name, self._sentence, registry=self._registry)
        self._gauge.set(value)


class Exposition:
    """The metrics that every process has, and the port that tells them."""

    def __init__(self) -> None:
        """Begin a registry with what the system knows of this process."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Info("ocr_build", "What runs here.", registry=self.registry)
        build.info({"version": version("ocr-grpc")})
        self._certificate_expiry = LateGauge(
            self.registry,
            "ocr_certificate_expiry_timestamp_seconds",
            "When the TLS certificate in force expires, in seconds since 1970.",
        )
        self._server: WSGIServer | None = None
        self._thread: Thread | None = None

    def certificate_expires(self, at: float) -> None:
        """Note when the certificate in force expires, in seconds since 1970."""
        self._certificate_expiry.set(at)

    def start_http(self, host: str, port: int, ailment: Callable[[], str] = lambda: "") -> int:
        """Serve `/metrics` and `/healthz` in a thread of its own and return the port.

        Args:
            host: an address of this machine.
            port: 0 takes a free one.
            ailment: says in a word why the process cannot work, empty while it can. Called in
                other threads than the event loop's, which may stand still.

        Raises:
            OSError: the port is taken.
        """
        scrapes: WSGIApplication = _make_wsgi_app(self.registry)  # pyright: ignore[reportUnknownVariableType]

        def answered(call: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            path = call.get("PATH_INFO", "")
            if path == METRICS_PATH:
                return scrapes(call, start)
            if path == HEALTH_PATH:
                return _health(ailment(), start)
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [f"{METRICS_PATH} and {HEALTH_PATH} are here.\n".encode()]

        app: Any = answered
        host = host.strip("[]")
        server = make_server(host, port, app, _Server6 if ":" in host else _Server, _Quiet)
        # The client's own start_http_server looks for its end twice a second only.
        arguments = {"poll_interval": POLL_SECONDS}
        thread = Thread(target=server.serve_forever, kwargs=arguments, daemon=True)
        thread.start()
        self._server, self._thread = server, thread
        return server.server_port

    async def close(self) -> None:
        """Stop serving. May be called without having started."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server and thread:
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            await asyncio.to_thread(thread.join)


def _health(ailment: str, start: StartResponse) -> list[bytes]:
    status = "503 Service Unavailable" if ailment else "200 OK"
    start(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [json.dumps({"status": ailment or WELL}).encode() + b"\n"]
