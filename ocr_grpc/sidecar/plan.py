"""What a sidecar is to do, from which its whole configuration follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]
"""A part of Envoy's configuration, in the JSON form of its protos."""

CLIENT_ADDRESS = "x-ocr-client-address"
"""Metadata in which the sidecar says where a call came from; believed of the sidecar alone."""

RETRY_ID = "x-ocr-retry-id"
"""Metadata that is the same at each attempt of one call, and of no other; likewise."""

ORIGINAL_PATH = "x-envoy-original-path"
"""Metadata that Envoy adds to calls it made from REST; taken off what comes from outside."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The bounds of the door.

    Attributes:
        max_inline_bytes: the largest document inside one message.
        document_seconds: what reading one document may take.
        memory_bytes: heap at which new calls are refused.
        max_connections: of clients, all together.
    """

    max_inline_bytes: int
    document_seconds: float
    memory_bytes: int
    max_connections: int

    @property
    def max_body_bytes(self) -> int:
        """Return the largest body that is held whole: a document in base64, and its options."""
        return self.max_inline_bytes * 4 // 3 + 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """How the listener speaks TLS.

    Attributes:
        transport_socket: Envoy's configuration of it.
        redirect_port: where plain HTTP is sent on from; 0: nowhere.
    """

    transport_socket: JsonObject
    redirect_port: int = 0


@dataclass(frozen=True, slots=True)
class TracesPlan:
    """Where traces go.

    Attributes:
        host, port: of the collector.
        authorities: file of those that vouch for its certificate; empty: it speaks no TLS.
        ratio: share of the calls, of those that come without a decision of their caller.
    """

    host: str
    port: int
    authorities: str
    ratio: float


@dataclass(frozen=True, slots=True)
class SidecarPlan:
    """What a sidecar is to do.

    Attributes:
        host: address to listen on.
        port: the port; 0 takes a free one.
        upstreams: the servers behind it, each `host:port` or the path of a Unix socket.
        descriptors: file with the descriptor set of the services.
        web_files: what is served as it is: URL path to file.
        limits: the bounds.
        admin_socket: Unix socket for Envoy's administration; None: none.
        stats_listen: `host:port` for Envoy's own metrics, out of its administration; empty: none.
        cors_origins: origins whose pages may call; `*`: all.
        trusted_hops: proxies before this one whose X-Forwarded-For is believed.
        metrics_upstream: `host:port` of the metrics; empty: not served here.
        tls: how to speak TLS; None: plain HTTP.
        log_calls: whether to tell of each HTTP call on the standard output.
        traces: where traces of calls go; None: nowhere.
        upstream_ca: certificates to check TLS servers behind it by; empty: they speak plain HTTP/2.
    """

    host: str
    port: int
    upstreams: tuple[str, ...]
    descriptors: Path
    web_files: Mapping[str, Path]
    limits: HttpLimits
    admin_socket: Path | None = None
    stats_listen: str = ""
    cors_origins: tuple[str, ...] = ()
    trusted_hops: int = 0
    metrics_upstream: str = ""
    tls: Tls | None = None
    upstream_ca: str = ""
    log_calls: bool = False
    traces: TracesPlan | None = None
    file_prefix: tuple[str, str] = field(default=("", ""))
    """Replaces the beginning of file names: another machine may hold the files elsewhere."""


def typed(kind: str, **fields: Any) -> JsonObject:
    """Return a typed configuration, such as of `envoy.config.route.v3.FilterConfig`."""
    return {"@type": f"type.googleapis.com/{kind}", **fields}


def seconds(value: float) -> str:
    """Return a duration in protobuf's JSON form."""
    return f"{value:g}s"
