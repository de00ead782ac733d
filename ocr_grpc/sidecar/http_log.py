"""What Envoy tells of each HTTP call, and which of the contract's paths it was.

Calls of gRPC and gRPC-Web are left out: the server counts these itself, and better.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from ocr_grpc.http_rules import bindings_of
from ocr_grpc.sidecar.local_replies import HEALTH_PATH
from ocr_grpc.sidecar.plan import ORIGINAL_PATH, JsonObject, typed

STDOUT = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
FILE = "(file)"
OTHER = "(other)"
"""For paths of nobody: there are as many as callers can think of."""

OWN_PATHS = (HEALTH_PATH, "/metrics")
"""What Envoy answers beside RPCs and files."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_VARIABLE = re.compile(r"{[a-z_.]+(?:=\*)?}")


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A call over HTTP that is over."""

    method: str
    path: str
    """As it came, without the query, cut off after 300 characters."""
    status: int
    """What the client saw; 0 if it left before."""
    seconds: float


def access_log() -> list[JsonObject]:
    """Return Envoy's configuration: a line of JSON on its standard output for each call."""
    has_rest_path = {"header_filter": {"header": _present(ORIGINAL_PATH)}}
    is_no_grpc = {
        "header_filter": {
            "header": {
                "name": "content-type",
                "string_match": {"prefix": "application/grpc"},
                "invert_match": True,
                "treat_missing_header_as_empty": True,
            }
        }
    }
    line = {
        "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
        "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):300%",
        "status": "%RESPONSE_CODE%",
        "milliseconds": "%DURATION%",
    }
    return [
        {
            "name": "envoy.access_loggers.stdout",
            "filter": {"or_filter": {"filters": [has_rest_path, is_no_grpc]}},
            "typed_config": typed(STDOUT, log_format={"json_format": line}),
        }
    ]


def _present(header: str) -> JsonObject:
    return {"name": header, "present_match": True}


def read_line(line: bytes) -> HttpCall | None:
    """Return the call that a line tells; None if it tells none."""
    try:
        told = json.loads(line)
        return HttpCall(
            told["method"] if told["method"] in METHODS else "OTHER",
            told["path"].partition("?")[0],
            int(told["status"]),
            int(told["milliseconds"]) / 1000,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class PathTemplates:
    """Knows the paths of the contract."""

    def __init__(self, services: Sequence[ServiceDescriptor], files: Iterable[str]) -> None:
        """Take what is served.

        Args:
            services: those with `google.api.http` options.
            files: the URL paths of files that are served as they are.
        """
        templates = {
            binding.path
            for service in services
            for method in service.methods
            for binding in bindings_of(method)
        }
        # Those without a variable first: `/v1/users/me` is no `{user_id}`.
        ordered = sorted(templates, key=lambda path: (path.count("{"), path))
        self._templates = [(re.compile(_pattern(path)), path) for path in ordered]
        self._files = frozenset((*files, *OWN_PATHS))

    def of(self, path: str) -> str:
        """Return the template of a path, such as `/v1/keys/{key_id}`."""
        if path in self._files:
            return FILE if "." in path else path
        found = (template for pattern, template in self._templates if pattern.fullmatch(path))
        return next(found, OTHER)


def _pattern(template: str) -> str:
    fixed = [re.escape(part) for part in _VARIABLE.split(template)]
    return "[^/:]+".join(fixed)
