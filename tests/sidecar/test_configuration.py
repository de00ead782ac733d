"""The configuration of Envoy, part by part; Envoy itself judges the whole."""

import json
import re
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.sidecar.bootstrap import bootstrap
from ocr_grpc.sidecar.descriptors import descriptor_set
from ocr_grpc.sidecar.envoy import find_envoy, validate
from ocr_grpc.sidecar.filters import DOCUMENT_LIMIT, SMALL_LIMIT
from ocr_grpc.sidecar.local_replies import CODES
from ocr_grpc.sidecar.routes import routes, rpcs
from ocr_grpc.sidecar.web_files import TRANSCODER, find_web_files, web_routes
from tests.sidecar.envoys import plan_in


def manager(config: dict[str, Any]) -> dict[str, Any]:
    listener = config["static_resources"]["listeners"][0]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def answering(found: list[dict[str, Any]], path: str, **headers: str) -> dict[str, Any]:
    """Return the route that a request gets, by the matches that our routes use."""

    def said(name: str, matcher: dict[str, Any]) -> bool:
        value = headers.get(name.strip(":").replace("-", "_"))
        if matcher.get("present_match"):
            return value is not None
        how = matcher["string_match"]
        if "contains" in how:
            return how["contains"] in (value or "")
        if "exact" in how:
            return how["exact"] == value
        return re.fullmatch(how["safe_regex"]["regex"], value or "") is not None

    for route in found:
        match = route["match"]
        fits = (
            path == match.get("path")
            or path.startswith(match.get("prefix", "\0"))
            or re.fullmatch(match.get("safe_regex", {"regex": "\0"})["regex"], path)
        )
        if fits and all(
            said(each["name"], each) != each.get("invert_match", False)
            for each in match.get("headers", ())
        ):
            return route
    raise AssertionError(f"No route for {path}.")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cors_origins": ("*",), "trusted_hops": 2, "metrics_upstream": "127.0.0.1:9090"},
        {"admin_socket": None, "web_files": find_web_files()},
        {
            "upstreams": ("one:50051", "two:50051"),
            "upstream_ca": "/etc/ssl/certs/ca-certificates.crt",
        },
        {"upstreams": ("[::1]:50051",), "host": "::"},
        {"stats_listen": "[::1]:9090"},
    ],
    ids=["plain", "open", "web", "addresses", "ipv6", "stats"],
)
async def test_envoy_takes_every_form_of_it(tmp_path, changes):
    plan = plan_in(tmp_path, **changes)
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps(bootstrap(plan, SERVICES)))
    await validate(find_envoy(None), config)


def test_sockets_and_addresses_are_not_mixed(tmp_path):
    with pytest.raises(ValueError, match="all named by sockets"):
        bootstrap(plan_in(tmp_path, "/tmp/one.sock", "two:50051"), SERVICES)


def test_its_own_metrics_need_its_administration(tmp_path):
    plan = plan_in(tmp_path, admin_socket=None, stats_listen="127.0.0.1:9090")
    with pytest.raises(ValueError, match="which has no socket"):
        bootstrap(plan, SERVICES)


def test_slow_and_idle_clients_are_cut_off(tmp_path):
    config = bootstrap(plan_in(tmp_path), SERVICES)
    found = manager(config)
    assert found["request_headers_timeout"] == "10s"
    assert found["common_http_protocol_options"]["idle_timeout"] == "300s"
    [unread] = config["static_resources"]["listeners"][0]["socket_options"]
    assert unread["int_value"] == 60_000
    found = routes(plan_in(tmp_path), SERVICES)
    small = answering(found, "/v1/auth/login", method="POST")["route"]
    assert small["max_stream_duration"]["max_stream_duration"] == "60s"
    upload = answering(found, "/v1/ocr:upload", method="POST")["route"]
    assert upload["timeout"] == "0s"
    assert "max_stream_duration" not in upload


