"""How annotations become bindings, and bindings become routes."""

import pytest
from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from ocr_grpc.http_rules import HttpBinding, bindings_of
from ocr_grpc.openapi.routes import routes_of
from ocr_grpc.sidecar.routes import routes
from tests.sidecar.envoys import plan_in

RULE = HttpRule(
    get="/v1/things/{id}",
    response_body="id",
    additional_bindings=[
        HttpRule(post="/v1/things/{id}:read", body="*"),
        HttpRule(custom={"kind": "QUERY", "path": "/v1/things"}),
    ],
)


def service(rule: HttpRule | None) -> ServiceDescriptor:
    """Return a service with one method, which streams."""
    file = FileDescriptorProto(name="things.proto", package="things", syntax="proto3")
    file.message_type.add(name="Thing").field.add(name="id", number=1, type=9, label=1)
    method = file.service.add(name="Things").method.add(
        name="Read", input_type=".things.Thing", output_type=".things.Thing", server_streaming=True
    )
    if rule is not None:
        method.options.Extensions[annotations_pb2.http].CopyFrom(rule)
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("things.Things")


def test_every_binding_is_found():
    assert bindings_of(service(RULE).methods[0]) == (
        HttpBinding("GET", "/v1/things/{id}", body="", response_body="id"),
        HttpBinding("POST", "/v1/things/{id}:read", body="*", response_body=""),
        HttpBinding("QUERY", "/v1/things", body="", response_body=""),
    )
    assert bindings_of(service(None).methods[0]) == ()


def test_a_binding_without_a_path_is_refused():
    with pytest.raises(ValueError, match="without a path"):
        bindings_of(service(HttpRule(body="*")).methods[0])


def test_every_binding_is_routed_and_described(tmp_path):
    things = service(RULE)
    allowed, streamed = [], []
    for route in routes(plan_in(tmp_path), [things]):
        where = route["match"].get("path") or route["match"].get("safe_regex", {}).get("regex")
        if "direct_response" in route:
            allowed.append((where, route["response_headers_to_add"][0]["header"]["value"]))
        elif "headers" in route["match"]:
            streamed.append(where)
    paths = ["/v1/things/[^/:]+", "/v1/things/[^/:]+:read", "/v1/things"]
    assert [where for where in streamed if where in paths] == paths
    assert list(zip(paths, ("GET", "POST", "QUERY"), strict=True)) == [
        (where, method) for where, method in allowed if where in paths
    ]
    described = [(route.verb, route.path, route.operation_id) for route in routes_of([things])]
    assert described == [
        ("get", "/v1/things/{id}", "Things_Read"),
        ("post", "/v1/things/{id}:read", "Things_Read_2"),
        ("query", "/v1/things", "Things_Read_3"),
    ]
