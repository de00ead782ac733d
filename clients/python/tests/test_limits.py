"""Quotas and rate limits, as a caller meets them."""

import asyncio
from contextlib import aclosing

import pytest
from conftest import PASSWORD, expected_pages, new_name, sample, setting, until

from ocr_grpc_client import OcrClient, OcrError
from ocr_grpc_client.messages import (
    AdminServiceListUsageRequest,
    CallerLimits,
    CreateUserRequest,
    FieldMask,
    GetMeRequest,
    UpdateUserRequest,
    UsageFilter,
    User,
)


async def test_a_spent_quota_is_refused_at_once(door, admin):
    name = new_name()
    made = await admin.admin.create_user(
        CreateUserRequest(user=User(user_name=name), password=PASSWORD)
    )
    await admin.admin.update_user(
        UpdateUserRequest(
            user_id=made.user.user_id,
            user=User(limits=CallerLimits(pages_per_month=1)),
            update_mask=FieldMask(paths=["limits.pages_per_month"]),
        )
    )
    async with OcrClient(door) as client:
        await client.login(name, PASSWORD)
        began = asyncio.get_running_loop().time()
        with pytest.raises(OcrError) as refused:
            await client.read(sample("scan.pdf"))
        assert asyncio.get_running_loop().time() - began < 15
    assert refused.value.code.name == "RESOURCE_EXHAUSTED"
    assert refused.value.reason == "QUOTA_EXCEEDED"
    [violation] = refused.value.quota_violations
    assert violation.subject
    assert violation.description


async def test_too_many_calls_are_refused_with_a_delay(door, admin):
    """The minute slides, so who spent it at once waits longer than gRPC does, and is told so."""
    name = new_name()
    user = User(user_name=name, limits=CallerLimits(calls_per_minute=3))
    await admin.admin.create_user(CreateUserRequest(user=user, password=PASSWORD))
    async with OcrClient(door) as client:
        await client.login(name, PASSWORD)
        for _ in range(3):
            await client.auth.get_me(GetMeRequest())
        with pytest.raises(OcrError) as refused:
            await client.auth.get_me(GetMeRequest())
    assert refused.value.code.name == "RESOURCE_EXHAUSTED"
    assert refused.value.reason == "RATE_LIMITED"
    assert 20 < refused.value.retry_delay_seconds <= 60


async def test_one_stream_too_many_is_begun_again_when_another_has_ended(admin):
    name = new_name()
    user = User(user_name=name, limits=CallerLimits(concurrent_streams=1))
    user_id = (
        await admin.admin.create_user(CreateUserRequest(user=user, password=PASSWORD))
    ).user.user_id
    refused = AdminServiceListUsageRequest(
        user_id=user_id,
        filter=UsageFilter(method="OcrService/UploadExtract", status="RESOURCE_EXHAUSTED"),
    )

    async def refusals() -> list[str]:
        return [each.reason for each in (await admin.admin.list_usage(refused)).records]

    async with OcrClient(setting("OCR_GRPC")) as client:
        await client.login(name, PASSWORD)
        async with aclosing(client.extract(sample("long.pdf"))) as first:
            await anext(first)
            second = asyncio.create_task(client.read(sample("scan.pdf")))
            assert set(await until(refusals)) == {"TOO_MANY_STREAMS"}
            assert not second.done()
        assert [page.text for page in (await second).pages] == expected_pages()
