"""One operation of the document: what a route takes, and what it answers."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from ocr_grpc.openapi import security
from ocr_grpc.openapi.answers import error_answers, good_answer
from ocr_grpc.openapi.comments import Comments, after_first_sentence, first_sentence
from ocr_grpc.openapi.examples import BODY_EXAMPLES, CODE_SAMPLES
from ocr_grpc.openapi.raw_bodies import RAW_REQUESTS
from ocr_grpc.openapi.routes import WHOLE_BODY, Route
from ocr_grpc.openapi.schemas import Schemas
from ocr_grpc.openapi.well_known import WELL_KNOWN

JsonObject = dict[str, Any]


def operation(route: Route, schemas: Schemas, comments: Comments) -> JsonObject:
    """Return the description of one route."""
    comment = comments[route.method.full_name]
    described: JsonObject = {
        "operationId": route.operation_id,
        "tags": [route.method.containing_service.name],
        "summary": first_sentence(comment).replace("`", ""),  # it is no Markdown
        "description": _description(route, comment),
        "security": security.requirements(route.access),
    }
    if route.method.GetOptions().deprecated:
        described["deprecated"] = True
    parameters = [*_path_parameters(route, schemas), *_query_parameters(route, schemas)]
    if parameters:
        described["parameters"] = parameters
    if route.body:
        described["requestBody"] = _request_body(route, schemas)
    described["responses"] = {
        "200": good_answer(route, schemas, comments),
        **error_answers(route, comments),
    }
    if route.name in CODE_SAMPLES:
        # An extension that Redoc knows.
        sample = {"lang": "Shell", "label": "curl", "source": CODE_SAMPLES[route.name]}
        described["x-codeSamples"] = [sample]
    return described


def _description(route: Route, comment: str) -> str:
    rpc = f"`{route.method.full_name}` over gRPC."
    parts = (after_first_sentence(comment), security.sentence(route.access), rpc)
    return "\n\n".join(filter(None, parts))


def _path_parameters(route: Route, schemas: Schemas) -> list[JsonObject]:
    fields = route.method.input_type.fields_by_name
    return [
        # An empty one would be another path.
        _parameter(name, "path", schemas, fields[name], minLength=1) | {"required": True}
        for name in route.path_fields
    ]


def _query_parameters(route: Route, schemas: Schemas) -> list[JsonObject]:
    return [
        parameter
        for field in route.query_fields
        for parameter in _in_query(field, field.name, schemas)
    ]


def _in_query(field: FieldDescriptor, name: str, schemas: Schemas) -> list[JsonObject]:
    """Return the parameters for a field: itself, or for a message each of its fields, by path."""
    message = field.message_type
    if message is None or message.full_name in WELL_KNOWN:
        return [_parameter(name, "query", schemas, field)]
    if field.is_repeated:
        return []  # google.api.http has no way to write these in a query
    return [
        parameter
        for inner in message.fields
        for parameter in _in_query(inner, f"{name}.{inner.name}", schemas)
    ]


def _parameter(
    name: str, where: str, schemas: Schemas, field: FieldDescriptor, **constraints: int
) -> JsonObject:
    schema = schemas.field(field, "request")
    description = schema.pop("description", "")
    parameter = {"name": name, "in": where, "description": description}
    return {**parameter, "schema": {**schema, **constraints}}


def _request_body(route: Route, schemas: Schemas) -> JsonObject:
    if route.has_raw_request:
        content = RAW_REQUESTS[route.name](schemas)
    else:
        request = route.method.input_type
        if route.body == WHOLE_BODY:
            schema = schemas.message(request, "request")
        else:
            schema = schemas.field(request.fields_by_name[route.body], "request")
        content: JsonObject = {"application/json": {"schema": schema}}
    for media_type, example in BODY_EXAMPLES.get(route.name, {}).items():
        content[media_type]["example"] = example
    return {"required": True, "content": content}
