"""Traces as a collector gets them, from real processes."""

import asyncio
import json
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import httpx
import pytest
import pytest_asyncio

from ocr_grpc.settings import SettingsError, load_settings
from ocr_grpc.telemetry import process, tracing
from ocr_grpc.telemetry.process import ExtraMissing, Telemetry, telling
from ocr_grpc.telemetry.scrubbing import HIDDEN
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.engines.vlm.answers import writes
from tests.engines.vlm.server import ModelServer
from tests.engines.vlm.server import serving as serving_model
from tests.processes import serve_http
from tests.support import FORCE_OCR, NO_DOCUMENT, encoded, image_pdf, picture, refusal, serving
from tests.telemetry.collector import Collector, Sent, collecting

PARENT_ID = "00f067aa0ba902b7"
TWO_PAGES = image_pdf([picture(["a"]), picture(["b", "c"])])
SCAN = encoded(picture())
MODEL = "some-model"
USER, PASSWORD = "root", "correct horse battery staple"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class House:
    """A server with an Envoy, a collector and a language model."""

    url: str
    ocr: OcrServiceStub
    collector: Collector
    model: ModelServer
    log: Path
    token: str = ""

    async def signed_in(self) -> str:
        """Return a token that the server has not looked up yet."""
        async with httpx.AsyncClient() as client:
            who = {"user_name": USER, "password": PASSWORD}
            answer = await client.post(f"{self.url}/v1/auth/login", json=who)
        return answer.json()["access_token"]

    def metadata(self, trace_id: str) -> list[tuple[str, str]]:
        return [*told(trace_id), ("authorization", f"Bearer {self.token}")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traced")
    async with serving_model(writes("Text."), model=MODEL) as model:
        with collecting() as collector:
            settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "LLM_BASE_URL": model.url}
            settings |= {"METRICS_ON_HTTP": "true", "AUTH_ENABLED": "true"}
            settings |= {"BOOTSTRAP_USER": USER, "BOOTSTRAP_PASS": PASSWORD}
            with serve_http(folder, **settings) as (_, address, url):
                async with grpc.aio.insecure_channel(address) as channel:
                    log = folder / "serve.log"
                    house = House(url, OcrServiceStub(channel), collector, model, log)
                    house.token = await house.signed_in()
                    yield house


@pytest.fixture
def trace_id() -> str:
    return secrets.token_hex(16)


def told(trace_id: str, sampled: bool = True) -> tuple[tuple[str, str], ...]:
    return (("traceparent", f"00-{trace_id}-{PARENT_ID}-{int(sampled):02}"),)


async def trace_with(collector: Collector, trace_id: str, *names: str) -> list[Sent]:
    """Return a trace once it has spans of these names, or of these services."""

    def complete() -> bool:
        spans = collector.trace(trace_id)
        known = [span.name for span in spans] + [span.service for span in spans]
        return all(known.count(name) >= names.count(name) for name in names)

    await asyncio.to_thread(collector.wait_for, complete)
    return collector.trace(trace_id)


def named(spans: list[Sent], name: str) -> list[Sent]:
    return [span for span in spans if span.name == name]


def ancestors(span: Sent, spans: list[Sent]) -> list[str]:
    """Return the names of what a span is in, from inside out."""
    by_id = {each.span_id: each for each in spans}
    found = []
    while parent := by_id.get(span.parent_id):
        found.append(parent.name)
        span = parent
    return found


def call_line(log: Path, request_id: str) -> dict:
    lines = (line for line in log.read_text().splitlines() if line.startswith("{"))
    return next(line for line in map(json.loads, lines) if line.get("request_id") == request_id)


