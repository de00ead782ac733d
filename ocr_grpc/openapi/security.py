"""Who may call what, as the `access` options of the protos say it."""

from typing import Any

from ocr_grpc.v1 import access_pb2

JsonObject = dict[str, Any]

BEARER = "bearer"
API_KEY = "api_key"

SCHEMES: JsonObject = {
    BEARER: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "access token or API key",
        "description": "`authorization: Bearer …` with the access token of a login, or an API key.",
    },
    API_KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "`x-api-key: ocr_…` with an API key.",
    },
}


def requirements(access: access_pb2.Access) -> list[JsonObject]:
    """Return which credentials a call takes; any one of them will do."""
    if access.audience == access_pb2.AUDIENCE_ANYONE:
        return []
    if access.audience == access_pb2.AUDIENCE_SESSIONS:
        return [{BEARER: []}]
    return [{BEARER: []}, {API_KEY: []}]


def sentence(access: access_pb2.Access) -> str:
    """Return in words who may call."""
    key = "an API key"
    if access.scope:
        key = f"an API key with `{access_pb2.Scope.Name(access.scope)}`"
    match access.audience:
        case access_pb2.AUDIENCE_ANYONE:
            return "**Access:** anyone, without credentials."
        case access_pb2.AUDIENCE_SESSIONS:
            return "**Access:** users who are signed in: an access token, no API key."
        case access_pb2.AUDIENCE_ADMINS:
            return f"**Access:** administrators (`ROLE_ADMIN`), by an access token or {key}."
        case access_pb2.AUDIENCE_USERS:
            return f"**Access:** users, by an access token or {key}."
        case other:
            raise ValueError(f"{access_pb2.Audience.Name(other)} cannot be described")
