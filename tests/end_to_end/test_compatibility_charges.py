"""What a call with several documents is charged, behind a sidecar and with failures."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest

from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.v1 import compatibility_service_pb2 as pb
from ocr_grpc.v1 import usage_service_pb2 as usage_pb
from ocr_grpc.v1.compatibility_service_pb2_grpc import CompatibilityServiceStub
from tests.fetching.web import web
from tests.people import House, Metadata, house
from tests.support import NO_DOCUMENT, collect, refusal, text_pdf

SAID = (
    ("x-ocr-client-address", "203.0.113.9"),
    ("x-ocr-retry-id", "8c1f0a52-6a0e-4e3c-9a54-0e8e3fb0a1b7"),
)


@asynccontextmanager
async def behind_a_sidecar(home: House, path: Path) -> AsyncIterator[CompatibilityServiceStub]:
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        yield CompatibilityServiceStub(channel)


def uri(content: bytes) -> str:
    return f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"


def chat(stub: CompatibilityServiceStub, user: Metadata, *urls: str, stream: bool = False):
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    asked = {"model": "null", "messages": [{"role": "user", "content": parts}], "stream": stream}
    request = pb.CreateChatCompletionRequest(content={"data": json.dumps(asked).encode()})
    return stub.CreateChatCompletion(iter([request]), metadata=(*user, *SAID))


def ocr(stub: CompatibilityServiceStub, user: Metadata, url: str):
    asked = {"model": "null", "document": {"document_url": url}}
    request = pb.RecognizeDocumentRequest(content={"data": json.dumps(asked).encode()})
    return stub.RecognizeDocument(iter([request]), metadata=(*user, *SAID))


async def pages(home: House, user: Metadata) -> tuple[int, int]:
    """Return the pages used this month, and those put aside."""
    summary = await home.usage.GetUsageSummary(usage_pb.GetUsageSummaryRequest(), metadata=user)
    return summary.quota.used_pages, summary.quota.reserved_pages


async def rows(home: House, user: Metadata) -> list[tuple[str, str, int]]:
    """Return status, reason and pages of each document of all chats."""
    listed = await home.usage.ListUsage(usage_pb.ListUsageRequest(), metadata=user)
    return [
        (record.status, record.reason, record.usage.pages)
        for record in listed.records
        if record.method == "CompatibilityService/CreateChatCompletion"
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_every_document_of_a_call_is_charged(tmp_path, stream):
    path = tmp_path / "http.sock"
    async with house(tmp_path, sidecar_socket=path) as home, behind_a_sidecar(home, path) as stub:
        _, user = await home.create_user("ann")
        one, seven = uri(text_pdf(1, 1)), uri(text_pdf(7, 1))
        await collect(chat(stub, user, one, one, one, stream=stream))
        assert await pages(home, user) == (3, 0)
        await collect(chat(stub, user, seven, one, seven, stream=stream))
        assert await pages(home, user) == (18, 0)
        assert sorted(used for _, _, used in await rows(home, user)) == [1, 1, 1, 1, 7, 7]
        # The sidecar's name for the call stands for no repetition here: it never makes one.
        await ocr(stub, user, seven)
        await ocr(stub, user, seven)
        assert await pages(home, user) == (32, 0)


async def test_a_whole_answer_that_fails_charges_nothing(tmp_path):
    path = tmp_path / "http.sock"
    async with house(tmp_path, sidecar_socket=path) as home, behind_a_sidecar(home, path) as stub:
        _, user = await home.create_user("ann", limits={"pages_per_month": 5})
        three, none = uri(text_pdf(3, 1)), uri(NO_DOCUMENT)
        refused = (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_FORMAT")
        assert await refusal(chat(stub, user, three, none)) == refused
        assert await pages(home, user) == (0, 0)
        assert await refusal(chat(stub, user, three, three)) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "QUOTA_EXCEEDED",
        )
        assert await pages(home, user) == (0, 0)
        async with asyncio.timeout(30):  # that of a refused document is written a little later
            while len(read := await rows(home, user)) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert read.count(("INVALID_ARGUMENT", "UNKNOWN_FORMAT", 0)) == 2
        assert read.count(("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", 0)) == 2
        # In a stream the text of the first one has left.
        assert await refusal(chat(stub, user, three, none, stream=True)) == refused
        assert await pages(home, user) == (3, 0)


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def test_a_whole_answer_has_the_time_of_one_document(tmp_path):
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.6)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwords")
        await writer.drain()

    path = tmp_path / "http.sock"
    async with web() as site:
        site.answers["/slow"] = slow
        url = f"http://files.example.com:{site.port}/slow"
        hosts = AllowedHosts.parse(f"files.example.com:{site.port}")
        fetcher = Fetcher(hosts, 5, loopback, lambda address: True)
        settings = {"sidecar_socket": path, "fetcher": fetcher, "document_timeout_seconds": 1}
        async with house(tmp_path, **settings) as home, behind_a_sidecar(home, path) as stub:
            _, user = await home.create_user("ann")
            call = chat(stub, user, uri(text_pdf(2, 1)), url, url, url)
            assert await refusal(call) == (
                grpc.StatusCode.INVALID_ARGUMENT,
                "DOCUMENT_TIMED_OUT",
            )
            assert await pages(home, user) == (0, 0)
            assert set(await rows(home, user)) == {("INVALID_ARGUMENT", "DOCUMENT_TIMED_OUT", 0)}


async def test_whoever_leaves_before_a_whole_answer_is_not_charged(tmp_path):
    async def silent(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.sleep(20)

    asked = asyncio.Event()
    path = tmp_path / "http.sock"
    async with web() as site:
        site.answers["/silent"] = silent
        hosts = AllowedHosts.parse(f"files.example.com:{site.port}")
        fetcher = Fetcher(hosts, 20, loopback, lambda address: True)
        async with (
            house(tmp_path, sidecar_socket=path, fetcher=fetcher) as home,
            behind_a_sidecar(home, path) as stub,
        ):
            _, user = await home.create_user("ann")
            url = f"http://files.example.com:{site.port}/silent"
            call = chat(stub, user, uri(text_pdf(2, 1)), url)
            reading = asyncio.create_task(collect(call))
            await asked.wait()
            assert await pages(home, user) == (0, 2)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            async with asyncio.timeout(30):
                while await pages(home, user) != (0, 0):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert await rows(home, user) == [("CANCELLED", "", 0)]
