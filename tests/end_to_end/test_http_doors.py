"""Everything that goes through the one HTTP port beside REST, and serving without it."""

import base64
import socket
import struct
import subprocess

import grpc
import grpc.aio
import httpx
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.processes import COMMAND, environment, serve
from tests.sidecar.calls import JSON, authority, door
from tests.support import (
    collect,
    encoded,
    kinds,
    picture,
    refusal,
    text_pdf,
    upload,
)

GRPC_WEB = "application/grpc-web+proto"
WEB_TEXT = "application/grpc-web-text"
TRAILERS = 0x80
ONE_PAGE = ["started", "page_started", *["delta"] * 4, "page_finished", "finished"]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with door(tmp_path_factory.mktemp("doors"), METRICS_ON_HTTP="true") as client:
        yield client


@pytest.fixture
async def channel(client):
    async with grpc.aio.insecure_channel(authority(client)) as channel:
        yield channel


def web_call(client: httpx.Client, method: str, message: bytes, **headers: str) -> httpx.Response:
    """Call as gRPC-Web does: a frame in, frames out."""
    frame = struct.pack(">BI", 0, len(message)) + message
    headers = {"content-type": GRPC_WEB, "x-grpc-web": "1"} | headers
    return client.post(f"/ocr_grpc.v1.OcrService/{method}", content=frame, headers=headers)


def frames(answer: httpx.Response) -> list[tuple[int, bytes]]:
    assert answer.headers["content-type"].startswith("application/grpc-web")
    content, found = answer.content, []
    while content:
        kind, size = struct.unpack(">BI", content[:5])
        found.append((kind, content[5 : 5 + size]))
        content = content[5 + size :]
    return found


def test_health_is_told_to_probes_without_a_call_of_the_service(client):
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "SERVING"})
    assert answer.headers["content-type"] == JSON


def test_details_of_health_are_an_rpc(client):
    components = client.get("/health/details").json()["components"]
    assert {"database", "engine", "disk"} <= {each["name"] for each in components}


def test_metrics_are_served_where_a_setting_says_so(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# HELP ocr_sidecar" in answer.text
    assert client.get("/metrics/more").status_code == 404


async def test_grpc_has_health_and_reflection_here_too(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "ocr_grpc.v1.OcrService"):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    watch = health.Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    [listed] = await collect(reflection.ServerReflectionInfo(iter([request])))
    names = {service.name for service in listed.list_services_response.service}
    assert {"ocr_grpc.v1.OcrService", "grpc.health.v1.Health"} <= names


async def test_grpc_streams_in_both_directions_here_too(channel):
    stub = OcrServiceStub(channel)
    found = await collect(stub.UploadExtract(upload(encoded(picture()), 500)))
    assert kinds(found) == ONE_PAGE
    answer = await stub.Extract(pb.ExtractRequest(content=text_pdf(2, 1)))
    assert len(answer.pages) == 2
    call = stub.StreamExtract(pb.StreamExtractRequest(content=b""))
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "EMPTY_DOCUMENT")


async def test_a_large_message_passes_and_one_that_is_too_large_has_its_reason(channel):
    stub = OcrServiceStub(channel)
    large = text_pdf(1, 1) + b"%" + bytes(30 * 2**20)
    assert (await stub.Extract(pb.ExtractRequest(content=large))).usage.pages == 1
    call = stub.Extract(pb.ExtractRequest(content=large + bytes(8 * 2**20)))
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "DOCUMENT_TOO_LARGE")


async def test_a_deadline_of_grpc_is_kept_here_too(channel):
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=0.5)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await collect(watch)
    assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_grpc_web_answers_with_a_message_and_trailers(client):
    (kind, message), (last, trailers) = frames(web_call(client, "GetCapabilities", b""))
    assert kind == 0
    assert pb.GetCapabilitiesResponse.FromString(message).engines[0].name == "null"
    assert last == TRAILERS
    assert b"grpc-status:0" in trailers.replace(b" ", b"")


def test_grpc_web_streams_messages_one_by_one(client):
    request = pb.StreamExtractRequest(content=encoded(picture())).SerializeToString()
    *messages, (last, trailers) = frames(web_call(client, "StreamExtract", request))
    found = [pb.StreamExtractResponse.FromString(message) for _, message in messages]
    assert kinds(found) == ONE_PAGE
    assert last == TRAILERS
    assert b"grpc-status:0" in trailers.replace(b" ", b"")


def test_an_error_over_grpc_web_keeps_its_code_and_details(client):
    request = pb.ExtractRequest(content=b"").SerializeToString()
    answer = web_call(client, "Extract", request)
    said = dict(answer.headers)
    for kind, text in frames(answer):
        assert kind == TRAILERS
        said |= dict(line.split(":", 1) for line in text.decode().splitlines())
    assert said["grpc-status"].strip() == "3"
    details = said["grpc-status-details-bin"].strip()
    assert b"EMPTY_DOCUMENT" in base64.b64decode(details + "=" * (-len(details) % 4))


def test_grpc_web_as_text_works_as_well(client):
    content = base64.b64encode(struct.pack(">BI", 0, 0))
    answer = client.post(
        "/ocr_grpc.v1.OcrService/GetCapabilities",
        content=content,
        headers={"content-type": WEB_TEXT, "accept": WEB_TEXT, "x-grpc-web": "1"},
    )
    assert answer.headers["content-type"].startswith(WEB_TEXT)
    assert base64.b64decode(answer.text[:8])[:1] == b"\0"


def test_a_taken_port_is_said_so_at_once(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [COMMAND, "serve"],
            env=environment(tmp_path, HTTP_PORT=port),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(said) == 1
    assert f"127.0.0.1:{port}: Address already in use. HTTP_PORT chooses another port" in said[0]


def test_a_machine_without_envoy_has_grpc_alone_and_says_so(tmp_path):
    missing = str(tmp_path / "no-envoy")
    process = subprocess.Popen(
        [COMMAND, "serve"],
        env=environment(tmp_path, ENVOY_BINARY=missing),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = process.stdout.readline()
    process.terminate()
    _, logged = process.communicate(timeout=30)
    assert ready.startswith("ready grpc=127.0.0.1:")
    assert "http=" not in ready
    [said] = [line for line in logged.splitlines() if "no_http" in line]
    assert f"ENVOY_BINARY: {missing} is no program" in said
    assert process.returncode == 0


def test_no_http_leaves_it_out(tmp_path):
    with serve(tmp_path) as (process, _):
        names = [child.name() for child in psutil.Process(process.pid).children()]
        assert names
        assert "envoy" not in names
