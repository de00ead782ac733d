"""What Envoy tells of calls is read, and their paths are known."""

import json

import pytest

from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.sidecar.http_log import HttpCall, PathTemplates, read_line

TEMPLATES = PathTemplates(SERVICES, ["/", "/docs", "/assets/main.js"])


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/users/me", "/v1/users/me"),
        ("/v1/users/me:changePassword", "/v1/users/me:changePassword"),
        ("/v1/keys/abc", "/v1/keys/{key_id}"),
        ("/v1/keys/abc:rotate", "/v1/keys/{key_id}:rotate"),
        ("/v1/keys/abc/usage", "/v1/keys/{key_id}/usage"),
        ("/v1/batches/b/documents/d", "/v1/batches/{batch_id}/documents/{document_id}"),
        ("/v1/extractions/x:resume", "/v1/extractions/{extraction_id}:resume"),
        ("/", "/"),
        ("/docs", "/docs"),
        ("/health", "/health"),
        ("/assets/main.js", "(file)"),
        ("/assets/other.js", "(other)"),
        ("/v1/keys/a/b", "(other)"),
        ("", "(other)"),
    ],
)
def test_a_path_has_one_template(path, template):
    assert TEMPLATES.of(path) == template


def test_a_line_tells_a_call_without_its_query():
    told = {"method": "GET", "path": "/v1/keys?x=1", "status": 200, "milliseconds": 15}
    assert read_line(json.dumps(told).encode()) == HttpCall("GET", "/v1/keys", 200, 0.015)
    strange = read_line(json.dumps(told | {"method": "BREW"}).encode())
    assert strange is not None
    assert strange.method == "OTHER"


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"{", b'"x"', b'{"method":"GET"}', b'{"method":"GET","path":null}', b"\xff"],
)
def test_a_line_that_tells_no_call_is_passed_over(line):
    assert read_line(line) is None
