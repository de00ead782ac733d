"""What Prometheus sees."""

import asyncio
import urllib.request

from ocr_grpc.telemetry.metrics import Metrics


async def test_each_server_has_metrics_of_its_own():
    one, other = Metrics(), Metrics()
    one.refused("RATE_LIMITED")
    one.ledger_up.set(1)
    port = one.start_http("127.0.0.1", 0)
    other_port = other.start_http("127.0.0.1", 0)

    def scraped(at):
        with urllib.request.urlopen(f"http://127.0.0.1:{at}/metrics", timeout=30) as answer:
            return answer.read().decode()

    assert 'ocr_refusals_total{reason="RATE_LIMITED"} 1.0' in await asyncio.to_thread(scraped, port)
    assert "RATE_LIMITED" not in await asyncio.to_thread(scraped, other_port)
    await one.close()
    await one.close()
    await other.close()


def test_there_are_never_too_many_reasons():
    metrics = Metrics()
    for number in range(500):
        metrics.refused(f"REASON_{number}")
    [family] = [each for each in metrics.registry.collect() if each.name == "ocr_refusals"]
    totals = [each.value for each in family.samples if each.name.endswith("_total")]
    assert len(totals) == 101
    assert sum(totals) == 500
