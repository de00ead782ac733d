"""What callers may spend: rate limits, quotas, concurrent streams, and what they are told of it."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from ocr_grpc.accounts.opaque import make_key
from ocr_grpc.rpc.status import DETAILS_KEY
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import usage_service_pb2 as usage_pb
from tests.people import House, Metadata, api_key, house
from tests.support import (
    FORCE_OCR,
    NO_DOCUMENT,
    collect,
    encoded,
    failed_stream,
    kinds,
    picture,
    reason_of,
    refusal,
    text_pdf,
)

LEFT = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}


def request(content: bytes, **fields) -> pb.StreamExtractRequest:
    return pb.StreamExtractRequest(content=content, **fields)


async def quota(home: House, metadata: Metadata):
    summary = await home.usage.GetUsageSummary(usage_pb.GetUsageSummaryRequest(), metadata=metadata)
    return summary.quota


async def read(home: House, metadata: Metadata, content: bytes, **fields) -> list:
    return await collect(home.ocr.StreamExtract(request(content, **fields), metadata=metadata))


def details_of(error: grpc.aio.AioRpcError, kind: type):
    for key, value in error.trailing_metadata():
        if key == DETAILS_KEY:
            for detail in status_pb2.Status.FromString(value).details:
                found = kind()
                if detail.Unpack(found):
                    return found
    return None


async def test_answers_tell_what_is_left_first_and_last(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        _, user = await home.create_user("ann", limits={"pages_per_month": 10})
        call = home.auth.GetMe(auth_pb.GetMeRequest(), metadata=user)
        await call
        assert set(dict(await call.initial_metadata())) >= LEFT
        assert dict(await call.trailing_metadata())["ratelimit-limit"] == "600"

        stream = home.ocr.StreamExtract(request(text_pdf(3)), metadata=user)
        await collect(stream)
        first, last = dict(await stream.initial_metadata()), dict(await stream.trailing_metadata())
        assert first["quota-remaining-pages"] == "7"
        assert last["quota-remaining-pages"] == "7"
        assert int(last["ratelimit-remaining"]) < 600


async def test_a_document_with_more_pages_than_are_left_is_refused_and_costs_nothing(
    tmp_path, backend
):
    async with house(tmp_path, **backend.settings) as home:
        user_id, user = await home.create_user("ann", limits={"pages_per_month": 5})
        assert kinds(await read(home, user, text_pdf(3)))[-1] == "finished"
        call = home.ocr.StreamExtract(request(text_pdf(3)), metadata=user)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await collect(call)
        error = refused.value
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_of(error) == "QUOTA_EXCEEDED"
        spent = details_of(error, error_details_pb2.QuotaFailure)
        assert spent.violations[0].subject == f"user:{user_id}"
        assert details_of(error, error_details_pb2.RetryInfo).retry_delay.seconds > 0
        left = await quota(home, user)
        assert (left.used_pages, left.reserved_pages, left.remaining_pages) == (3, 0, 2)
        assert kinds(await read(home, user, text_pdf(2)))[-1] == "finished"


async def test_pages_that_fail_are_given_back(tmp_path, backend):
    async with house(tmp_path, engine="crash", engine_workers=1, **backend.settings) as home:
        _, user = await home.create_user("ann", limits={"pages_per_month": 5})
        frames = [picture(first_pixel=0), picture()]
        content = encoded(picture(), "TIFF", save_all=True, append_images=frames)
        events = await read(home, user, content, options={"mode": FORCE_OCR})
        assert events[-1].finished.pages_failed == 1
        left = await quota(home, user)
        assert (left.used_pages, left.reserved_pages) == (2, 0)


async def test_fifty_callers_race_for_the_last_hundred_pages(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        _, user = await home.create_user(
            "ann", limits={"pages_per_month": 100, "concurrent_streams": 0}
        )
        _, key = await home.key(user, 1)
        two_pages = text_pdf(2, lines_per_page=1)
        reasons = set()

        async def race() -> int:
            granted = 0
            for _ in range(3):
                try:
                    events = await read(home, key, two_pages)
                    granted += events[-1].finished.usage.pages
                except grpc.aio.AioRpcError as error:
                    reasons.add(reason_of(error))
            return granted

        assert sum(await asyncio.gather(*(race() for _ in range(50)))) == 100
        assert reasons == {"QUOTA_EXCEEDED"}
        left = await quota(home, user)
        assert (left.used_pages, left.reserved_pages, left.remaining_pages) == (100, 0, 0)


async def test_a_repetition_under_the_same_request_id_is_free(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        _, user = await home.create_user("ann", limits={"pages_per_month": 5})
        content = text_pdf(4)
        for _ in range(3):
            events = await read(home, user, content, request_id="my-request")
            assert events[-1].finished.pages_ok == 4
        assert (await quota(home, user)).used_pages == 4
        other = request(text_pdf(1), request_id="my-request")
        assert await refusal(home.ocr.StreamExtract(other, metadata=user)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "REQUEST_ID_REUSED",
        )
        bad = request(content, request_id="a space")
        assert (await refusal(home.ocr.StreamExtract(bad, metadata=user)))[1] == (
            "INVALID_REQUEST_ID"
        )


async def test_calls_over_the_rate_limit_are_told_when_to_come_again(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        _, user = await home.create_user("ann", limits={"calls_per_minute": 5})
        for _ in range(5):
            await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=user)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await home.auth.GetMe(auth_pb.GetMeRequest(), metadata=user)
        assert reason_of(refused.value) == "RATE_LIMITED"
        delay = details_of(refused.value, error_details_pb2.RetryInfo).retry_delay
        assert 0 < delay.ToMilliseconds() <= 60_000
        told = dict(refused.value.trailing_metadata())
        assert (told["ratelimit-limit"], told["ratelimit-remaining"]) == ("5", "0")


async def test_a_caller_has_so_many_streams_at_once(tmp_path, backend):
    async with house(tmp_path, engine="hang", **backend.settings) as home:
        _, user = await home.create_user("ann", limits={"concurrent_streams": 1})
        hanging = encoded(picture(first_pixel=0))
        first = home.ocr.StreamExtract(request(hanging), metadata=user)
        await first.read()
        second = home.ocr.StreamExtract(request(encoded(picture())), metadata=user)
        assert await refusal(second) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "TOO_MANY_STREAMS",
        )
        first.cancel()
        for _ in range(50):
            try:
                assert await read(home, user, encoded(picture()))
                break
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)
        else:
            pytest.fail("The slot of the cancelled stream never came back.")


async def test_a_revoked_key_is_refused_at_once_and_its_streams_end(tmp_path, backend):
    async with house(tmp_path, engine="hang", **backend.settings) as home:
        _, user = await home.register("ann")
        key_id, key = await home.key(user, 1)
        stream = home.ocr.StreamExtract(request(encoded(picture(first_pixel=0))), metadata=key)
        rest = asyncio.create_task(failed_stream(stream))
        await asyncio.sleep(0.3)
        await home.keys.RevokeKey(keys_pb.RevokeKeyRequest(key_id=key_id), metadata=user)
        async with asyncio.timeout(30):
            events, error = await rest
        assert reason_of(error) == "KEY_REVOKED"
        assert events[0].HasField("started")
        assert events[-1].failed.reason == "KEY_REVOKED"
        assert await refusal(home.ocr.StreamExtract(request(b"x"), metadata=key)) == (
            grpc.StatusCode.UNAUTHENTICATED,
            "KEY_REVOKED",
        )


async def test_every_call_has_its_row(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        _, user = await home.register("ann")
        key_id, key = await home.key(user, 1)
        await read(home, key, text_pdf(2))
        await refusal(home.ocr.StreamExtract(request(NO_DOCUMENT), metadata=key))
        await refusal(home.usage.ListUsage(usage_pb.ListUsageRequest(), metadata=key))
        await asyncio.sleep(0.3)
        listed = await home.usage.ListUsage(usage_pb.ListUsageRequest(), metadata=user)
        rows = [(row.method, row.status, row.reason, row.usage.pages) for row in listed.records]
        assert rows[:4] == [
            ("UsageService/ListUsage", "PERMISSION_DENIED", "INSUFFICIENT_SCOPE", 0),
            ("OcrService/StreamExtract", "INVALID_ARGUMENT", "UNKNOWN_FORMAT", 0),
            ("OcrService/StreamExtract", "OK", "", 2),
            ("KeysService/CreateKey", "OK", "", 0),
        ]
        assert {row.key_id for row in listed.records[:3]} == {key_id}
        assert listed.records[2].usage.input_bytes == len(text_pdf(2))


async def test_whoever_ends_a_stream_by_giving_up_the_key_pays_for_the_page_under_way(tmp_path):
    async with house(tmp_path, engine="hang") as home:
        _, user = await home.register("ann")
        key_id, key = await home.key(user, 1)
        hanging = request(encoded(picture(first_pixel=0)))
        stream = home.ocr.StreamExtract(hanging, metadata=key)
        rest = asyncio.create_task(failed_stream(stream))
        await asyncio.sleep(1)
        disabling = keys_pb.UpdateKeyRequest(key_id=key_id, key={"disabled": True})
        await home.keys.UpdateKey(disabling, metadata=user)
        events, error = await rest
        assert "delta" in kinds(events)
        assert reason_of(error) == "KEY_DISABLED"
        left = await quota(home, user)
        assert (left.used_pages, left.reserved_pages) == (1, 0)


async def test_a_caller_who_hangs_up_pays_for_text_on_its_way(tmp_path):
    async with house(tmp_path, engine="hang") as home:
        _, user = await home.register("ann")
        stream = home.ocr.StreamExtract(request(encoded(picture(first_pixel=0))), metadata=user)
        while not (await stream.read()).HasField("delta"):
            pass
        stream.cancel()
        await until_settled(home, user)
        assert (await quota(home, user)).used_pages == 1


async def until_settled(home: House, metadata: Metadata) -> None:
    for _ in range(100):
        if not (await quota(home, metadata)).reserved_pages:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("Pages stay reserved.")


async def test_a_document_that_never_arrives_whole_costs_nothing(tmp_path, backend):
    async with house(tmp_path, engine="hang", **backend.settings) as home:
        _, user = await home.register("ann")
        frames = [picture(first_pixel=0)]
        content = encoded(picture(), "TIFF", save_all=True, append_images=frames)
        call = home.ocr.Extract(pb.ExtractRequest(content=content), metadata=user, timeout=2)
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await call
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await until_settled(home, user)
        assert (await quota(home, user)).used_pages == 0


async def test_a_document_that_arrives_whole_is_charged_before_it_leaves(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        _, user = await home.register("ann")
        content = text_pdf(30, lines_per_page=1)
        await home.ocr.Extract(pb.ExtractRequest(content=content), metadata=user)
        left = await quota(home, user)
        assert (left.used_pages, left.reserved_pages) == (30, 0)


async def test_bad_credentials_count_for_their_address(tmp_path, backend):
    async with house(tmp_path, anonymous_calls_per_minute=20, **backend.settings) as home:
        admin = await home.admin()
        reasons = []
        for _ in range(60):
            call = home.auth.GetMe(auth_pb.GetMeRequest(), metadata=api_key(make_key()))
            reasons.append((await refusal(call))[1])
        assert set(reasons[:5]) == {"KEY_INVALID"}
        assert set(reasons[25:]) == {"RATE_LIMITED"}
        await asyncio.sleep(0.3)
        rows = await home.admins.ListUsage(
            admin_pb.AdminServiceListUsageRequest(page_size=500), metadata=admin
        )
        strangers = [row for row in rows.records if not row.user_id]
        assert len(strangers) <= 21


async def test_calls_that_are_denied_count_too(tmp_path):
    async with house(tmp_path) as home:
        _, user = await home.create_user("ann", limits={"calls_per_minute": 5})
        reasons = [
            (await refusal(home.admins.GetStats(admin_pb.GetStatsRequest(), metadata=user)))[1]
            for _ in range(10)
        ]
        assert set(reasons) == {"ROLE_REQUIRED", "RATE_LIMITED"}
        assert reasons.count("ROLE_REQUIRED") == 5
