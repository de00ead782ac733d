"""Three servers on one PostgreSQL and one Valkey: what one learns, all of them obey."""

import asyncio
import time
from contextlib import AsyncExitStack

import grpc
import pytest

from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.people import House, Metadata, house
from tests.support import encoded, failed_stream, picture, reason_of, refusal

SECRET = "a secret that all three servers have"


@pytest.fixture
async def homes(tmp_path, production):
    """Three servers, each with a folder of its own."""
    async with AsyncExitStack() as stack:
        values = production.settings | {"secret_key": SECRET, "engine": "hang"}
        values |= {"engine_workers": 1, "readers": 1, "blob_url": f"file://{tmp_path}/blobs"}
        yield [
            await stack.enter_async_context(house(tmp_path / f"server-{number}", **values))
            for number in range(3)
        ]


async def refused_within(home: House, metadata: Metadata, reason: str) -> float:
    """Return the seconds until a server refuses credentials."""
    began = time.monotonic()
    while time.monotonic() - began < 30:
        try:
            await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            assert reason_of(error) == reason  # noqa: PT017 - the loop goes on until there is one
            return time.monotonic() - began
        await asyncio.sleep(0.02)
    raise AssertionError(f"Not refused with {reason}.")


async def test_a_revoked_key_is_refused_everywhere_and_its_streams_end(homes):
    _, user = await homes[0].register("ann")
    key_id, key = await homes[0].key(user, 1)
    hanging = pb.StreamExtractRequest(content=encoded(picture(first_pixel=0)))
    streams = [home.ocr.StreamExtract(hanging, metadata=key) for home in homes]
    rests = [asyncio.create_task(failed_stream(stream)) for stream in streams]
    await asyncio.sleep(1)
    await homes[1].keys.RevokeKey(keys_pb.RevokeKeyRequest(key_id=key_id), metadata=user)
    seconds = await asyncio.gather(*(refused_within(home, key, "KEY_REVOKED") for home in homes))
    assert max(seconds) < 20
    async with asyncio.timeout(30):
        ends = await asyncio.gather(*rests)
    assert {reason_of(error) for _, error in ends} == {"KEY_REVOKED"}
    assert {events[-1].failed.reason for events, _ in ends} == {"KEY_REVOKED"}


async def test_logging_out_and_disabling_hold_everywhere_within_a_second(homes):
    user_id, first = await homes[0].register("ann")
    for home in homes:
        await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=first)
    await homes[2].auth.Logout(auth_pb.LogoutRequest(), metadata=first)
    gone = await asyncio.gather(*(refused_within(home, first, "SESSION_REVOKED") for home in homes))
    assert max(gone) < 1
    second = (("authorization", f"Bearer {(await homes[1].login('ann')).access_token}"),)
    for home in homes:
        await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=second)
    disabling = admin_pb.UpdateUserRequest(user_id=user_id, user={"disabled": True})
    await homes[0].admins.UpdateUser(disabling, metadata=await homes[0].admin())
    gone = await asyncio.gather(*(refused_within(home, second, "USER_DISABLED") for home in homes))
    assert max(gone) < 1


async def test_a_rate_limit_is_one_limit_for_all_servers(homes):
    limit = 200
    _, user = await homes[0].create_user("ann", limits={"calls_per_minute": limit})
    _, key = await homes[0].key(user, 1)
    outcomes: list[str] = []

    async def call(home: House) -> None:
        try:
            await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=key)
            outcomes.append("OK")
        except grpc.aio.AioRpcError as error:
            outcomes.append(reason_of(error))

    for _ in range(20):
        await asyncio.gather(*(call(homes[number % 3]) for number in range(5 * limit // 20)))
    assert set(outcomes) == {"OK", "RATE_LIMITED"}
    # One call was spent on making the key.
    assert abs(outcomes.count("OK") + 1 - limit) <= 0.02 * limit


async def test_new_limits_of_a_user_hold_everywhere_within_a_second(homes):
    user_id, user = await homes[0].register("ann")
    for home in homes:
        await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=user)
    change = admin_pb.UpdateUserRequest(user_id=user_id, user={"limits": {"calls_per_minute": 1}})
    await homes[0].admins.UpdateUser(change, metadata=await homes[0].admin())
    await asyncio.sleep(1)
    refusals = [await refusal_of(home, user) for home in homes]
    assert refusals.count("RATE_LIMITED") >= 2


async def refusal_of(home: House, metadata: Metadata) -> str:
    try:
        await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    return ""


async def test_streams_of_a_user_count_over_all_servers(homes):
    _, user = await homes[0].create_user("ann", limits={"concurrent_streams": 2})
    hanging = pb.StreamExtractRequest(content=encoded(picture(first_pixel=0)))
    streams = [homes[number].ocr.StreamExtract(hanging, metadata=user) for number in (0, 1)]
    for stream in streams:
        await stream.read()
    third = homes[2].ocr.StreamExtract(hanging, metadata=user)
    assert (await refusal(third))[1] == "TOO_MANY_STREAMS"
    for stream in streams:
        stream.cancel()
