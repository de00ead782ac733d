"""What Envoy answers by itself, in the form of all other errors."""

from ocr_grpc.sidecar.plan import ORIGINAL_PATH, JsonObject

DOMAIN = "ocr_grpc"
HEALTH_PATH = "/health"

CODES: dict[int, tuple[int, str]] = {
    400: (3, "MALFORMED_REQUEST"),
    401: (16, "CREDENTIALS_MISSING"),
    403: (7, "FORBIDDEN"),
    404: (5, "PATH_NOT_FOUND"),
    405: (12, "METHOD_NOT_ALLOWED"),
    408: (4, "REQUEST_TIMED_OUT"),
    413: (8, "REQUEST_TOO_LARGE"),
    415: (3, "MALFORMED_REQUEST"),
    426: (3, "MALFORMED_REQUEST"),
    429: (8, "TOO_MANY_REQUESTS"),
    431: (8, "HEADERS_TOO_LARGE"),
    500: (13, "INTERNAL"),
    501: (12, "NOT_IMPLEMENTED"),
    502: (14, "SERVICE_UNAVAILABLE"),
    503: (14, "SERVICE_UNAVAILABLE"),
    504: (4, "REQUEST_TIMED_OUT"),
    507: (14, "SERVICE_UNAVAILABLE"),
}
"""HTTP codes of Envoy's own answers: the gRPC code and the reason that stand for them."""


def local_reply_config() -> JsonObject:
    """Return how Envoy's own answers look: a `google.rpc.Status` as JSON, for all but gRPC."""
    return {"mappers": [*_health(), *(_mapper(code) for code in CODES)]}


def _mapper(http_code: int) -> JsonObject:
    code, reason = CODES[http_code]
    error_info: JsonObject = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": DOMAIN,
        "metadata": {},
    }
    body: JsonObject = {"code": code, "message": "%LOCAL_REPLY_BODY%", "details": [error_info]}
    return {
        "filter": {"and_filter": {"filters": [_has_status(http_code), _IS_NO_GRPC]}},
        "body_format_override": {"json_format": body, "content_type": "application/json"},
    }


def _health() -> list[JsonObject]:
    """Return bodies for the answers of the health check, which has none of its own."""
    path = {"header": {"name": ":path", "string_match": {"exact": HEALTH_PATH}}}
    return [
        {
            "filter": {
                "and_filter": {"filters": [_has_status(http_code), {"header_filter": path}]}
            },
            "body_format_override": {
                "json_format": {"status": status},
                "content_type": "application/json",
            },
        }
        for http_code, status in ((200, "SERVING"), (503, "NOT_SERVING"))
    ]


def _has_status(http_code: int) -> JsonObject:
    value = {"default_value": http_code, "runtime_key": f"local_reply_{http_code}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


# The transcoder has rewritten the content type before some of its own errors, hence both.
_IS_NO_GRPC: JsonObject = {
    "or_filter": {
        "filters": [
            {"header_filter": {"header": {"name": ORIGINAL_PATH, "present_match": True}}},
            {
                "header_filter": {
                    "header": {
                        "name": "content-type",
                        "string_match": {"prefix": "application/grpc"},
                        "invert_match": True,
                        "treat_missing_header_as_empty": True,
                    }
                }
            },
        ]
    }
}
