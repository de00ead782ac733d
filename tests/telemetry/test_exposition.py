"""The port for Prometheus and probes, and the names that dashboards of others rely on."""

import asyncio
import os
import socket
import threading
from importlib.metadata import version
from types import SimpleNamespace

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.rpc.interceptors.telemetry import TelemetryInterceptor
from ocr_grpc.telemetry import exposition
from ocr_grpc.telemetry.call_metrics import LABELS, CallMetrics, Method
from ocr_grpc.telemetry.document_metrics import DocumentMetrics
from ocr_grpc.telemetry.exposition import Exposition
from ocr_grpc.telemetry.http_metrics import HttpMetrics
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.telemetry.state_metrics import StateMetrics
from ocr_grpc.wiring import pulse
from ocr_grpc.wiring.pulse import Pulse
from tests.telemetry.scraping import answered, health, names, scraped, value

CALL = {"grpc_type", "grpc_service", "grpc_method"}

KNOWN = {
    "http_in_flight_requests": set(),
    "http_requests_total": {"method", "path", "status"},
    "http_request_duration_seconds_bucket": {"method", "path", "le"},
    "ocr_in_progress": {"kind"},
    "ocr_requests_total": {"kind"},
    "image_requests_total": set(),
    "pdf_requests_total": set(),
    "ocr_processing_seconds_bucket": {"kind", "le"},
    "ocr_input_bytes_total": {"kind"},
    "users_total": set(),
    "prompt_tokens_total": set(),
    "completion_tokens_total": set(),
    "tokens_total": set(),
    "grpc_server_started_total": CALL,
    "grpc_server_handled_total": CALL | {"grpc_code"},
    "grpc_server_handling_seconds_bucket": CALL | {"le"},
    "grpc_server_msg_received_total": CALL,
    "grpc_server_msg_sent_total": CALL,
}
"""Names and labels that users of earlier services, and of any gRPC server, have in dashboards."""


@pytest.fixture
async def served():
    """Return metrics that are served, and the word that they give for what is wrong."""
    metrics = Metrics()
    state = SimpleNamespace(metrics=metrics, ailment="")
    state.metrics_port = metrics.start_http("127.0.0.1", 0, lambda: state.ailment)
    yield state
    await metrics.close()


OPENMETRICS = "application/openmetrics-text; version=1.0.0"
PARSERS = {
    "text/plain": text_string_to_metric_families,
    OPENMETRICS: openmetrics.text_string_to_metric_families,
}


@pytest.mark.parametrize("accept", PARSERS)
async def test_the_names_that_users_know_are_told_with_their_labels(served, accept):
    registry = served.metrics.registry
    StateMetrics(registry)
    for made in (CallMetrics(registry), DocumentMetrics(registry), HttpMetrics(registry)):
        for family in vars(made).values():
            if family._labelnames:  # without a value there is no sample of it
                family.labels(*family._labelnames)
    text = (await answered(served, accept=accept)).text
    samples = [sample for family in PARSERS[accept](text) for sample in family.samples]
    told = {sample.name: set(sample.labels) for sample in samples}
    assert {name: told.get(name) for name in KNOWN} == KNOWN


async def test_a_process_tells_its_release_its_memory_and_its_files(served):
    samples = await scraped(served)
    assert value(samples, "ocr_build_info", version=version("ocr-grpc")) == 1
    assert value(samples, "process_resident_memory_bytes") > 10_000_000
    assert value(samples, "process_cpu_seconds_total") > 0
    files = value(samples, "process_open_fds")
    kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
    assert value(await scraped(served), "process_open_fds") >= files + 40
    for each in kept:
        os.close(each)


async def test_what_a_process_does_not_have_is_not_told_as_down(served):
    assert not names(await scraped(served)) & {"ocr_ledger_up", "ocr_sidecar_up", "ocr_redis_up"}
    served.metrics.sidecar_changed(up=False)
    served.metrics.ledger_up.set(1)
    samples = await scraped(served)
    assert value(samples, "ocr_ledger_up") == 1
    assert ("ocr_sidecar_up", frozenset()) in samples
    assert value(samples, "ocr_sidecar_up") == 0


