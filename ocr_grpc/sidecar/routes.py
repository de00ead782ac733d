"""Where calls go: files, then RPCs, each with the time and the size it may take."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor

from ocr_grpc.http_rules import HttpBinding, bindings_of
from ocr_grpc.sidecar.filters import (
    DOCUMENT_LIMIT,
    NO_LIMIT,
    SMALL_LIMIT,
    file_name,
    transcoder,
)
from ocr_grpc.sidecar.plan import JsonObject, SidecarPlan, seconds, typed
from ocr_grpc.sidecar.web_files import NO_TRANSCODING, TRANSCODER, web_routes

SMALL_SECONDS = 60.0
"""What such a call may take."""

SERVICE_CLUSTER = "service"
METRICS_CLUSTER = "metrics"

SAFE_RETRIES = "connect-failure,refused-stream,reset-before-request"
"""Failures after which nothing can have happened yet."""

READING_RETRIES = f"{SAFE_RETRIES},reset,unavailable"
"""For calls that change nothing, and for documents: pages are charged once, see `RETRY_ID`."""

UPLOAD_RETRIES = "connect-failure,refused-stream"
"""The service has not seen the call. What came of the body until then is held, a mebibyte of it; a
call of which more came is not tried again. Later it would have to be held whole for that."""

NO_LIMITS = {SMALL_LIMIT: NO_LIMIT, DOCUMENT_LIMIT: NO_LIMIT}
"""For bodies that the service bounds: of gRPC, and in pieces."""

HTTP_BODY = "google.api.HttpBody"

NO_PREFLIGHT: JsonObject = {
    "name": "access-control-request-method",
    "present_match": True,
    "invert_match": True,
}
"""What asks on behalf of a page of another origin is answered by CORS, which needs a route."""

HOST_DRAWS = 50
"""How often to draw until a server is found that was not tried. A dead one is drawn three times out
of four where there are two: it has the fewest calls."""

PREVIOUS_HOSTS = typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")


@dataclass(frozen=True, slots=True)
class Rpc:
    """What routing needs to know of a method."""

    path: str
    """Such as `/ocr_grpc.v1.OcrService/Extract`."""
    bindings: tuple[HttpBinding, ...]
    """How it is called over REST; none without an annotation."""
    uploads: bool
    streams: bool
    takes_document: bool
    sends_bytes: bool
    """Whether the answer is a body of its own, and no message."""

    @property
    def reads_only(self) -> bool:
        """Return whether it changes nothing, so that it may be tried again."""
        return any(binding.method == "GET" for binding in self.bindings)


def rpcs(services: Sequence[ServiceDescriptor]) -> Iterator[Rpc]:
    """Yield all methods of the services."""
    for service in services:
        for method in service.methods:
            yield Rpc(
                path=f"/{service.full_name}/{method.name}",
                bindings=bindings_of(method),
                uploads=method.client_streaming,
                streams=method.server_streaming,
                takes_document=method.client_streaming or _brings_bytes(method.input_type),
                sends_bytes=any(
                    field.message_type and field.message_type.full_name == HTTP_BODY
                    for field in method.output_type.fields
                ),
            )


def routes(plan: SidecarPlan, services: Sequence[ServiceDescriptor]) -> list[JsonObject]:
    """Return all routes, the first that matches wins.

    A REST call is routed twice: by its own path, which decides how it is transcoded, and then by
    that of its RPC, which it shares with gRPC and gRPC-Web.
    """
    names = [service.full_name for service in services]
    all_rpcs = list(rpcs(services))
    rest = [(rpc, binding) for rpc in all_rpcs for binding in rpc.bindings]
    web = {url: file_name(plan, str(path)) for url, path in plan.web_files.items()}
    return [
        *web_routes(web),
        *_metrics(plan),
        *_wrong_methods(all_rpcs),
        # A file stays a file, whatever the caller accepts.
        *(
            _rest(plan, rpc, binding, names, sse=True)
            for rpc, binding in rest
            if rpc.streams and not rpc.sends_bytes
        ),
        *(_rest(plan, rpc, binding, names) for rpc, binding in rest if rpc.takes_document),
        *(_rpc(plan, rpc) for rpc in all_rpcs),
        # Everything else over REST, and gRPC's own services.
        _route({"prefix": "/v1/"}, _small()),
        _route(
            {"prefix": "/"}, {"cluster": SERVICE_CLUSTER, "timeout": "0s", "idle_timeout": "0s"}
        ),
    ]


def _metrics(plan: SidecarPlan) -> list[JsonObject]:
    if not plan.metrics_upstream:
        return []
    action = {"cluster": METRICS_CLUSTER, "timeout": "10s"}
    return [_route({"path": "/metrics"}, action, NO_TRANSCODING)]


def _wrong_methods(all_rpcs: Sequence[Rpc]) -> Iterator[JsonObject]:
    """Yield the answers to methods that a path does not know; the transcoder knows no such path."""
    methods: dict[str, list[str]] = {}
    for binding in (binding for rpc in all_rpcs for binding in rpc.bindings):
        # Names of variables do not count: `/v1/keys/{key_id}` is one path for three methods.
        template = re.sub(r"\{[^}]*\}", "{}", binding.path)
        methods.setdefault(template, []).append(binding.method)
    for template, known in methods.items():
        allowed = ", ".join(sorted(known))
        method = {"safe_regex": {"regex": "|".join(sorted(known))}}
        other = {"name": ":method", "string_match": method, "invert_match": True}
        body = {"inline_string": f"This path takes {allowed}."}
        yield {
            "match": {**_path_match(template), "headers": [other, NO_PREFLIGHT]},
            "direct_response": {"status": 405, "body": body},
            "response_headers_to_add": [{"header": {"key": "allow", "value": allowed}}],
            "typed_per_filter_config": NO_TRANSCODING,
        }


def _rest(
    plan: SidecarPlan, rpc: Rpc, binding: HttpBinding, services: Sequence[str], sse: bool = False
) -> JsonObject:
    # Other methods of the same path are other RPCs, which may bring no document.
    headers = [{"name": ":method", "string_match": {"exact": binding.method}}]
    if sse:
        headers.append({"name": "accept", "string_match": {"contains": "text/event-stream"}})
    match = {**_path_match(binding.path), "headers": headers}
    config = transcoder(plan, services, plan.limits.max_body_bytes, sse)
    action = _streaming(plan) if rpc.streams else _document(plan)
    # Uploads pass piece by piece; the service counts them.
    limits = NO_LIMITS if rpc.uploads else {SMALL_LIMIT: NO_LIMIT}
    return _route(match, action, {TRANSCODER: config, **limits})


def _rpc(plan: SidecarPlan, rpc: Rpc) -> JsonObject:
    if rpc.uploads:
        action = _streaming(plan) | {"retry_policy": _retries(UPLOAD_RETRIES)}
    elif rpc.takes_document:
        action = _streaming(plan) if rpc.streams else _document(plan)
        limit = {"request_body_buffer_limit": plan.limits.max_body_bytes}
        action |= {"retry_policy": _retries(SAFE_RETRIES if rpc.streams else READING_RETRIES)}
        return {**_route({"path": rpc.path}, action, NO_LIMITS), **limit}
    else:
        action = _streaming(plan) if rpc.streams else _small()
        action |= {"retry_policy": _retries(READING_RETRIES if rpc.reads_only else SAFE_RETRIES)}
        return _route({"path": rpc.path}, action)
    return _route({"path": rpc.path}, action, NO_LIMITS)


def _small() -> JsonObject:
    # Not `timeout`, which ends a gRPC call with a code that asks for a repetition.
    return {
        "cluster": SERVICE_CLUSTER,
        "timeout": "0s",
        **_at_most(SMALL_SECONDS),
    }


def _document(plan: SidecarPlan) -> JsonObject:
    return {**_streaming(plan), **_at_most(_longest_seconds(plan))}


def _streaming(plan: SidecarPlan) -> JsonObject:
    # A stream is silent while it waits for its turn, and an answer while all of it is read.
    silent = seconds(_longest_seconds(plan))
    return {"cluster": SERVICE_CLUSTER, "timeout": "0s", "idle_timeout": silent}


def _at_most(longest: float) -> JsonObject:
    """Return how long a call may take; callers may want less, by `grpc-timeout`."""
    limit = seconds(longest)
    return {"max_stream_duration": {"max_stream_duration": limit, "grpc_timeout_header_max": limit}}


def _longest_seconds(plan: SidecarPlan) -> float:
    """Return what a document may take: on its way for as long as it is read, and a minute.

    The service must be the first to lose patience: it says why.
    """
    return 2 * plan.limits.document_seconds + SMALL_SECONDS


def _retries(conditions: str) -> JsonObject:
    return {
        "retry_on": conditions,
        "num_retries": 2,
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": PREVIOUS_HOSTS}
        ],
        "host_selection_retry_max_attempts": HOST_DRAWS,
    }


def _route(
    match: JsonObject, action: JsonObject, per_filter: JsonObject | None = None
) -> JsonObject:
    route: JsonObject = {"match": match, "route": action}
    return {**route, "typed_per_filter_config": per_filter} if per_filter else route


def _path_match(template: str) -> JsonObject:
    if "{" not in template:
        return {"path": template}
    parts = re.split(r"\{[^}]*\}", template)
    return {"safe_regex": {"regex": "[^/:]+".join(re.escape(part) for part in parts)}}


def _brings_bytes(message: Descriptor, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether a message of ours has bytes in it, at any depth."""
    seen |= {message.full_name}
    return any(
        field.type == FieldDescriptor.TYPE_BYTES
        or (
            field.message_type is not None
            and field.message_type.file.package == message.file.package
            and field.message_type.full_name not in seen
            and _brings_bytes(field.message_type, seen)
        )
        for field in message.fields
    )
