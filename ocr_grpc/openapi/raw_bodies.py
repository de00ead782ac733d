"""Bodies that are no message: files, forms, and the JSON of other services.

To the protos they are `google.api.HttpBody`, which says nothing about them. An RPC with such a body
needs its entry here, or the document is not generated.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ocr_grpc.openapi.schemas import Schemas
from ocr_grpc.rpc.upload import OWN_FIELDS
from ocr_grpc.v1.ocr_service_pb2 import UploadExtractRequest
from ocr_grpc.v1.options_pb2 import ExtractOptions

JsonObject = dict[str, Any]


def server_sent_event(schema: JsonObject) -> JsonObject:
    """Return the schema of one server-sent event whose data is JSON, as OpenAPI 3.2 writes it."""
    json = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {"type": "object", "required": ["data"], "properties": {"data": json}}


FILE: JsonObject = {"type": "string", "format": "binary"}


def _upload(schemas: Schemas) -> JsonObject:
    whole = {**FILE, "description": "The document. Its type is seen from its content."}
    fields = {
        field.name: schemas.field(field, "request")
        for field in (*ExtractOptions.DESCRIPTOR.fields, *UploadExtractRequest.DESCRIPTOR.fields)
        if field.containing_type is ExtractOptions.DESCRIPTOR or field.name in OWN_FIELDS
    }
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {**FILE, "description": "The document."}, **fields},
    }
    return {
        "application/octet-stream": {"schema": whole},
        "multipart/form-data": {"schema": form},
    }


def _document(_: Schemas) -> JsonObject:
    whole = {**FILE, "description": "The document. Its type is seen from its content."}
    form = {"type": "object", "required": ["file"], "properties": {"file": whole}}
    return {
        "application/octet-stream": {"schema": whole},
        "multipart/form-data": {"schema": form},
    }


def _result() -> JsonObject:
    return {
        "application/json": {"schema": {"$ref": "#/components/schemas/ExtractResponse"}},
        "text/plain": {"schema": STRING},
        "text/markdown": {"schema": STRING},
    }


def _archive() -> JsonObject:
    return {"application/zip": {"schema": FILE}}


def _token_form(_: Schemas) -> JsonObject:
    grants = ["password", "refresh_token"]
    properties = {
        "grant_type": {"type": "string", "enum": grants, "default": "password"},
        "username": {"type": "string", "description": "User name or e-mail address."},
        "password": {"type": "string", "format": "password"},
        "refresh_token": {"type": "string", "description": "For `grant_type=refresh_token`."},
    }
    form = {"type": "object", "properties": properties}
    return {"application/x-www-form-urlencoded": {"schema": form}}


def _object(required: tuple[str, ...] = (), /, **properties: JsonObject) -> JsonObject:
    schema: JsonObject = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _list(item: JsonObject, **more: Any) -> JsonObject:
    return {"type": "array", "items": item, **more}


STRING: JsonObject = {"type": "string"}
INTEGER: JsonObject = {"type": "integer"}
BOOLEAN: JsonObject = {"type": "boolean"}
URL: JsonObject = {
    "type": "string",
    "description": "A `data:` URL with the document in base64, or where the server allows it an "
    "`https:` one.",
}


def _mistral_request(_: Schemas) -> JsonObject:
    kinds = ["document_url", "image_url"]
    document = _object(
        ("type",),
        type={"type": "string", "enum": kinds},
        document_url=URL,
        image_url=URL,
        document_name=STRING,
    )
    pages = _list(INTEGER, description="The pages to read, counted from 0. Absent: all.")
    model = {"type": "string", "description": "The engine; see `ListModels`."}
    schema = _object(("document",), model=model, document=document, pages=pages)
    return {"application/json": {"schema": schema}}


def _mistral_answer() -> JsonObject:
    size = _object(dpi=INTEGER, height=INTEGER, width=INTEGER)
    page = _object(
        ("index", "markdown"),
        index={"type": "integer", "description": "From 0."},
        markdown=STRING,
        images=_list({"type": "object"}),
        dimensions={"anyOf": [size, {"type": "null"}]},
    )
    usage = _object(pages_processed=INTEGER, doc_size_bytes={"type": ["integer", "null"]})
    schema = _object(
        ("pages", "model", "usage_info"), pages=_list(page), model=STRING, usage_info=usage
    )
    return {"application/json": {"schema": schema}}


def _chat_request(_: Schemas) -> JsonObject:
    image = _object(("url",), url=URL)
    file = _object(file_data=URL, filename=STRING)
    part = _object(
        ("type",),
        type={"type": "string", "enum": ["text", "image_url", "file"]},
        text=STRING,
        image_url=image,
        file=file,
    )
    message = _object(
        ("role", "content"),
        role={"type": "string", "enum": ["system", "developer", "user", "assistant"]},
        content={"anyOf": [STRING, _list(part)]},
    )
    schema = _object(
        ("model", "messages"),
        model={"type": "string", "description": "The engine; see `ListModels`."},
        messages=_list(message, minItems=1),
        stream={**BOOLEAN, "description": "Whether to answer in server-sent events."},
    )
    return {"application/json": {"schema": schema}}


def _chat_answer() -> JsonObject:
    def answer(kind: str, part: str) -> JsonObject:
        message = _object(role=STRING, content={"type": ["string", "null"]})
        choice = _object(
            index=INTEGER, finish_reason={"type": ["string", "null"]}, **{part: message}
        )
        tokens = _object(prompt_tokens=INTEGER, completion_tokens=INTEGER, total_tokens=INTEGER)
        return _object(
            ("id", "object", "created", "model", "choices"),
            id=STRING,
            object={"type": "string", "const": kind},
            created=INTEGER,
            model=STRING,
            choices=_list(choice),
            usage={"anyOf": [tokens, {"type": "null"}]},
        )

    event = server_sent_event(answer("chat.completion.chunk", "delta"))
    chunk = event["properties"]["data"]
    last = {"type": "string", "const": "[DONE]", "description": "The last event."}
    event["properties"]["data"] = {"anyOf": [chunk, last]}
    return {
        "application/json": {"schema": answer("chat.completion", "message")},
        "text/event-stream": {"schema": event},
    }


RAW_REQUESTS: Mapping[str, Callable[[Schemas], JsonObject]] = {
    "AuthService.IssueToken": _token_form,
    "OcrService.UploadExtract": _upload,
    "BatchService.UploadDocument": _document,
    "CompatibilityService.RecognizeDocument": _mistral_request,
    "CompatibilityService.CreateChatCompletion": _chat_request,
}
"""By RPC: the content of a request, by media type."""

RAW_ANSWERS: Mapping[str, Callable[[], JsonObject]] = {
    "BatchService.DownloadBatchDocument": _result,
    "BatchService.DownloadBatch": _archive,
    "CompatibilityService.RecognizeDocument": _mistral_answer,
    "CompatibilityService.CreateChatCompletion": _chat_answer,
}
"""By RPC: the content of an answer, by media type."""