async def test_a_call_over_http_is_one_trace_from_envoy_to_the_engine_worker(house, trace_id):
    token = await house.signed_in()
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{house.url}/v1/ocr:upload",
            params={"options.password": "canary-of-a-document", "file_name": "canary.pdf"},
            content=TWO_PAGES,
            headers=dict(told(trace_id))
            | {"x-request-id": "no-uuid-1", "authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 200, answer.text
    method = "ocr_grpc.v1.OcrService/UploadExtract"
    parts = ["ocr-grpc-envoy", method, "engine worker", "engine worker"]
    spans = await trace_with(house.collector, trace_id, *parts)
    door = next(span for span in spans if span.service == "ocr-grpc-envoy")
    assert door.parent_id == PARENT_ID
    call = named(spans, method)[0]
    assert (call.service, call.parent_id) == ("ocr-grpc-serve", door.span_id)
    assert call.about["rpc.grpc.status_code"] == 0
    assert call.about["ocr.request_id"] == "no-uuid-1"
    pages = named(spans, "page")
    assert sorted(page.about["ocr.page_number"] for page in pages) == [1, 2]
    assert {page.about["ocr.outcome"] for page in pages} == {"ok"}
    for worker in named(spans, "engine worker"):
        assert worker.service == "ocr-grpc-engine"
        assert ancestors(worker, spans) == ["engine", "page", "document", method, door.name]
    statements = [span for span in spans if span.name.startswith("database")]
    assert statements
    assert all(ancestors(span, spans)[-2:] == [method, door.name] for span in statements)
    # Nothing of the document: not its text, not its name, not its password.
    leaks = ("canary", "null line", str(house.log.parent), token, PASSWORD)
    for leak in map(str.encode, leaks):
        assert leak not in house.collector.raw
    line = call_line(house.log, "no-uuid-1")
    assert (line["trace_id"], line["pages"], line["kind"]) == (trace_id, 2, "pdf")
    assert line["user"] == USER


async def test_the_language_model_is_told_of_the_trace(house, trace_id):
    options = options_pb2.ExtractOptions(engine="vlm", mode=FORCE_OCR)
    request = pb.ExtractRequest(content=SCAN, options=options)
    await house.ocr.Extract(request, metadata=house.metadata(trace_id))
    method = "ocr_grpc.v1.OcrService/Extract"
    spans = await trace_with(house.collector, trace_id, "language model", method)
    (asked,) = named(spans, "language model")
    assert ancestors(asked, spans) == ["page", "document", method]
    assert asked.about["gen_ai.request.model"] == MODEL
    assert asked.about["gen_ai.usage.output_tokens"] > 0
    assert house.model.calls[-1].headers["traceparent"] == f"00-{trace_id}-{asked.span_id}-01"


async def test_what_a_caller_writes_goes_neither_to_the_collector_nor_to_the_model(house, trace_id):
    key = "ocr_" + "A1b2" * 8
    own = [("tracestate", "vendor=canary-of-a-caller"), ("x-request-id", f"id:{key}")]
    options = options_pb2.ExtractOptions(engine="vlm", mode=FORCE_OCR)
    request = pb.ExtractRequest(content=encoded(picture(["q"])), options=options)
    await house.ocr.Extract(request, metadata=[*house.metadata(trace_id), *own])
    method = "ocr_grpc.v1.OcrService/Extract"
    spans = await trace_with(house.collector, trace_id, "language model", method)
    assert named(spans, method)[0].about["ocr.request_id"] == f"id:{HIDDEN}"
    headers = house.model.calls[-1].headers
    assert headers["traceparent"].startswith(f"00-{trace_id}-")
    assert "tracestate" not in headers
    for word in (key, "canary-of-a-caller"):
        assert word.encode() not in house.collector.raw


async def test_a_refusal_is_no_failure_of_the_server_but_one_of_the_document(house, trace_id):
    call = house.ocr.Extract(
        pb.ExtractRequest(content=NO_DOCUMENT), metadata=house.metadata(trace_id)
    )
    _, reason = await refusal(call)
    method = "ocr_grpc.v1.OcrService/Extract"
    spans = await trace_with(house.collector, trace_id, method)
    (refused,) = named(spans, method)
    assert refused.about["rpc.grpc.status_code"] == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert (refused.about["ocr.reason"], refused.failed) == (reason, False)
    (document,) = named(spans, "document")
    assert (document.about["error.type"], document.failed) == (reason, True)


async def test_histograms_lead_to_traces_where_openmetrics_is_spoken(house, trace_id):
    await house.ocr.Extract(pb.ExtractRequest(content=TWO_PAGES), metadata=house.metadata(trace_id))
    async with httpx.AsyncClient() as client:
        accept = {"accept": "application/openmetrics-text; version=1.0.0"}
        answer = await client.get(f"{house.url}/metrics", headers=accept)
        plain = await client.get(f"{house.url}/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    for name in ("grpc_server_handling", "ocr_processing", "ocr_first_text"):
        found = rf'^{name}_seconds_bucket{{[^\n]*}} [^\n]*# {{trace_id="{trace_id}"}}'
        assert re.search(found, answer.text, re.MULTILINE), name
    assert trace_id not in plain.text  # older formats have no place for it


async def test_work_that_nobody_asked_for_is_no_trace(house):
    spans = list(house.collector.spans)
    known = {span.span_id for span in spans}
    begun = [span.name for span in spans if span.parent_id not in known | {PARENT_ID}]
    assert not [name for name in begun if name.startswith("database")]
    assert not [span for span in spans if "Health" in span.name]


async def test_the_decision_of_the_caller_holds_and_else_the_ratio(tmp_path, trace_id):
    with collecting() as collector:
        telemetry = Telemetry("serve", "1", otlp_endpoint=collector.url, sample_ratio=0)
        with telling(telemetry):
            async with serving(tmp_path) as stub:
                request = pb.GetCapabilitiesRequest()
                await stub.GetCapabilities(request)
                await stub.GetCapabilities(request, metadata=told("1" * 32, sampled=False))
                await stub.GetCapabilities(request, metadata=told(trace_id))
        # Its end has sent what waited.
        assert [(span.trace_id, span.parent_id) for span in collector.spans] == [
            (trace_id, PARENT_ID)
        ]


async def test_a_collector_that_is_away_holds_nothing_up_not_even_the_end():
    with collecting() as gone:
        url = gone.url
    began = time.perf_counter()
    with telling(Telemetry("serve", "1", otlp_endpoint=url)):
        for _ in range(20_000):  # more than may wait
            with tracing.span("work"):
                pass
        working_seconds = time.perf_counter() - began
        began = time.perf_counter()
    assert working_seconds < 20
    assert time.perf_counter() - began < 10
    assert not tracing.is_on()


async def test_spans_end_where_they_may_and_leave_no_trace_behind():
    with collecting() as collector, telling(Telemetry("serve", "1", otlp_endpoint=collector.url)):

        async def pages():
            with tracing.span("page"):
                yield tracing.carrier()

        opened = pages()
        with tracing.span("call"):
            await asyncio.create_task(anext(opened))
            outside = tracing.carrier()
        # As grpc.aio does when a caller hangs up: closed by another task.
        await asyncio.create_task(opened.aclose())
        assert outside
        assert tracing.carrier() == ()
    assert sorted(span.name for span in collector.spans) == ["call", "page"]


async def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ocr_grpc.telemetry.tracing_sdk", None)
    with (
        pytest.raises(ExtraMissing, match=r"pip install 'ocr-grpc\[traces\]'"),
        process.telling(Telemetry("serve", "1", otlp_endpoint="http://127.0.0.1:1")),
    ):
        pass


@pytest.mark.parametrize(
    "url", ["collector:4317", "http://", "http://u:geheim@host", "http://h/v1", "http://h?k=geheim"]
)
async def test_a_wrong_address_is_refused(monkeypatch, tmp_path, url):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    with pytest.raises(SettingsError, match=r"^OTEL_EXPORTER_OTLP_ENDPOINT: ") as wrong:
        load_settings()
    assert "geheim" not in str(wrong.value)


@pytest.mark.parametrize(
    ("url", "known_as"),
    [
        ("http://collector", "http://collector:4317"),
        ("HTTPS://collector/", "https://collector:4317"),
        ("http://[::1]", "http://[::1]:4317"),
        ("http://collector:80", "http://collector:80"),
    ],
)
async def test_an_address_without_a_port_means_that_of_collectors(
    monkeypatch, tmp_path, url, known_as
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    assert load_settings().otel_exporter_otlp_endpoint == known_as
