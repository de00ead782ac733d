"""What stands behind the sidecar: the servers, and their metrics."""

from ocr_grpc.sidecar.plan import JsonObject, SidecarPlan, TracesPlan, typed
from ocr_grpc.sidecar.routes import METRICS_CLUSTER, SERVICE_CLUSTER
from ocr_grpc.sidecar.stats import stats_cluster
from ocr_grpc.sidecar.tracing import TRACES_CLUSTER

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
UPSTREAM_TLS = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
MANY = 1_000_000
CONNECT_SECONDS = "1s"

LAST_RESORT_PERCENT = 1
"""With fewer healthy servers than this all are tried: one without an engine still says why."""


def clusters(plan: SidecarPlan) -> list[JsonObject]:
    """Return the servers, watched by gRPC health checks, and what else is wanted behind it.

    Raises:
        ValueError: sockets and addresses are mixed.
    """
    found = [_service(plan)]
    if plan.metrics_upstream:
        found.append(_cluster(METRICS_CLUSTER, (plan.metrics_upstream,)))
    if plan.stats_listen:
        found.append(stats_cluster(plan))
    if plan.traces:
        found.append(_traces(plan.traces))
    return found


def _service(plan: SidecarPlan) -> JsonObject:
    http2 = {
        "initial_stream_window_size": 1024 * 1024,
        "initial_connection_window_size": 4 * 1024 * 1024,
        "connection_keepalive": _keepalive(plan),
    }
    health_check = {
        "timeout": "1s",
        "interval": "2s",
        "no_traffic_interval": "2s",
        "no_traffic_healthy_interval": "2s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "grpc_health_check": {"service_name": ""},
    }
    # One that cannot be reached gets no more calls from now on, and not from the next check on.
    # What a server answers is no reason: UNAVAILABLE may mean its database.
    outliers = {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 1,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_local_origin_success_rate": 0,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": "1s",
        "max_ejection_time": "5s",
        "max_ejection_percent": 100,
    }
    thresholds = {
        "max_connections": MANY,
        "max_pending_requests": MANY,
        "max_requests": MANY,
        "max_retries": 1_000,
    }
    return {
        **_cluster(SERVICE_CLUSTER, plan.upstreams),
        "lb_policy": "LEAST_REQUEST",
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "common_lb_config": {"healthy_panic_threshold": {"value": LAST_RESORT_PERCENT}},
        "circuit_breakers": {"thresholds": [thresholds]},
        "health_checks": [health_check],
        "outlier_detection": outliers,
        "typed_extension_protocol_options": {
            HTTP_OPTIONS: typed(
                HTTP_OPTIONS, explicit_http_config={"http2_protocol_options": http2}
            )
        },
        **_upstream_tls(plan),
    }


def _keepalive(plan: SidecarPlan) -> JsonObject:
    """Return how a server that stands still is noticed by those who are already waiting for it.

    New calls are kept from it by health checks, after six seconds at most. Where there is another
    server, calls that only read are then tried again there, and streams can go on there: so soon.
    With one alone, on this machine, waiting is all that can be done, and it may just be busy.
    """
    alone = len(plan.upstreams) == 1 and plan.upstreams[0].startswith("/")
    return {"interval": "30s", "timeout": "5s"} if alone else {"interval": "4s", "timeout": "5s"}


def _traces(traces: TracesPlan) -> JsonObject:
    http2 = typed(HTTP_OPTIONS, explicit_http_config={"http2_protocol_options": {}})
    found = {
        **_cluster(TRACES_CLUSTER, (f"{traces.host}:{traces.port}",)),
        "typed_extension_protocol_options": {HTTP_OPTIONS: http2},
    }
    if not traces.authorities:
        return found
    return found | _tls_to(traces.authorities)


def _upstream_tls(plan: SidecarPlan) -> JsonObject:
    return _tls_to(plan.upstream_ca) if plan.upstream_ca else {}


def _tls_to(authorities: str) -> JsonObject:
    """Return that servers speak TLS, with a certificate for their name by these authorities."""
    validation = {"trusted_ca": {"filename": authorities}}
    context = typed(
        UPSTREAM_TLS,
        auto_host_sni=True,
        auto_sni_san_validation=True,
        common_tls_context={"alpn_protocols": ["h2"], "validation_context": validation},
    )
    socket = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    return {"transport_socket": socket}


def _cluster(name: str, upstreams: tuple[str, ...]) -> JsonObject:
    sockets = [upstream for upstream in upstreams if upstream.startswith("/")]
    if sockets and len(sockets) < len(upstreams):
        raise ValueError("Servers are all named by sockets, or all by addresses.")
    endpoints = [{"endpoint": {"address": _address(upstream)}} for upstream in upstreams]
    return {
        "name": name,
        "type": "STATIC" if sockets else "STRICT_DNS",
        "dns_lookup_family": "ALL",
        "connect_timeout": CONNECT_SECONDS,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }


def _address(upstream: str) -> JsonObject:
    if upstream.startswith("/"):
        return {"pipe": {"path": upstream}}
    host, _, port = upstream.rpartition(":")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}
