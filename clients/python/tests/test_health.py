from contextlib import aclosing

import pytest

from ocr_grpc_client import OcrClient, OcrError
from ocr_grpc_client.messages import HealthCheckRequest, HealthCheckResponseServingStatus

SERVING = HealthCheckResponseServingStatus.SERVING


async def test_the_server_and_its_services_say_that_they_serve(door):
    async with OcrClient(door) as client:
        for service in ("", "ocr_grpc.v1.OcrService", "ocr_grpc.v1.BatchService"):
            answer = await client.health.check(HealthCheckRequest(service=service))
            assert answer.status is SERVING


async def test_health_can_be_watched(door):
    async with (
        OcrClient(door) as client,
        aclosing(client.health.watch(HealthCheckRequest())) as news,
    ):
        assert (await anext(news)).status is SERVING


async def test_a_service_that_is_not_known_is_not_found(door):
    async with OcrClient(door) as client:
        with pytest.raises(OcrError) as refused:
            await client.health.check(HealthCheckRequest(service="nothing"))
    assert refused.value.code.name == "NOT_FOUND"
