import asyncio

import pytest
from conftest import setting

from ocr_grpc_client import OcrClient, OcrError, SyncOcrClient
from ocr_grpc_client.channels import system_authorities
from ocr_grpc_client.messages import GetCapabilitiesRequest

DOORS = ("OCR_TLS_GRPC", "OCR_TLS_ENVOY")


@pytest.mark.parametrize("name", DOORS)
async def test_a_call_over_tls_needs_the_right_authorities(name: str):
    async with OcrClient(setting(name), ca_file=setting("OCR_CA_FILE")) as client:
        assert (await client.ocr.get_capabilities(GetCapabilitiesRequest())).engines


async def test_without_the_right_authorities_or_in_plain_text_nothing_is_said():
    async def refused(name: str, **how: bool) -> str:
        async with OcrClient(setting(name), **how) as client:
            with pytest.raises(OcrError) as refused:
                await client.ocr.get_capabilities(GetCapabilitiesRequest(), timeout=10)
            return refused.value.code.name

    # The system knows no such authority. All at once, as each is tried five times.
    ways = [(name, how) for name in DOORS for how in ({"tls": True}, {})]
    codes = await asyncio.gather(*(refused(name, **how) for name, how in ways))
    assert set(codes) <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}


def test_the_synchronous_client_speaks_tls_too():
    with SyncOcrClient(setting("OCR_TLS_GRPC"), ca_file=setting("OCR_CA_FILE")) as client:
        assert client.ocr.get_capabilities(GetCapabilitiesRequest()).engines


def test_the_authorities_of_the_system_are_found():
    assert b"BEGIN CERTIFICATE" in (system_authorities() or b"")
