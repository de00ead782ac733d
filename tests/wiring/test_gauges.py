"""What a server looks at for Prometheus goes on, whatever a look meets."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.wiring import gauges
from ocr_grpc.wiring.gauges import Gauges


class Breaking:
    """Parts of a server, the first look at which fails."""

    line_engines = ()
    vision = None
    documents = SimpleNamespace(busy=3, waiting=0)

    def __init__(self) -> None:
        self.looks = 0

    @property
    def extractor(self) -> SimpleNamespace:
        self.looks += 1
        if self.looks == 1:
            raise LookupError("not there for a moment")
        return SimpleNamespace(waiting=7)


async def test_a_look_that_fails_is_not_the_last(monkeypatch):
    monkeypatch.setattr(gauges, "LOOK_SECONDS", 0.01)
    metrics, reading = Metrics(), Breaking()
    database: Any = SimpleNamespace(connections_limit=1, connections_in_use=0)
    looking = Gauges(metrics, database, reading, Path("/"))  # pyright: ignore[reportArgumentType]
    looking.start()
    async with asyncio.timeout(20):
        while metrics.registry.get_sample_value("ocr_queue_documents") != 7:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await looking.close()
    assert metrics.registry.get_sample_value("ocr_readers_busy") == 3
