"""Two servers behind one Envoy: what callers see when one of them is killed."""

import asyncio
import base64
from collections import Counter
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.processes import serve
from tests.sidecar.envoys import sidecar
from tests.support import encoded, picture, text_pdf

HANGING = encoded(picture(first_pixel=0))
STREAMS = 8
SECONDS = 3
"""Longer than a health check takes to find out."""

DOCUMENT = {"content": base64.b64encode(text_pdf(2)).decode()}
CALLS = [
    ("GET", "/v1/ocr/capabilities", None),
    ("GET", "/v1/keys", None),
    ("GET", "/v1/users/me", None),
    *[("POST", "/v1/ocr:extract", DOCUMENT)] * 5,
]


@pytest.fixture
def servers(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    settings = {"ENGINE": "hang", "ENGINE_WORKERS": "2", "ANONYMOUS_CALLS_PER_MINUTE": "0"}
    with serve(tmp_path / "one", **settings) as one, serve(tmp_path / "two", **settings) as two:
        yield one, two


async def watch(client: httpx.AsyncClient, begun: asyncio.Event) -> str:
    """Read a stream that never ends by itself; return how it ended."""
    try:
        async with client.stream("POST", "/v1/ocr:upload", content=HANGING) as answer:
            async for _ in answer.aiter_lines():
                begun.set()
    except httpx.TransportError:
        return "cut"
    return "ended"


async def load(
    client: httpx.AsyncClient, seen: Counter[tuple[str, str]], method: str, path: str, body: object
) -> None:
    """Call again and again, and count how the calls end."""
    while True:
        try:
            answer = await client.request(method, path, json=body)
            seen[path, "good" if answer.is_success else answer.text] += 1
        except httpx.TransportError as error:
            seen[path, repr(error)] += 1


async def test_killing_one_loses_its_own_streams_and_not_one_other_call(servers):
    (one, one_address), (_, two_address) = servers
    seen: Counter[tuple[str, str]] = Counter()
    async with AsyncExitStack() as stack:
        envoy = await stack.enter_async_context(sidecar(one_address, two_address))
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{envoy.port}", timeout=30, trust_env=False
        )
        await stack.enter_async_context(client)
        begun = [asyncio.Event() for _ in range(STREAMS)]
        streams = [asyncio.create_task(watch(client, each)) for each in begun]
        async with asyncio.timeout(20):
            await asyncio.gather(*(each.wait() for each in begun))
        loads = [asyncio.create_task(load(client, seen, *call)) for call in CALLS]
        await asyncio.sleep(1)
        one.kill()
        await asyncio.sleep(SECONDS)
        lost = [stream for stream in streams if stream.done()]
        for task in (*loads, *streams):
            task.cancel()
        await asyncio.gather(*loads, *streams, return_exceptions=True)
    # Documents in one message too: they are read by the other server, and charged once.
    assert {end for _, end in seen} == {"good"}
    assert {path for path, _ in seen} == {path for _, path, _ in CALLS}
    assert 0 < len(lost) < STREAMS
    assert {stream.result() for stream in lost} == {"cut"}
