import itertools
import json
from pathlib import Path

import pytest

from ocr_grpc_client.policy import SERVICE_CONFIG, retry_policy

CONTRACT = Path(__file__).parents[3] / "protos/ocr_grpc/v1/service_config.json"


def test_the_copy_in_the_package_is_the_policy_of_the_contract():
    assert CONTRACT.read_text() == SERVICE_CONFIG


def test_a_method_has_its_own_policy_else_that_of_its_service():
    assert "UNAVAILABLE" in retry_policy("/ocr_grpc.v1.BatchService/WatchBatch").codes
    assert "UNAVAILABLE" not in retry_policy("/ocr_grpc.v1.BatchService/UploadDocument").codes
    assert "UNAVAILABLE" not in retry_policy("/ocr_grpc.v1.KeysService/CreateKey").codes
    assert "UNAVAILABLE" in retry_policy("/ocr_grpc.v1.AuthService/GetMe").codes


def test_delays_grow_to_their_bound_and_do_not_meet():
    policy = retry_policy("/ocr_grpc.v1.OcrService/ResumeExtract")
    delays = list(itertools.islice(policy.delays(), 12))
    assert delays[0] <= policy.initial_seconds
    assert policy.max_seconds / 2 <= delays[-1] <= policy.max_seconds
    assert delays != list(itertools.islice(policy.delays(), 12))


@pytest.mark.parametrize("config", json.loads(SERVICE_CONFIG)["methodConfig"])
def test_every_name_in_the_policy_is_an_rpc_or_a_service(config):
    from ocr_grpc_client import services

    for name in config["name"]:
        stub = getattr(services, f"{name['service'].rsplit('.', 1)[-1]}Stub")
        method = name.get("method", "")
        assert not method or hasattr(stub, snake(method))


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
