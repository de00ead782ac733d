"""The policy for retries and deadlines covers the contract."""

import json

import pytest

from tests.clients.called import PROTOS, rpcs

FILE = PROTOS / "ocr_grpc" / "v1" / "service_config.json"
POLICY = json.loads(FILE.read_text())
ENDLESS = {"BatchService/WatchBatch"}
READS = ("Get", "List", "Download", "Watch", "Resume")


def entry(rpc: str) -> dict:
    """Return the entry of an RPC as gRPC finds it: its own before that of its service."""
    service, method = rpc.removeprefix("/").split("/")
    for name in ({"service": service, "method": method}, {"service": service}):
        found = [each for each in POLICY["methodConfig"] if name in each["name"]]
        if found:
            assert len(found) == 1, f"{name} stands twice"
            return found[0]
    raise AssertionError(f"{rpc} has no entry")


@pytest.mark.parametrize("rpc", rpcs())
def test_every_rpc_has_a_deadline_and_only_reads_are_repeated_after_a_broken_connection(rpc):
    found = entry(rpc)
    assert ("timeout" in found) != (rpc.removeprefix("/ocr_grpc.v1.") in ENDLESS)
    codes = found.get("retryPolicy", {}).get("retryableStatusCodes", [])
    is_read = rpc.rsplit("/", 1)[1].startswith(READS)
    assert ("UNAVAILABLE" in codes) == is_read
    assert ("RESOURCE_EXHAUSTED" in codes) or rpc.startswith("/ocr_grpc.v1.AuthService/")


def test_it_names_nothing_that_the_contract_does_not_have():
    contract = {*rpcs(), "/grpc.health.v1.Health/Check"}
    services = {rpc.split("/")[1] for rpc in contract}
    for each in POLICY["methodConfig"]:
        for name in each["name"]:
            rpc = f"/{name['service']}/{name.get('method', '')}"
            assert rpc in contract if "method" in name else name["service"] in services
