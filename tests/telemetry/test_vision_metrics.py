"""What is told of the calls of a model's server is what became of them."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from ocr_grpc.engines.vlm.engine import VisionEngine
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.engines.vlm.watch import CallOutcome
from ocr_grpc.telemetry.vision_metrics import VisionMetrics
from tests.engines.vlm.answers import hangs, writes
from tests.engines.vlm.server import replies, serving
from tests.engines.vlm.support import KEY, PATIENCE_SECONDS, a_read, outcome, until_ready


class Counted:
    """An engine with a registry of its own."""

    def __init__(self, url: str, **patience: float) -> None:
        self.registry = CollectorRegistry()
        values = {
            "llm_base_url": url,
            "llm_model": "some-model",
            "llm_api_key": SecretStr(KEY),
            "llm_first_token_seconds": PATIENCE_SECONDS,
            "llm_idle_seconds": PATIENCE_SECONDS,
            "llm_retries": 0,
        }
        self.engine = VisionEngine(
            VisionSettings(**values | patience),
            failures=2,
            pause_seconds=0.05,
            watch=VisionMetrics(self.registry, [each.value for each in CallOutcome]),
        )

    @property
    def outcomes(self) -> dict[str, float]:
        """Return the counts that are not 0."""
        counts = {
            each.value: self.registry.get_sample_value(
                "ocr_vlm_requests_total", {"outcome": each.value}
            )
            for each in CallOutcome
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def breaker(self) -> float | None:
        labels = {"endpoint_number": "1"}
        return self.registry.get_sample_value("ocr_vlm_breaker_open", labels)

    @property
    def first_tokens(self) -> float | None:
        return self.registry.get_sample_value("ocr_vlm_first_token_seconds_count")


@asynccontextmanager
async def counted(url: str, **patience: float):
    made = Counted(url, **patience)
    await made.engine.start()
    try:
        yield made
    finally:
        await made.engine.close()


@pytest.mark.parametrize(
    ("answer", "became"),
    [
        (writes("Text."), "ok"),
        (replies({"error": "busy"}, status=429), "busy"),
        (replies({"error": "no"}, status=401), "refused"),
        (replies({"error": "down"}, status=503), "unavailable"),
        (hangs(), "timed_out"),
    ],
)
async def test_a_call_is_counted_by_what_became_of_it(folder, answer, became):
    async with (
        serving(answer) as server,
        counted(server.url, llm_first_token_seconds=0.5 if became == "timed_out" else 60) as vlm,
    ):
        await outcome(vlm.engine, a_read(folder))
        assert vlm.outcomes == {became: len(server.calls)}
        assert vlm.first_tokens == (became == "ok")


async def test_a_call_that_its_caller_left_is_one_that_we_hung_up(folder):
    async with serving(hangs()) as server, counted(server.url) as vlm:
        reading = asyncio.create_task(outcome(vlm.engine, a_read(folder)))
        await server.called()
        reading.cancel()
        await asyncio.wait({reading})
        assert vlm.outcomes == {"hung_up": 1}


async def test_the_breaker_opens_and_closes_and_what_it_keeps_back_is_counted(folder):
    down, up = replies({"error": "down"}, status=503), writes("Text.")
    async with serving(down, down, up) as server, counted(server.url) as vlm:
        assert vlm.breaker == 0
        await outcome(vlm.engine, a_read(folder))
        assert vlm.breaker == 0
        await outcome(vlm.engine, a_read(folder))
        assert vlm.breaker == 1
        await outcome(vlm.engine, a_read(folder))
        assert vlm.outcomes == {"unavailable": 2, "breaker": 1}
        await until_ready(vlm.engine)
        await outcome(vlm.engine, a_read(folder))
        assert vlm.breaker == 0
        assert vlm.outcomes == {"unavailable": 2, "breaker": 1, "ok": 1}