async def test_health_is_a_code_and_a_word(served):
    assert await health(served) == (200, "ok")
    served.ailment = "no_engine"
    assert await health(served) == (503, "no_engine")
    assert (await answered(served, "/nothing")).status_code == 404


async def test_who_connects_and_says_nothing_keeps_nobody_else_waiting(served):
    silent = [await asyncio.open_connection("127.0.0.1", served.metrics_port) for _ in range(5)]
    assert await health(served) == (200, "ok")
    for _, writer in silent:
        writer.close()


async def test_callers_who_stay_are_cut_off_for_those_who_come(served, capfd):
    """Each holds a thread, and a container has a thousand of all kinds at most."""
    before = threading.active_count()
    silent = [await asyncio.open_connection("127.0.0.1", served.metrics_port) for _ in range(100)]
    async with asyncio.timeout(exposition.CALLER_SECONDS / 2):  # sooner than by their silence
        assert await health(served) == (200, "ok")
        cut_off = [reader.read() for reader, _ in silent[: -exposition.MAX_CALLERS]]
        assert set(await asyncio.gather(*cut_off)) == {b""}
        while threading.active_count() > before + exposition.MAX_CALLERS + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for _, writer in silent:
        writer.transport.abort()
    assert await health(served) == (200, "ok")
    assert not capfd.readouterr().err


@pytest.mark.parametrize("host", ["::1", "[::1]"])
async def test_it_listens_at_an_address_of_ipv6(host):
    metrics = Exposition()
    port = metrics.start_http(host, 0)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://[::1]:{port}/healthz")).status_code == 200
    await metrics.close()


async def test_nobody_is_asked_for_the_name_of_the_machine(monkeypatch):
    """A resolver that does not answer takes half a minute, of the event loop's."""
    monkeypatch.setattr(socket, "getfqdn", None)
    metrics = Exposition()
    assert metrics.start_http("127.0.0.1", 0)
    await metrics.close()


async def test_a_process_is_well_from_its_start_to_its_end_while_its_loop_turns(monkeypatch):
    trouble = ""
    heart = Pulse(lambda: trouble)
    assert heart.ailment() == "starting"
    heart.start()
    assert heart.ailment() == ""
    trouble = "no_engine"
    assert heart.ailment() == "no_engine"
    trouble = ""
    now = pulse.monotonic()
    with monkeypatch.context() as later:
        later.setattr(pulse, "monotonic", lambda: now + 2 * pulse.STUCK_SECONDS)
        assert heart.ailment() == "stuck"
        # A loop that turns again says so itself.
        async with asyncio.timeout(30):
            while heart.ailment():  # noqa: ASYNC110 - it is there to be asked
                await asyncio.sleep(0.05)
    heart.leave()
    assert heart.ailment() == "stopping"
    await heart.close()


async def test_a_port_that_is_taken_is_an_error():
    one, other = Exposition(), Exposition()
    port = one.start_http("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        other.start_http("127.0.0.1", port)
    await one.close()
    await other.close()


def test_calls_of_the_contract_are_told_of_from_0_on():
    registry = CollectorRegistry()
    TelemetryInterceptor(metrics=CallMetrics(registry))

    def told(name: str, method: Method, **labels: str) -> float | None:
        return registry.get_sample_value(
            name, labels | dict(zip(LABELS, method.labels, strict=True))
        )

    kinds = {
        "OcrService/Extract": "unary",
        "OcrService/StreamExtract": "server_stream",
        "OcrService/UploadExtract": "bidi_stream",
        "BatchService/UploadDocument": "client_stream",
    }
    for name, kind in kinds.items():
        method = Method(f"/ocr_grpc.v1.{name}", kind)
        assert told("grpc_server_started_total", method) == 0, name
        for code, count in {"OK": 0, "Internal": 0, "Unavailable": 0, "NotFound": None}.items():
            assert told("grpc_server_handled_total", method, grpc_code=code) == count, (name, code)
    series = [sample for family in registry.collect() for sample in family.samples]
    methods = sum(len(service.methods) for service in SERVICES)
    assert len([each for each in series if each.name.endswith("_total")]) == methods * 4
    assert len(generate_latest(registry)) < 200_000
