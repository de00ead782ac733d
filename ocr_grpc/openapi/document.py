"""The whole OpenAPI document."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from ocr_grpc.openapi import answers, security
from ocr_grpc.openapi.comments import Comments
from ocr_grpc.openapi.operations import operation
from ocr_grpc.openapi.routes import WHOLE_BODY, Route, routes_of
from ocr_grpc.openapi.schemas import Schemas
from ocr_grpc.v1 import ocr_service_pb2

JsonObject = dict[str, Any]

DESCRIPTION = """\
Reads documents: a file goes in, its text comes out while it is still being read.

The same service speaks gRPC and gRPC-Web on the same port; its protos say what this page says.
Field names are those of the protos, in requests also in `lowerCamelCase`. Fields that are zero or
empty are there all the same; messages that are not set are left out. 64-bit integers are strings,
bytes are base64, enum values go by their names. A field of a JSON body that the service does not
know is dropped without a word; an unknown query parameter is refused.

**Credentials.** `authorization: Bearer …` with an access token or an API key, or `x-api-key: …`
with an API key. A server that runs with `AUTH_ENABLED=false` asks for none.

**Errors** are a `google.rpc.Status` in JSON with a stable `reason` in its details. A request that
may be repeated later says when, in `Retry-After`.

**Streams** are one JSON object a line (`application/x-ndjson`), or server-sent events with
`Accept: text/event-stream`. The last event is always `finished` or `failed`: a stream that ends
without one was cut.

[The protos as an archive](/protos.zip)
"""

HEALTH_TAG = "Health"
HEALTH: JsonObject = {
    "get": {
        "operationId": "Health_Check",
        "tags": [HEALTH_TAG],
        "summary": "Says whether the service takes calls",
        "description": "For load balancers and probes. It asks nobody and costs nothing.",
        "security": [],
        "responses": {
            code: {
                "description": meaning,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["status"],
                            "properties": {"status": {"type": "string", "const": status}},
                        }
                    }
                },
            }
            for code, status, meaning in (
                ("200", "SERVING", "It takes calls."),
                ("503", "NOT_SERVING", "It does not, or not yet, or not any more."),
            )
        },
    }
}


def openapi_document(services: Iterable[ServiceDescriptor], comments: Comments) -> JsonObject:
    """Return the OpenAPI 3.1 document of some services, the same for the same protos.

    Args:
        services: in any order; the one that reads documents comes first, the others as given.
        comments: what the protos say about them.
    """
    services = sorted(services, key=lambda each: each.name != _MAIN_SERVICE)
    routes = routes_of(services)
    schemas = Schemas(comments, _answers(routes), _fields_in_paths(routes))
    paths: JsonObject = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.verb] = operation(route, schemas, comments)
    described = {route.method.containing_service.full_name for route in routes}
    return {
        "openapi": "3.1.0",
        "info": {"title": "ocr_grpc", "version": version("ocr-grpc"), "description": DESCRIPTION},
        "servers": [{"url": "/", "description": "This server."}],
        "security": [],
        "tags": [*(_tag(s, comments) for s in services if s.full_name in described), _HEALTH_TAG],
        "paths": {**paths, "/health": HEALTH},
        "components": {
            "securitySchemes": security.SCHEMES,
            "schemas": schemas.components,
            "responses": answers.error_components(),
            "headers": answers.header_components(),
        },
    }


_MAIN_SERVICE = ocr_service_pb2.DESCRIPTOR.services_by_name["OcrService"].name
_HEALTH_TAG: JsonObject = {"name": HEALTH_TAG, "description": "Whether the service takes calls."}


def _tag(service: ServiceDescriptor, comments: Comments) -> JsonObject:
    return {"name": service.name, "description": comments[service.full_name]}


def _answers(routes: Iterable[Route]) -> list[Any]:
    return [route.method.output_type for route in routes if not route.has_raw_answer]


def _fields_in_paths(routes: Iterable[Route]) -> dict[str, tuple[str, ...]]:
    """Return which fields of which requests stand in the path: a body must not repeat them."""
    return {
        route.method.input_type.full_name: route.path_fields
        for route in routes
        if route.body == WHOLE_BODY
    }
