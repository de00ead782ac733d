"""What Prometheus is told of calls and documents is what happened."""

import asyncio
import re
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.engines.machines import machine
from tests.support import channel_to, collect, encoded, picture, running, text_pdf, upload

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


async def scraped(server) -> dict[tuple[str, frozenset], float]:
    async with httpx.AsyncClient() as prometheus:
        text = (await prometheus.get(f"http://127.0.0.1:{server.metrics_port}/metrics")).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: dict, name: str, **labels: str) -> float:
    """Return the sum of all samples of a name that have some labels."""
    wanted = set(labels.items())
    return sum(each for (found, has), each in samples.items() if found == name and wanted <= has)


@pytest.fixture
async def server(tmp_path):
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def stub(server):
    async with channel_to(server) as channel:
        yield OcrServiceStub(channel)


async def test_calls_are_counted_by_method_and_status(server, stub):
    await stub.GetCapabilities(pb.GetCapabilitiesRequest())
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.Extract(pb.ExtractRequest())
    events = await collect(stub.UploadExtract(upload(text_pdf(2), 1000)))
    samples = await scraped(server)
    ok = {"grpc_method": "GetCapabilities", "grpc_service": "ocr_grpc.v1.OcrService"}
    assert value(samples, "grpc_server_handled_total", **ok, grpc_code="OK") == 1
    extract = {"grpc_method": "Extract", "grpc_type": "unary"}
    assert value(samples, "grpc_server_handled_total", **extract, grpc_code="InvalidArgument") == 1
    assert value(samples, "grpc_server_started_total", **extract) == 1
    uploaded = {"grpc_method": "UploadExtract", "grpc_type": "bidi_stream"}
    assert value(samples, "grpc_server_msg_sent_total", **uploaded) == len(events)
    sent = len(list(upload(text_pdf(2), 1000)))
    assert value(samples, "grpc_server_msg_received_total", **uploaded) == sent
    assert value(samples, "grpc_server_handling_seconds_count", **uploaded) == 1


async def test_documents_and_pages_are_counted_by_what_they_are(server, stub):
    image, book = encoded(picture()), text_pdf(3)
    await stub.Extract(pb.ExtractRequest(content=image))
    await stub.Extract(pb.ExtractRequest(content=book))
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.Extract(pb.ExtractRequest(content=b"%PDF-1.4 broken"))
    samples = await scraped(server)
    assert value(samples, "ocr_requests_total", kind="png") == 1
    assert value(samples, "ocr_requests_total", kind="pdf") == 1
    assert value(samples, "ocr_requests_total", kind="unknown") == 1
    assert value(samples, "image_requests_total") == value(samples, "pdf_requests_total") == 1
    assert value(samples, "ocr_input_bytes_total", kind="pdf") == len(book)
    assert value(samples, "ocr_pages_total", outcome="ok", engine="", work="call") == 3
    assert value(samples, "ocr_pages_total", outcome="ok", engine="null", work="call") == 1
    assert value(samples, "ocr_first_text_seconds_count") == 2
    assert value(samples, "ocr_queue_wait_seconds_count") == 2
    assert value(samples, "ocr_processing_seconds_count") == 3
    assert value(samples, "ocr_in_progress") == 0


async def test_a_document_whose_caller_left_is_in_progress_no_more(tmp_path):
    async with running(tmp_path, engine="hang") as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        content = encoded(picture(first_pixel=0))
        call = stub.StreamExtract(pb.StreamExtractRequest(content=content))
        assert (await call.read()).HasField("started")
        assert value(await scraped(server), "ocr_in_progress", kind="png") == 1
        call.cancel()
        left = {"grpc_method": "StreamExtract", "grpc_code": "Canceled"}
        async with asyncio.timeout(30):
            while True:
                samples = await scraped(server)
                if value(samples, "grpc_server_handled_total", **left):
                    break
        assert value(samples, "grpc_server_handled_total", **left) == 1
        assert value(samples, "ocr_in_progress") == 0


async def test_what_a_server_holds_is_looked_at(server):
    async with asyncio.timeout(30):
        while True:
            samples = await scraped(server)
            if value(samples, "users_total"):
                break
            await asyncio.sleep(0.1)
    assert (
        value(samples, "users_total") == 2
    )  # the administrator, and who callers without accounts are
    assert value(samples, "ocr_engine_workers_ready", engine="null") == 1
    assert value(samples, "ocr_disk_free_bytes") > 0
    assert value(samples, "ocr_queue_documents") == 0


async def test_calls_over_http_are_counted_by_the_templates_of_their_paths(tmp_path):
    wanted = {
        ("GET", "/health", "200"),
        ("GET", "/v1/ocr/capabilities", "200"),
        ("GET", "/v1/keys/{key_id}", "404"),
        ("GET", "/v1/users/me", "200"),
        ("GET", "/v1/usage", "200"),
        ("POST", "/v1/ocr:inspect", "400"),
        ("GET", "/docs", "200"),
        ("GET", "(file)", "200"),
        ("GET", "(other)", "404"),
    }
    async with running(tmp_path, http_enabled=True) as server:
        url = f"http://127.0.0.1:{server.http_port}"
        async with httpx.AsyncClient(base_url=url) as client:
            for path in (
                "/health",
                "/v1/ocr/capabilities",
                "/v1/usage?page_size=4242",
                "/v1/keys/x%2Fy",
            ):
                await client.get(path)
            for path in ("/v1/keys/nobodys", "/v1/users/me", "/docs", "/openapi.json", "/a" * 400):
                await client.get(path)
            await client.post("/v1/ocr:inspect", json={})
        async with channel_to(server) as channel:
            await OcrServiceStub(channel).GetCapabilities(pb.GetCapabilitiesRequest())
        async with asyncio.timeout(30):
            while True:
                samples = await scraped(server)
                found = {key for key in wanted if _calls(samples, *key)}
                if found == wanted:
                    break
                await asyncio.sleep(0.1)
        assert _calls(samples, "GET", "/v1/ocr/capabilities", "200") == 1
        seconds = value(samples, "http_request_duration_seconds_count", path="/v1/users/me")
        assert seconds == 1
        assert not [key for key in samples if "nobodys" in str(key) or "4242" in str(key)]


def _calls(samples: dict, method: str, path: str, status: str) -> float:
    return value(samples, "http_requests_total", method=method, path=path, status=status)


async def families(process) -> set[str]:
    """Return the names of all metrics of a process, as they are asked for."""
    async with httpx.AsyncClient() as prometheus:
        text = (await prometheus.get(f"http://127.0.0.1:{process.metrics_port}/metrics")).text
    return {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(text)
        if not family.name.endswith("_created")
    }


async def test_every_metric_is_in_the_docs_and_every_one_there_is_real(tmp_path, folder):
    settings = {"engine_tls": False, "llm_base_url": "http://127.0.0.1:1/v1", "http_enabled": True}
    settings["result_cache_bytes"] = 1_000_000
    async with machine(folder) as engine:
        settings["engine_endpoints"] = f"127.0.0.1:{engine.port}"
        async with running(tmp_path, **settings) as server, asyncio.timeout(30):
            while "ocr_engine_machines" not in (real := await families(server)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            real |= await families(engine)
    told = set(re.findall(r"^\| `([a-z_]+)", DOCS.read_text(), re.MULTILINE))
    # Those of an Envoy that runs by itself; see test_envoy_config.
    told = {name for name in told if not name.startswith("envoy_")}
    assert real - told == set()
    # Only with TLS, and with Redis.
    assert told - real == {"ocr_certificate_expiry_timestamp_seconds", "ocr_redis_up"}
