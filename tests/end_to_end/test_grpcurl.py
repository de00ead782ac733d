"""The API by grpcurl, which knows nothing but what reflection tells it."""

import base64
import json
import os
import shutil
import subprocess

import pytest

from tests.processes import serve
from tests.support import encoded, picture

GRPCURL = shutil.which("grpcurl")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    if GRPCURL is None:
        assert not os.environ.get("CI"), "grpcurl is missing; .ci/run installs it where Go is."
        pytest.skip("grpcurl is not installed")
    with serve(tmp_path_factory.mktemp("grpcurl")) as (_, address):
        yield address


def call(address: str, method: str, *messages: dict) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GRPCURL, "-plaintext", "-d", "@", address, f"ocr_grpc.v1.OcrService/{method}"],
        input="\n".join(json.dumps(message) for message in messages),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def events(output: str) -> list[dict]:
    decoder, found = json.JSONDecoder(), []
    while output := output.strip():
        event, end = decoder.raw_decode(output)
        found.append(event)
        output = output[end:]
    return found


def content() -> str:
    return base64.b64encode(encoded(picture())).decode()


def test_services_are_listed(address):
    run = subprocess.run(
        [GRPCURL, "-plaintext", address, "list"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert {"ocr_grpc.v1.OcrService", "grpc.health.v1.Health"} <= set(run.stdout.split())


def test_a_document_is_streamed(address):
    run = call(address, "StreamExtract", {"content": content()})
    found = events(run.stdout)
    assert [event["sequence"] for event in found] == list(range(1, 9))
    assert found[2]["delta"]["text"] == "null line 1"
    assert found[-1]["finished"]["pages_ok"] == 1


def test_a_document_is_uploaded_in_pieces(address):
    data = encoded(picture())
    pieces = [data[:100], data[100:]]
    run = call(
        address,
        "UploadExtract",
        {"options": {"mode": "MODE_FORCE_OCR"}, "sizeBytes": len(data)},
        *({"content": {"data": base64.b64encode(piece).decode()}} for piece in pieces),
    )
    assert events(run.stdout)[-1]["finished"]["pages_ok"] == 1


def test_a_refusal_shows_its_reason(address):
    run = call(address, "Extract", {"content": content(), "options": {"pages": "2"}})
    assert run.returncode != 0
    assert "InvalidArgument" in run.stderr
    assert "PAGE_OUT_OF_RANGE" in run.stderr
