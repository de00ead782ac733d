"""The filters that every call passes, in the order in which they stand."""

from collections.abc import Sequence

from ocr_grpc.sidecar.local_replies import HEALTH_PATH
from ocr_grpc.sidecar.plan import (
    CLIENT_ADDRESS,
    ORIGINAL_PATH,
    RETRY_ID,
    JsonObject,
    SidecarPlan,
    typed,
)
from ocr_grpc.sidecar.script import header_script
from ocr_grpc.sidecar.tls import HTTPS_PORT
from ocr_grpc.sidecar.web_files import TRANSCODER

FILTERS = "envoy.extensions.filters.http"
CORS = "envoy.filters.http.cors"

SMALL_BODY_BYTES = 1024 * 1024
"""The largest body of calls that bring no document."""

SMALL_LIMIT, DOCUMENT_LIMIT = "body_limit.small", "body_limit.document"
NO_LIMIT = typed("envoy.config.route.v3.FilterConfig", disabled=True)

COMPRESSED = (
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
)


def http_filters(plan: SidecarPlan, services: Sequence[str]) -> list[JsonObject]:
    """Return the filters in order: each sees requests after those before it, responses before."""
    filters = {
        "envoy.filters.http.header_mutation": _headers(plan),  # first: for every answer
        CORS: typed(f"{FILTERS}.cors.v3.Cors"),
        "envoy.filters.http.health_check": _health_check(),
        "envoy.filters.http.grpc_web": typed(f"{FILTERS}.grpc_web.v3.GrpcWeb"),
        "envoy.filters.http.compressor": _compressor(),
        # After the compressor, which drops the length that tells a stream from a whole answer.
        "envoy.filters.http.lua": typed(
            f"{FILTERS}.lua.v3.Lua",
            default_source_code={"inline_string": header_script(plan.cors_origins)},
        ),
        # The transcoder's own limit misses what its parser holds: bodies of gigabytes pass it.
        SMALL_LIMIT: _body_limit(SMALL_BODY_BYTES),
        DOCUMENT_LIMIT: _body_limit(plan.limits.max_body_bytes),
        TRANSCODER: transcoder(plan, services),
        "envoy.filters.http.router": typed(f"{FILTERS}.router.v3.Router"),
    }
    return [{"name": name, "typed_config": config} for name, config in filters.items()]


def transcoder(
    plan: SidecarPlan,
    services: Sequence[str],
    max_body_bytes: int = SMALL_BODY_BYTES,
    sse: bool = False,
) -> JsonObject:
    """Return how JSON becomes messages and back.

    Args:
        plan: what the sidecar is to do.
        services: full names of the services.
        max_body_bytes: of requests that are held whole.
        sse: whether streams are server-sent events, and not lines of JSON.
    """
    return typed(
        f"{FILTERS}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor=file_name(plan, str(plan.descriptors)),
        services=list(services),
        convert_grpc_status=True,
        case_insensitive_enum_parsing=True,
        query_param_unescape_plus=True,
        max_request_body_size=max_body_bytes,
        # Text of a whole document with the places of its lines is far larger than the document.
        max_response_body_size=4 * plan.limits.max_body_bytes,
        request_validation_options={
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
        print_options={
            "preserve_proto_field_names": True,
            "always_print_primitive_fields": True,
            "stream_newline_delimited": True,
            "stream_sse_style_delimited": sse,
        },
    )


def file_name(plan: SidecarPlan, name: str) -> str:
    """Return where Envoy finds a file."""
    here, there = plan.file_prefix
    return there + name.removeprefix(here) if here and name.startswith(here) else name


def cors_policy(origins: Sequence[str]) -> JsonObject:
    """Return which pages of other origins may call. Credentials are headers, never cookies."""
    matches = (
        [{"safe_regex": {"regex": ".*"}}]
        if "*" in origins
        else [{"exact": origin} for origin in origins]
    )
    return typed(
        f"{FILTERS}.cors.v3.CorsPolicy",
        allow_origin_string_match=matches,
        allow_methods="GET, POST, PUT, PATCH, DELETE, OPTIONS",
        # Libraries of other services send headers of their own. The wildcard leaves that one out.
        allow_headers="*, authorization",
        expose_headers="content-disposition, grpc-message, grpc-retry-pushback-ms, grpc-status, "
        "grpc-status-details-bin, quota-remaining-pages, ratelimit-limit, ratelimit-remaining, "
        "ratelimit-reset, retry-after, www-authenticate, x-request-id",
        max_age="7200",
    )


def _headers(plan: SidecarPlan) -> JsonObject:
    """Return what is done to the headers of every request and answer."""
    internal = (CLIENT_ADDRESS, RETRY_ID, ORIGINAL_PATH, "x-envoy-original-method")
    address = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
    api = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cache-control": "no-store",
    }
    # Browsers take it for all ports of the host, so only where plain HTTP is ours to end.
    if plan.tls and (plan.tls.redirect_port or plan.port == HTTPS_PORT):
        api["strict-transport-security"] = "max-age=31536000"
    return typed(
        f"{FILTERS}.header_mutation.v3.HeaderMutation",
        mutations={
            "request_mutations": [
                *({"remove": name} for name in internal),
                _set(CLIENT_ADDRESS, address, "OVERWRITE_IF_EXISTS_OR_ADD"),
                # Not `%STREAM_ID%`: that is the request id, which callers choose and use again.
                _set(RETRY_ID, "%UNIQUE_ID%", "OVERWRITE_IF_EXISTS_OR_ADD"),
            ],
            "response_mutations": [
                *(_set(name, value, "ADD_IF_ABSENT") for name, value in api.items()),
                {"remove": "x-envoy-upstream-healthchecked-cluster"},
                {"remove": "x-envoy-upstream-service-time"},
                {"remove": "grpc-accept-encoding"},
            ],
        },
    )


def _set(key: str, value: str, action: str) -> JsonObject:
    return {"append": {"header": {"key": key, "value": value}, "append_action": action}}


def _health_check() -> JsonObject:
    return typed(
        f"{FILTERS}.health_check.v3.HealthCheck",
        pass_through_mode=False,
        cluster_min_healthy_percentages={"service": {"value": 1}},
        headers=[{"name": ":path", "string_match": {"exact": HEALTH_PATH}}],
    )


def _body_limit(max_bytes: int) -> JsonObject:
    return typed(f"{FILTERS}.body_size_limit.v3.BodySizeLimit", max_request_bytes=max_bytes)


def _compressor() -> JsonObject:
    """Return the compression of text. Server-sent events stay as they are: proxies hold them up."""
    kinds = [{"prefix": kind} for kind in COMPRESSED]
    return typed(
        f"{FILTERS}.compressor.v3.Compressor",
        response_direction_config={
            "common_config": {"min_content_length": 256, "content_type_matcher": kinds}
        },
        compressor_library={
            "name": "gzip",
            "typed_config": typed(
                "envoy.extensions.compression.gzip.compressor.v3.Gzip",
                memory_level=5,
                compression_level="COMPRESSION_LEVEL_4",
            ),
        },
    )
