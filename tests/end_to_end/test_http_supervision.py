"""The server and its Envoy as processes: what the death of one means for callers of the other."""

import asyncio
import json
import signal
import time

import grpc.aio
import httpx
import psutil
import pytest

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.processes import serve_http
from tests.sidecar.calls import client_of, envoy_of
from tests.support import encoded, picture

HANGING = picture(first_pixel=0)
UPLOAD = "/v1/ocr:upload"
GRACE_SECONDS = "3"


@pytest.fixture
def served(tmp_path):
    settings = {"ENGINE": "hang", "ENGINE_WORKERS": "2", "SHUTDOWN_GRACE_SECONDS": GRACE_SECONDS}
    with serve_http(tmp_path, **settings) as served:
        yield served


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/ocr/capabilities", trust_env=False, timeout=30).is_success
    except httpx.TransportError:
        return False


def test_envoy_is_back_soon_and_direct_callers_never_notice(served):
    process, address, url = served
    envoy = envoy_of(process.pid)

    async def kill_during_a_stream() -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            stub = OcrServiceStub(channel)
            stream = stub.StreamExtract(pb.StreamExtractRequest(content=encoded(HANGING)))
            for _ in range(3):
                await stream.read()
            envoy.kill()
            began = time.monotonic()
            while not await asyncio.to_thread(answers, url):
                await stub.GetCapabilities(pb.GetCapabilitiesRequest())
            assert time.monotonic() - began < 30
            assert not stream.done()
            stream.cancel()

    asyncio.run(kill_during_a_stream())
    assert envoy_of(process.pid).pid != envoy.pid


def test_envoy_ends_with_a_server_that_is_killed(served):
    process, _, url = served
    children = psutil.Process(process.pid).children(recursive=True)
    envoy = envoy_of(process.pid)
    process.kill()
    _, alive = psutil.wait_procs([envoy], timeout=30)
    assert not alive
    assert not answers(url)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_a_stream_at_the_end_of_the_grace_says_why_it_ends(served):
    process, _, url = served
    children = psutil.Process(process.pid).children(recursive=True)
    began = time.monotonic()
    with (
        client_of(url) as client,
        client.stream("POST", UPLOAD, content=encoded(HANGING)) as answer,
    ):
        lines = answer.iter_lines()
        for _ in range(3):
            next(lines)
        process.send_signal(signal.SIGTERM)
        last = json.loads([*lines][-1])
    assert last["failed"]["reason"] == "SHUTTING_DOWN"
    assert time.monotonic() - began < float(GRACE_SECONDS) + 3
    assert process.wait(timeout=10) == 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
