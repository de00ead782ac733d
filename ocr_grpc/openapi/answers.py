"""What a route answers: the answer itself, and every error it may give instead."""

import re
from typing import Any

from ocr_grpc.openapi.comments import Comments
from ocr_grpc.openapi.raw_bodies import RAW_ANSWERS, server_sent_event
from ocr_grpc.openapi.routes import Route
from ocr_grpc.openapi.schemas import Schemas
from ocr_grpc.v1 import access_pb2

JsonObject = dict[str, Any]

HTTP_CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
}
"""Status codes of gRPC that comments name, and their codes over HTTP."""

ERRORS = {
    "400": "The request is at fault (`INVALID_ARGUMENT`), or something is missing first "
    "(`FAILED_PRECONDITION`). To repeat it as it is is useless.",
    "401": "There are no valid credentials (`UNAUTHENTICATED`).",
    "403": "These credentials are not enough (`PERMISSION_DENIED`).",
    "404": "There is no such thing (`NOT_FOUND`), or no such path.",
    "409": "It exists already (`ALREADY_EXISTS`), or somebody else was faster (`ABORTED`).",
    "413": "The request is too large (`RESOURCE_EXHAUSTED`).",
    "429": "A limit is reached (`RESOURCE_EXHAUSTED`); `Retry-After` says when to come again, if "
    "at all.",
    "431": "The headers are too large (`RESOURCE_EXHAUSTED`).",
    "500": "The service is at fault (`INTERNAL`).",
    "501": "This server does not offer it (`UNIMPLEMENTED`).",
    "503": "The service cannot be reached at the moment (`UNAVAILABLE`): try again.",
    "504": "It took too long (`DEADLINE_EXCEEDED`).",
    "default": "Another error.",
}
"""Meanings of the codes of HTTP, in one table for all operations."""

ALWAYS = ("400", "429", "431", "500", "501", "503", "504", "default")


def good_answer(route: Route, schemas: Schemas, comments: Comments) -> JsonObject:
    """Return the description of an answer without an error."""
    message = route.method.output_type
    described: JsonObject = {"description": comments[message.full_name], "headers": _headers(route)}
    if route.has_raw_answer:
        described["content"] = RAW_ANSWERS[route.name]()
    elif route.method.server_streaming:
        described["description"] += (
            " One JSON object a line, or with `Accept: text/event-stream` one an event; the"
            " schemas are those of one line and of one event."
        )
        schema = schemas.message(message, "answer")
        described["content"] = {
            "application/x-ndjson": {"schema": schema},
            "text/event-stream": {"schema": server_sent_event(schema)},
        }
    else:
        schema = schemas.message(message, "answer")
        described["content"] = {"application/json": {"schema": schema}}
    return described


def error_answers(route: Route, comments: Comments) -> JsonObject:
    """Return the errors a route may answer with, by their codes of HTTP."""
    comment = _with_those_it_refers_to(comments[route.method.full_name], comments)
    codes = {*ALWAYS}
    if route.access.audience != access_pb2.AUDIENCE_ANYONE:
        codes |= {"401", "403"}
    if route.path_fields:
        codes.add("404")
    if route.body:
        codes.add("413")
    named = set(re.findall(r"`([A-Z_]+)`", comment))
    codes |= {str(code) for name, code in HTTP_CODES.items() if name in named}
    return {code: {"$ref": f"#/components/responses/{_name(code)}"} for code in sorted(codes)}


def _with_those_it_refers_to(comment: str, comments: Comments) -> str:
    """Return a comment, and those of the RPCs that it says it fails as."""
    sentences = re.findall(r"Fails as ((?:`\w+`|\W|and)+) do", comment)
    names = {name for sentence in sentences for name in re.findall(r"\w{4,}", sentence)}
    meant = (text for full, text in comments.items() if full.rpartition(".")[2] in names)
    return "\n".join((comment, *meant))


def error_components() -> JsonObject:
    """Return the answers with errors that operations refer to."""
    return {_name(code): _error(code, meaning) for code, meaning in ERRORS.items()}


def header_components() -> JsonObject:
    """Return the headers that answers refer to."""
    return {
        "call-id": _header("The id of the call, as in the server's logs.", "string"),
        "ratelimit-limit": _header("Calls that are allowed in any minute.", "integer"),
        "ratelimit-remaining": _header("Calls that are left of them.", "integer"),
        "ratelimit-reset": _header("Seconds until there are more.", "integer"),
        QUOTA_HEADER: _header("Pages that are left this month.", "integer"),
        "retry-after": _header("Seconds to wait before a repetition.", "integer"),
    }


RATE_HEADERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
QUOTA_HEADER = "quota-remaining-pages"


def _headers(route: Route) -> JsonObject:
    quota = (QUOTA_HEADER,) if route.access.scope == access_pb2.SCOPE_OCR else ()
    return _references(*RATE_HEADERS, *quota)


def _references(*names: str) -> JsonObject:
    references = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {"x-request-id": {"$ref": "#/components/headers/call-id"}, **references}


def _error(code: str, meaning: str) -> JsonObject:
    names: tuple[str, ...] = ()
    if code == "429":
        names = (*RATE_HEADERS, QUOTA_HEADER, "retry-after")
    if code == "503":
        names = ("retry-after",)
    schema = {"$ref": "#/components/schemas/Status"}
    content = {"application/json": {"schema": schema}}
    return {"description": meaning, "headers": _references(*names), "content": content}


def _header(description: str, kind: str) -> JsonObject:
    return {"description": description, "schema": {"type": kind}}


def _name(code: str) -> str:
    return "Error" if code == "default" else f"Error{code}"
