"""Envoy's own metrics for Prometheus: one page of its administration, and nothing else of it.

The administration can end Envoy, and is at a Unix socket that only its own user opens. A listener
of its own leads to the one page that tells nothing but numbers.
"""

from ocr_grpc.sidecar.plan import JsonObject, SidecarPlan, typed

STATS_CLUSTER = "administration"
STATS_LISTENER = "stats"
STATS_PATH = "/stats/prometheus"

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
CONNECTIONS = "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"
BUFFER = "envoy.extensions.filters.http.buffer.v3.Buffer"
ROUTER = "envoy.extensions.filters.http.router.v3.Router"

MAX_CONNECTIONS = 16
MAX_HEADERS = 50
SECONDS = "10s"
"""What a request may take to arrive, and its answer to come."""

IDLE_SECONDS = "120s"
"""Longer than the usual pauses of Prometheus, which keeps its connection."""


def stats_listener(plan: SidecarPlan) -> JsonObject:
    """Return the listener at `stats_listen`.

    Raises:
        ValueError: the administration has no socket, or the address no port.
    """
    if not plan.admin_socket:
        raise ValueError("Envoy's own metrics come from its administration, which has no socket.")
    host, _, port = plan.stats_listen.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{plan.stats_listen!r} is no HOST:PORT to listen on.")
    limit = typed(CONNECTIONS, stat_prefix=STATS_LISTENER, max_connections=MAX_CONNECTIONS)
    filters = [
        {"name": "envoy.filters.network.connection_limit", "typed_config": limit},
        {"name": "envoy.filters.network.http_connection_manager", "typed_config": _manager()},
    ]
    address = {"address": host.strip("[]"), "port_value": int(port)}
    return {
        "name": STATS_LISTENER,
        "address": {"socket_address": address},
        "enable_reuse_port": False,
        # What happens while Envoy is full is what one wants to see.
        "ignore_global_conn_limit": True,
        "bypass_overload_manager": True,
        "per_connection_buffer_limit_bytes": 64 * 1024,
        "filter_chains": [{"filters": filters}],
    }


def stats_cluster(plan: SidecarPlan) -> JsonObject:
    """Return the way to the administration of this same Envoy."""
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(plan.admin_socket)}}}}
    return {
        "name": STATS_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": STATS_CLUSTER,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def _manager() -> JsonObject:
    only_get = {"name": ":method", "string_match": {"exact": "GET"}}
    route = {
        "match": {"path": STATS_PATH, "headers": [only_get]},
        "route": {"cluster": STATS_CLUSTER, "timeout": SECONDS},
    }
    return typed(
        MANAGER,
        stat_prefix=STATS_LISTENER,
        codec_type="HTTP1",
        server_name="ocr_grpc",
        normalize_path=True,
        request_headers_timeout=SECONDS,
        request_timeout=SECONDS,
        stream_idle_timeout=SECONDS,
        common_http_protocol_options={
            "idle_timeout": IDLE_SECONDS,
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": MAX_HEADERS,
        },
        route_config={
            "name": STATS_LISTENER,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}],
        },
        http_filters=[
            # The administration would hold a body of any size.
            {
                "name": "envoy.filters.http.buffer",
                "typed_config": typed(BUFFER, max_request_bytes=1),
            },
            {"name": "envoy.filters.http.router", "typed_config": typed(ROUTER)},
        ],
    )
