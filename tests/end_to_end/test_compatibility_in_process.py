"""Documents by URL, callers who leave, and callers who stop, with real clients."""

import asyncio
import base64

import grpc
import httpx
import pytest
from openai import AsyncOpenAI, BadRequestError, RateLimitError

from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import compatibility_service_pb2 as pb
from ocr_grpc.v1.compatibility_service_pb2_grpc import CompatibilityServiceStub
from ocr_grpc.wiring.compatibility import make_fetcher
from ocr_grpc.wiring.errors import CannotServe
from tests.fetching.web import web
from tests.support import channel_to, encoded, picture, refusal, running, text_pdf

GOOD, BAD = picture(), picture(first_pixel=0)
"""The engine that hangs does so over the second one alone."""


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def url_of(server) -> str:
    return f"http://127.0.0.1:{server.http_port}"


def client_of(server) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{url_of(server)}/v1", api_key="none", max_retries=0)


def user(*urls: str) -> list[dict]:
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return [{"role": "user", "content": parts}]


async def reason(call) -> str:
    with pytest.raises(BadRequestError) as refused:
        await call
    return refused.value.body["details"][0]["reason"]


async def test_a_document_is_fetched_from_an_allowed_host(tmp_path):
    async with web() as site:
        hosts = AllowedHosts.parse(f"files.example.com:{site.port}")
        fetcher = Fetcher(hosts, 5, loopback, lambda address: True)
        settings = {"http_enabled": True, "max_document_bytes": 100_000}
        async with (
            running(tmp_path, fetcher, **settings) as server,
            client_of(server) as client,
            httpx.AsyncClient(base_url=url_of(server)) as http,
        ):
            at = f"http://files.example.com:{site.port}"
            site.has("/a.pdf", text_pdf(2, 1))
            site.has("/b.png", encoded(GOOD))
            site.has("/large", bytes(100_001))
            create = client.chat.completions.create
            answer = await create(model="null", messages=user(f"{at}/b.png", f"{at}/a.pdf"))
            text = answer.choices[0].message.content
            assert text.startswith("null line 1\n")
            assert text.endswith("\n\nPage 2, line 0: the quick brown fox.")

            document = {"type": "document_url", "document_url": f"{at}/a.pdf"}
            whole = await http.post("/v1/ocr", json={"model": "null", "document": document})
            assert [page["index"] for page in whole.json()["pages"]] == [0, 1]

            # As long as nothing was read, a stream that fails has its HTTP code.
            missing, large, other = f"{at}/none", f"{at}/large", "http://other.example/"
            site.has("/none", b"", "404 Not Found")
            for stream in (False, True):
                calls = [create(model="null", messages=user(each), stream=stream) for each in
                         (missing, large, other)]  # fmt: skip
                assert [await reason(call) for call in calls] == [
                    "URL_UNREACHABLE",
                    "DOCUMENT_TOO_LARGE",
                    "URL_NOT_ALLOWED",
                ]


async def test_whoever_leaves_makes_room_within_a_second(tmp_path):
    """The page hangs for a minute, and a caller may have one document at a time."""
    settings = {"engine": "hang", "page_timeout_seconds": 60, "max_extractions_per_caller": 1}
    image = "data:image/png;base64," + base64.b64encode(encoded(BAD)).decode()
    async with (
        running(tmp_path, http_enabled=True, **settings) as server,
        client_of(server) as client,
    ):
        create = client.chat.completions.create
        async with await create(model="hang", messages=user(image), stream=True) as stream:
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
            with pytest.raises(RateLimitError, match="already under way"):
                await create(model="hang", messages=user(image))
        text = "data:text/plain,words"
        await asyncio.sleep(1)
        answer = await create(model="hang", messages=user(text))
        assert answer.choices[0].message.content == "words"


async def test_a_request_that_stops_half_way_is_given_up_and_leaves_nothing(tmp_path):
    async def half():
        yield pb.RecognizeDocumentRequest(content={"data": b'{"model": "null", "document": {'})
        await asyncio.sleep(10)

    async with (
        running(tmp_path, upload_idle_seconds=0.3) as server,
        channel_to(server) as channel,
    ):
        call = CompatibilityServiceStub(channel).RecognizeDocument(half())
        assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "UPLOAD_STALLED")
        assert not list(tmp_path.rglob("document-*"))


def test_a_list_of_hosts_that_is_none_is_told_at_the_start():
    with pytest.raises(CannotServe, match=r"FETCH_HOSTS: 'https://a\.example/b' is no host"):
        make_fetcher(Settings(_env_file=None, fetch_hosts="https://a.example/b"))
