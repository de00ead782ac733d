import pytest
from conftest import setting

from ocr_grpc_client import OcrClient, OcrError, SyncOcrClient
from ocr_grpc_client.channels import system_authorities
from ocr_grpc_client.messages import GetCapabilitiesRequest


@pytest.mark.parametrize("name", ["OCR_TLS_GRPC", "OCR_TLS_ENVOY"])
async def test_a_call_over_tls_needs_the_right_authorities(name: str):
    async with OcrClient(setting(name), ca_file=setting("OCR_CA_FILE")) as client:
        assert (await client.ocr.get_capabilities(GetCapabilitiesRequest())).engines
    for refused_by in ({"tls": True}, {}):  # the system knows no such authority; plain text
        async with OcrClient(setting(name), **refused_by) as client:
            with pytest.raises(OcrError) as refused:
                await client.ocr.get_capabilities(GetCapabilitiesRequest(), timeout=10)
        assert refused.value.code.name in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_the_synchronous_client_speaks_tls_too():
    with SyncOcrClient(setting("OCR_TLS_GRPC"), ca_file=setting("OCR_CA_FILE")) as client:
        assert client.ocr.get_capabilities(GetCapabilitiesRequest()).engines


def test_the_authorities_of_the_system_are_found():
    assert b"BEGIN CERTIFICATE" in (system_authorities() or b"")
