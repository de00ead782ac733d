"""gRPC's own retries under the policy that ships with the protos: they come again when it helps."""

import asyncio
import json

import grpc
import grpc.aio
import httpx
import pytest

from ocr_grpc.rpc.interceptors.errors import PUSHBACK_KEY
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.people import House, Metadata, house
from tests.rpc.test_service_config import POLICY
from tests.support import encoded, picture, reason_of, text_pdf

HANGING = encoded(picture(first_pixel=0))


@pytest.fixture
async def home(tmp_path):
    async with house(tmp_path, engine="hang") as home:
        options = [
            ("grpc.service_config", json.dumps(POLICY)),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        address = f"127.0.0.1:{home.server.port}"
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            yield House(channel, home.server)


async def refused(call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value


def pushback(error: grpc.aio.AioRpcError) -> str | None:
    return dict(error.trailing_metadata()).get(PUSHBACK_KEY)


def extract(home: House, user: Metadata, content: bytes, **options):
    return home.ocr.Extract(pb.ExtractRequest(content=content), metadata=user, **options)


async def test_a_call_that_is_refused_for_a_moment_succeeds_a_moment_later(home):
    _, user = await home.create_user("ann", limits={"concurrent_streams": 1})
    first = home.ocr.StreamExtract(pb.StreamExtractRequest(content=HANGING), metadata=user)
    await first.read()
    second = asyncio.ensure_future(extract(home, user, text_pdf(1)))
    async with asyncio.timeout(30), httpx.AsyncClient() as prometheus:
        address = f"http://127.0.0.1:{home.server.metrics_port}/metrics"
        while True:
            if "TOO_MANY_STREAMS" in (await prometheus.get(address)).text:
                break
            await asyncio.sleep(0.05)
    assert not second.done()
    first.cancel()
    assert (await asyncio.wait_for(second, 30)).pages[0].text


async def test_whoever_has_no_time_to_come_again_hears_why_at_once(home):
    _, user = await home.create_user("ann", limits={"concurrent_streams": 1})
    first = home.ocr.StreamExtract(pb.StreamExtractRequest(content=HANGING), metadata=user)
    await first.read()
    error = await refused(extract(home, user, text_pdf(1), timeout=0.9))
    assert (reason_of(error), pushback(error)) == ("TOO_MANY_STREAMS", "-1")
    first.cancel()


async def test_what_is_spent_for_the_month_is_not_asked_for_again(home):
    _, user = await home.create_user("ann", limits={"pages_per_month": 1})
    error = await refused(extract(home, user, text_pdf(2)))
    assert (reason_of(error), pushback(error)) == ("QUOTA_EXCEEDED", "-1")


async def test_a_call_that_would_wait_for_long_is_told_so_instead(home):
    _, user = await home.create_user("ann", limits={"calls_per_minute": 2})
    calls = [home.auth.GetMe(auth_pb.GetMeRequest(), metadata=user) for _ in range(4)]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    told = [each for each in ends if isinstance(each, grpc.aio.AioRpcError)]
    assert {(reason_of(each), pushback(each)) for each in told} == {("RATE_LIMITED", "-1")}


async def test_what_is_wrong_with_a_request_says_nothing_about_retries(home):
    _, user = await home.register("ann")
    error = await refused(extract(home, user, b""))
    assert (reason_of(error), pushback(error)) == ("EMPTY_DOCUMENT", None)