def test_every_path_of_the_protos_has_its_own_route_or_the_one_for_small_calls(tmp_path):
    found = routes(plan_in(tmp_path), SERVICES)
    bound = [(rpc, binding) for rpc in rpcs(SERVICES) for binding in rpc.bindings]
    assert len(bound) > 40
    for rpc, binding in bound:
        path = re.sub(r"\{[^}]*\}", "some-id", binding.path)
        filters = answering(found, path, method=binding.method).get("typed_per_filter_config", {})
        own = filters.get(TRANSCODER, {}).get("max_request_body_size", 0)
        assert (own > 0) is rpc.takes_document, rpc.path
        # Only a body in pieces may be of any size.
        assert (DOCUMENT_LIMIT in filters) is rpc.uploads, rpc.path
        assert (SMALL_LIMIT in filters) is rpc.takes_document, rpc.path
        other = answering(found, path, method="PURGE")
        assert other["direct_response"]["status"] == 405, rpc.path


def test_streams_are_events_for_whoever_asks_for_them(tmp_path):
    found = routes(plan_in(tmp_path), SERVICES)
    for accept, sse in (("*/*", False), ("text/event-stream, */*;q=0.1", True)):
        route = answering(found, "/v1/ocr:upload", method="POST", accept=accept)
        options = route["typed_per_filter_config"][TRANSCODER]["print_options"]
        assert options["stream_sse_style_delimited"] is sse


def test_a_file_is_a_file_whatever_is_accepted(tmp_path):
    found = routes(plan_in(tmp_path), SERVICES)
    path = "/v1/batches/some-id:download"
    route = answering(found, path, method="GET", accept="text/event-stream")
    assert route == answering(found, path, method="GET", accept="*/*")


def test_only_what_changes_nothing_or_is_charged_once_is_tried_again_in_mid_call(tmp_path):
    found = routes(plan_in(tmp_path), SERVICES)
    for rpc in rpcs(SERVICES):
        conditions = answering(found, rpc.path)["route"]["retry_policy"]["retry_on"].split(",")
        assert ("reset" in conditions) is (
            rpc.reads_only or (rpc.takes_document and not rpc.streams and not rpc.uploads)
        ), rpc.path
        # Of a body that is not held, what was sent is gone once the service has the call.
        assert ("reset-before-request" in conditions) is not rpc.uploads, rpc.path


def test_descriptors_hold_everything_they_mention_and_the_details_of_errors():
    found = FileDescriptorSet.FromString(descriptor_set(SERVICES))
    seen: set[str] = set()
    for file in found.file:
        assert set(file.dependency) <= seen
        seen.add(file.name)
    assert "google/rpc/error_details.proto" in seen
    named = {service.name for file in found.file for service in file.service}
    assert {service.name for service in SERVICES} <= named
    rule = SERVICES[0].methods[0].GetOptions().Extensions[annotations_pb2.http]
    assert rule.WhichOneof("pattern")


def test_every_answer_of_envoys_own_has_a_code_that_grpc_knows():
    known = {code.value[0] for code in grpc.StatusCode}
    for http_code, (code, reason) in CODES.items():
        assert 400 <= http_code < 600
        assert code in known - {0}
        assert re.fullmatch(r"[A-Z_]+", reason)


def test_files_have_the_paths_that_people_type(tmp_path):
    for name in ("index.html", "playground.html", "assets/app-1.js", "docs/index.html", ".hidden"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    found = find_web_files(tmp_path)
    assert [*found] == ["/assets/app-1.js", "/docs/", "/", "/playground"]
    by_path = {
        route["match"]["path"]: {
            each["header"]["key"]: each["header"]["value"]
            for each in route["response_headers_to_add"]
        }
        for route in web_routes({url: str(path) for url, path in found.items()})
    }
    assert "immutable" in by_path["/assets/app-1.js"]["cache-control"]
    assert by_path["/playground"]["cache-control"] == "no-cache"
    assert by_path["/"]["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in by_path["/"]["content-security-policy"]


def test_files_may_lie_elsewhere_on_the_machine_of_the_sidecar(tmp_path):
    here, there = str(tmp_path), "/etc/ocr"
    plan = plan_in(
        tmp_path, file_prefix=(here, there), web_files={"/": Path(here, "web", "index.html")}
    )
    text = json.dumps(manager(bootstrap(plan, SERVICES)))
    assert here not in text
    assert f"{there}/descriptors.binpb" in text
    assert f"{there}/web/index.html" in text
