"""Two servers behind one Envoy, one of which stands still: it is left out within seconds."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from time import monotonic

import httpx
import pytest

from tests.processes import serve
from tests.sidecar.envoys import sidecar
from tests.support import encoded, picture

HANGING = encoded(picture(first_pixel=0))
STREAMS = 6
CALLERS = 4
NOTICED_SECONDS = 10.0
"""What docs/http.md says."""
BUSY_SECONDS = 5.0
"""More, for a machine that has much else to do."""


@pytest.fixture
def servers(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    settings = {"ENGINE": "hang", "ENGINE_WORKERS": "2", "ANONYMOUS_CALLS_PER_MINUTE": "0"}
    both = [serve(tmp_path / name, **settings) for name in ("one", "two")]
    with ThreadPoolExecutor() as threads, ExitStack() as stack:
        yield list(threads.map(stack.enter_context, both))  # at the same time


async def watch(client: httpx.AsyncClient, begun: asyncio.Event) -> float:
    """Read a stream that never ends by itself; return when it ended."""
    try:
        async with client.stream("POST", "/v1/ocr:upload", content=HANGING) as answer:
            async for _ in answer.aiter_lines():
                begun.set()
    except httpx.TransportError:
        pass
    return monotonic()


async def call(client: httpx.AsyncClient, calls: list[tuple[float, float, int]]) -> None:
    """Call again and again; note when each call began and ended, and its status."""
    while True:
        began = monotonic()
        answer = await client.get("/v1/ocr/capabilities")
        calls.append((began, monotonic(), answer.status_code))


async def test_a_server_that_stands_still_is_left_out_and_its_streams_end(servers):
    (one, one_address), (_, two_address) = servers
    calls: list[tuple[float, float, int]] = []
    async with AsyncExitStack() as stack:
        envoy = await stack.enter_async_context(sidecar(one_address, two_address))
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{envoy.port}", timeout=120, trust_env=False
        )
        await stack.enter_async_context(client)
        begun = [asyncio.Event() for _ in range(STREAMS)]
        streams = [asyncio.create_task(watch(client, each)) for each in begun]
        async with asyncio.timeout(30):
            await asyncio.gather(*(each.wait() for each in begun))
        callers = [asyncio.create_task(call(client, calls)) for _ in range(CALLERS)]
        await asyncio.sleep(0.5)
        stopped = monotonic()
        one.send_signal(signal.SIGSTOP)
        try:
            await asyncio.wait(streams, timeout=120, return_when=asyncio.FIRST_COMPLETED)
            cut = monotonic() - stopped
            await asyncio.sleep(2)  # some more calls, all of them at the other server
        finally:
            one.send_signal(signal.SIGCONT)
        lost = [stream for stream in streams if stream.done()]
        for task in (*callers, *streams):
            task.cancel()
        await asyncio.gather(*callers, *streams, return_exceptions=True)
    assert 0 < len(lost) < STREAMS
    longest = max(end - began for began, end, _ in calls)
    print(f"streams were cut after {cut:.1f} s, the longest call took {longest:.1f} s")
    # Calls that only read were tried again at the other server, and none failed.
    assert {status for *_, status in calls} == {200}
    assert max(cut, longest) < NOTICED_SECONDS + BUSY_SECONDS
