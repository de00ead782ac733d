"""The HTTP door keeps what its OpenAPI document promises, whatever comes in.

Every operation gets calls made up from its description, right ones and wrong ones, by an
administrator; and each call with an id in its path once more with the id of something that exists.
The calls are the same in every run.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ocr_grpc.openapi.__main__ import WEB
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.processes import serve_http

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
PASSWORD = "correct horse battery"
LEAVER = "leaver"
"""Somebody whose sessions may end."""
CALLS_EACH = int(os.environ.get("CONFORMANCE_CALLS", "5"))
"""Whoever sets it, to 200 say, gets every parameter's limits tried as well: many minutes."""

DOCUMENT = json.loads((WEB / "openapi.json").read_bytes())

COVERAGE = {"enabled": "CONFORMANCE_CALLS" in os.environ, "unexpected-methods": []}

schema = schemathesis.openapi.from_path(
    WEB / "openapi.json",
    config=SchemathesisConfig.from_dict(
        {
            # Credentials are given below: made-up ones would end every call before it begins.
            "generation": {"mode": "all", "with-security-parameters": False},
            "phases": {"coverage": COVERAGE},
        }
    ),
)


@dataclass(frozen=True)
class Door:
    """A running service, and an administrator before it."""

    client: httpx.Client

    def made(self, path: str, **body: object) -> dict:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def signed_in(self, user_name: str) -> dict[str, str]:
        """Return the header of a new session."""
        tokens = self.made("/v1/auth/login", user_name=user_name, password=PASSWORD)
        return {"authorization": f"Bearer {tokens['access_token']}"}


@pytest.fixture(scope="module")
def door(tmp_path_factory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("conformance")
    values = {"ANONYMOUS_CALLS_PER_MINUTE": "0", "AUTH_ENABLED": "true"}
    values |= {"BOOTSTRAP_USER": "admin", "BOOTSTRAP_PASS": PASSWORD}
    with (
        serve_http(folder, **values) as (_, _, url),
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        door = Door(client)
        client.headers.update(door.signed_in("admin"))
        door.made("/v1/admin/users", user={"user_name": LEAVER}, password=PASSWORD)
        yield door


@pytest.fixture
def existing(door, request) -> Iterator[dict[str, str]]:
    """Return the ids of things that may be changed and deleted, by the names of parameters."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())[-50:]
    user, owner = (
        door.made("/v1/admin/users", user={"user_name": f"{name}-{role}"})["user"]["user_id"]
        for role in ("user", "owner")
    )
    acme = door.made("/v1/organizations", display_name="acme", owner_user_id=owner)["organization"]
    # Somebody who owns an organization cannot be deleted, and somebody else is no member of it.
    in_organizations = "organizations" in request.node.name
    uploaded = door.client.post("/v1/documents", content=b"some text").json()["document"]
    batch = door.made("/v1/batches", documents=[{"content": "QQ=="}])["batch"]
    listed = door.client.get(f"/v1/batches/{batch['batch_id']}/documents").json()["documents"]
    yield {
        "user_id": owner if in_organizations else user,
        "organization_id": acme["organization_id"],
        "key_id": door.made("/v1/keys")["key"]["key_id"],
        "invite_id": door.made("/v1/admin/invites")["invite"]["invite_id"],
        "upload_id": uploaded["upload_id"],
        "batch_id": batch["batch_id"],
        "document_id": listed[0]["document_id"],
    }
    for key in door.client.get("/v1/keys?page_size=500").json()["keys"]:  # 100 are allowed
        door.client.delete(f"/v1/keys/{key['key_id']}")


@schema.parametrize()
@settings(
    max_examples=CALLS_EACH,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_answer_is_as_described(case, door, existing):
    _call(case, door)
    ids = {name: existing[name] for name in case.path_parameters if name in existing}
    if ids:
        case.path_parameters = {**case.path_parameters, **ids}
        _call(case, door)


def _call(case: schemathesis.Case, door: Door) -> None:
    headers = {"authorization": door.client.headers["authorization"]}
    if case.operation.label == "POST /v1/auth/logout":
        headers = door.signed_in(LEAVER)  # the administrator's sessions are needed
    answer = case.call_and_validate(
        base_url=str(door.client.base_url), headers=headers, checks=CHECKS
    )
    described = DOCUMENT["paths"][case.operation.path][case.method.lower()]["responses"]
    # Each has a `default`, with which any code would be right.
    assert str(answer.status_code) in described, answer.content
    if answer.headers["content-type"][0] == "application/x-ndjson":
        event = described["200"]["content"]["application/x-ndjson"]["schema"]
        _check_events(event, [json.loads(line) for line in answer.content.splitlines()])


def _check_events(event: dict, events: list[dict]) -> None:
    validator = jsonschema_rs.validator_for({**event, "components": DOCUMENT["components"]})
    for each in events:
        validator.validate(each)
    # Whoever has seen all of them gets none.
    assert not events or {"finished", "failed"} & events[-1].keys()


@pytest.mark.parametrize("path", ["/v1/ocr:stream", "/v1/ocr:upload"])
def test_server_sent_events_are_as_described(door, path):
    body = {"content": "SGVsbG8=", "file_name": "a.txt"}
    request = {"content": b"Hello"} if path.endswith("upload") else {"json": body}
    answer = door.client.post(path, headers={"accept": "text/event-stream"}, **request)
    assert answer.headers["content-type"] == "text/event-stream"
    events = [part for part in answer.text.split("\n\n") if part]
    assert all(each.startswith("data: ") for each in events)
    schema = DOCUMENT["paths"][path]["post"]["responses"]["200"]["content"]
    event = schema["application/x-ndjson"]["schema"]
    _check_events(event, [json.loads(each.removeprefix("data: ")) for each in events])


@pytest.mark.parametrize(
    "header",
    [
        {"x$company": "1"},
        {"x-signature-bin": "not base64!"},
        {"grpc-encoding": "none that is known"},
        {"x-name": "José".encode()},
    ],
    ids=["its name", "its bytes", "its encoding", "its letters"],
)
def test_a_header_that_grpc_could_not_carry_does_no_harm(door, header):
    assert door.client.get("/v1/users/me", headers=header).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/ocr:extract",
        "/v1/ocr:stream",
        "/v1/ocr:inspect",
        "/v1/ocr",
        "/v1/chat/completions",
        "/v1/keys",
    ],
)
def test_the_example_works_as_it_stands(door, path):
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]
    answer = door.client.post(path, json=content["application/json"]["example"])
    assert answer.status_code == 200, answer.text


def test_metadata_that_cannot_be_read_harms_no_other_caller(door):
    """Callers share the sidecar's connection to the service, and with it what HTTP/2 remembers."""
    grpc_call = "/ocr_grpc.v1.OcrService/GetCapabilities"
    unreadable = {"content-type": "application/grpc", "te": "trailers", "x-trace-bin": "!!!"}
    for _ in range(3):
        door.client.post(grpc_call, headers=unreadable, content=bytes(5))
    address = f"{door.client.base_url.host}:{door.client.base_url.port}"
    with grpc.insecure_channel(address) as channel:
        stub = OcrServiceStub(channel)
        answer = stub.GetCapabilities(
            pb.GetCapabilitiesRequest(), metadata=[("x-trace-bin", b"abc")], timeout=10
        )
    assert answer.version
