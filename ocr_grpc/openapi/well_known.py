"""Messages of Google's packages: their JSON is not what their fields say."""

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]


def _text(description: str) -> JsonObject:
    return {"type": "string", "description": description}


DURATION: JsonObject = {
    "type": "string",
    "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
    "examples": ["1.500s"],
}

WELL_KNOWN: Mapping[str, JsonObject] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": DURATION,
    "google.protobuf.FieldMask": {"type": "string"},
    "google.rpc.Status": {"$ref": "#/components/schemas/Status"},
}
"""By full name: the schema wherever the message stands."""


def _detail(name: str, description: str, /, **properties: JsonObject) -> JsonObject:
    kind = f"type.googleapis.com/google.rpc.{name}"
    return {
        "type": "object",
        "title": name,
        "description": description,
        "required": ["@type", *properties],
        "properties": {"@type": {"type": "string", "const": kind}, **properties},
    }


def _list(description: str, /, **properties: JsonObject) -> JsonObject:
    item: JsonObject = {"type": "object", "properties": properties}
    return {"type": "array", "description": description, "items": item}


DETAILS = {
    "ErrorInfo": _detail(
        "ErrorInfo",
        "Says what went wrong, for programs. Every error of the service has one.",
        reason=_text("A stable word such as `PASSWORD_REQUIRED`."),
        domain=_text("Always `ocr_grpc`."),
        metadata={
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "What varies in the message.",
        },
    ),
    "BadRequest": _detail(
        "BadRequest",
        "Names the fields that are at fault.",
        field_violations=_list(
            "One for each field.",
            field=_text("The path of the field, such as `options.dpi`."),
            description=_text("What is wrong with it."),
            reason=_text("The same as a stable word."),
        ),
    ),
    "QuotaFailure": _detail(
        "QuotaFailure",
        "Says which quota is spent.",
        violations=_list(
            "One for each quota.",
            subject=_text("Whose quota it is."),
            description=_text("What is spent."),
        ),
    ),
    "RetryInfo": _detail(
        "RetryInfo",
        "Says when to come again. `Retry-After` says it in whole seconds.",
        retry_delay=DURATION,
    ),
}
"""What the details of an error are, by name; see `ocr_grpc/rpc/status.py`."""

STATUS: JsonObject = {
    "type": "object",
    "description": "Says why a call failed (`google.rpc.Status`).",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {
            "type": "integer",
            "format": "int32",
            "minimum": 1,
            "maximum": 16,
            "description": "The gRPC code, such as 3 for `INVALID_ARGUMENT`.",
        },
        "message": _text("A sentence for developers. It may change; the reason does not."),
        "details": {
            "type": "array",
            "description": "More for programs. New types may be added.",
            "items": {
                "anyOf": [
                    *({"$ref": f"#/components/schemas/{name}"} for name in DETAILS),
                    {
                        "type": "object",
                        "title": "Other",
                        "required": ["@type"],
                        "properties": {
                            "@type": {
                                "type": "string",
                                "not": {
                                    "enum": [
                                        detail["properties"]["@type"]["const"]
                                        for detail in DETAILS.values()
                                    ]
                                },
                            }
                        },
                    },
                ]
            },
        },
    },
}

ERROR_SCHEMAS: Mapping[str, JsonObject] = {"Status": STATUS, **DETAILS}
"""The schemas of an error, by name."""
