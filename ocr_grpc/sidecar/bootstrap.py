"""The whole configuration of Envoy. Source of the fields: its v3 API."""

from collections.abc import Sequence

from google.protobuf.descriptor import ServiceDescriptor

from ocr_grpc.sidecar.clusters import clusters
from ocr_grpc.sidecar.filters import CORS, cors_policy, http_filters
from ocr_grpc.sidecar.http_log import access_log
from ocr_grpc.sidecar.local_replies import local_reply_config
from ocr_grpc.sidecar.plan import JsonObject, SidecarPlan, seconds, typed
from ocr_grpc.sidecar.routes import routes
from ocr_grpc.sidecar.stats import stats_listener
from ocr_grpc.sidecar.tls import NODE, redirect_listener
from ocr_grpc.sidecar.tracing import tracing_config

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
REQUEST_IDS = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"
MONITORS = "envoy.extensions.resource_monitors"
STATISTICS_PREFIX = "ingress"
LISTENER = "http"

HEADERS_SECONDS = 10
IDLE_SECONDS = 300
UNREAD_MILLISECONDS = 60_000
"""What a client may leave sent bytes unacknowledged, or its window closed, before it is cut off."""

MAX_FILE_BYTES = 8 * 1024 * 1024
RELEASED_BYTES = 64 * 1024 * 1024
MAX_STREAMS_PER_CONNECTION = 1_000
TCP_LEVEL, TCP_USER_TIMEOUT = 6, 18  # as Linux numbers them


def bootstrap(plan: SidecarPlan, services: Sequence[ServiceDescriptor]) -> JsonObject:
    """Return Envoy's configuration as JSON.

    Raises:
        ValueError: the plan contradicts itself.
    """
    config: JsonObject = {
        "static_resources": {
            "listeners": [_listener(plan, services)],
            "clusters": clusters(plan),
        },
        "overload_manager": _overload(plan),
        # Otherwise it keeps for ever what it once needed.
        "memory_allocator_manager": {
            "bytes_to_release": RELEASED_BYTES,
            "memory_release_interval": "1s",
        },
    }
    if plan.tls or plan.traces:
        config["node"] = NODE
    if plan.tls and plan.tls.redirect_port:
        redirect = redirect_listener(plan.host, plan.tls.redirect_port, plan.port)
        config["static_resources"]["listeners"].append(redirect)
    if plan.stats_listen:
        config["static_resources"]["listeners"].append(stats_listener(plan))
    if plan.admin_socket:
        pipe = {"path": str(plan.admin_socket), "mode": 0o600}
        config["admin"] = {"address": {"pipe": pipe}}
    return config


def _listener(plan: SidecarPlan, services: Sequence[ServiceDescriptor]) -> JsonObject:
    chain: JsonObject = {
        "filters": [
            {
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": _manager(plan, services),
            }
        ]
    }
    if plan.tls:
        chain["transport_socket"] = plan.tls.transport_socket
    unread: JsonObject = {
        "description": "cut off clients that read nothing",
        "level": TCP_LEVEL,
        "name": TCP_USER_TIMEOUT,
        "int_value": UNREAD_MILLISECONDS,
        "state": "STATE_LISTENING",
        "type": {"stream": {}},
    }
    return {
        "name": LISTENER,
        "address": {"socket_address": {"address": plan.host, "port_value": plan.port}},
        # Otherwise a second Envoy shares the port silently.
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "socket_options": [unread],
        "filter_chains": [chain],
    }


def _manager(plan: SidecarPlan, services: Sequence[ServiceDescriptor]) -> JsonObject:
    return typed(
        MANAGER,
        stat_prefix=STATISTICS_PREFIX,
        codec_type="AUTO",
        server_name="ocr_grpc",
        use_remote_address=True,
        xff_num_trusted_hops=plan.trusted_hops,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="KEEP_UNCHANGED",
        strip_any_host_port=False,
        preserve_external_request_id=True,
        request_id_extension={"typed_config": _request_ids(plan)},
        always_set_request_id_in_response=True,
        request_headers_timeout=seconds(HEADERS_SECONDS),
        stream_idle_timeout=seconds(IDLE_SECONDS),
        http_protocol_options={"enable_trailers": True},
        http2_protocol_options={
            "max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
            "initial_stream_window_size": 1024 * 1024,
            "initial_connection_window_size": 4 * 1024 * 1024,
        },
        common_http_protocol_options={
            "idle_timeout": seconds(IDLE_SECONDS),
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": 100,
        },
        access_log=access_log() if plan.log_calls else [],
        local_reply_config=local_reply_config(),
        route_config=_route_config(plan, services),
        http_filters=http_filters(plan, [service.full_name for service in services]),
        **({"tracing": tracing_config(plan.traces)} if plan.traces else {}),
    )


def _request_ids(plan: SidecarPlan) -> JsonObject:
    # Otherwise it changes a digit of those that are UUIDs, and never traces a call with any other.
    own = {"use_request_id_for_trace_sampling": False} if plan.traces else {}
    return typed(REQUEST_IDS, pack_trace_reason=False, **own)


def _route_config(plan: SidecarPlan, services: Sequence[ServiceDescriptor]) -> JsonObject:
    host: JsonObject = {"name": "all", "domains": ["*"], "routes": routes(plan, services)}
    if plan.cors_origins:
        host["typed_per_filter_config"] = {CORS: cors_policy(plan.cors_origins)}
    return {
        "name": "routes",
        "virtual_hosts": [host],
        "max_direct_response_body_size_bytes": MAX_FILE_BYTES,
    }


def _overload(plan: SidecarPlan) -> JsonObject:
    connections = typed(
        f"{MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=plan.limits.max_connections,
    )
    heap = typed(
        f"{MONITORS}.fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=plan.limits.memory_bytes
    )
    heap_name = "envoy.resource_monitors.fixed_heap"
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": connections,
            },
            {"name": heap_name, "typed_config": heap},
        ],
        "actions": [
            _action("envoy.overload_actions.shrink_heap", heap_name, 0.8),
            _action("envoy.overload_actions.stop_accepting_requests", heap_name, 0.9),
        ],
        # Calls that were taken while there was room may still send all they have: whoever goes on
        # sending now is cut off.
        "loadshed_points": [
            _action(f"envoy.load_shed_points.{point}", heap_name, 0.95)
            for point in (
                "http1_server_abort_dispatch",
                "http2_server_go_away_and_close_on_dispatch",
            )
        ],
    }


def _action(name: str, monitor: str, at: float) -> JsonObject:
    return {"name": name, "triggers": [{"name": monitor, "threshold": {"value": at}}]}
