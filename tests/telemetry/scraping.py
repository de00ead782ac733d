"""Asks a process for its metrics and its health, as Prometheus and probes do."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import httpx
from prometheus_client.parser import text_string_to_metric_families

PATIENCE_SECONDS = 60

Samples = dict[tuple[str, frozenset], float]


class Scraped(Protocol):
    """What tells where its metrics are."""

    metrics_port: int


async def answered(process: Scraped, path: str = "/metrics", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        return await client.get(f"http://127.0.0.1:{process.metrics_port}{path}", headers=headers)


async def scraped(process: Scraped) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families((await answered(process)).text)
        for sample in family.samples
    }


async def scraped_when(process: Scraped, condition: Callable[[Samples], object]) -> Samples:
    """Return the first samples that a condition holds of; what is looked at may be a second old."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition(samples := await scraped(process)):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    return samples


async def health(process: Scraped) -> tuple[int, str]:
    answer = await answered(process, "/healthz")
    return answer.status_code, answer.json()["status"]


async def healthy(process: Scraped, wanted: tuple[int, str]) -> None:
    """Wait until a process says so of itself."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await health(process) != wanted:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of all samples of a name that have some labels."""
    wanted = set(labels.items())
    return sum(each for (found, has), each in samples.items() if found == name and wanted <= has)


def names(samples: Samples) -> set[str]:
    return {name for name, _ in samples}
