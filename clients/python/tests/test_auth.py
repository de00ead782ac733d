"""AuthService: all of its RPCs, and the session of a client."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from conftest import PASSWORD, join, new_name, records_of, setting, until

from ocr_grpc_client import OcrClient, OcrError, Tokens
from ocr_grpc_client.messages import (
    AdminServiceListUsageRequest,
    ChangePasswordRequest,
    FieldMask,
    GetMeRequest,
    HttpBody,
    IssueTokenRequest,
    LoginRequest,
    RefreshTokenRequest,
    RegisterRequest,
    RequestEmailVerificationRequest,
    RequestPasswordResetRequest,
    ResetPasswordRequest,
    UpdateMeRequest,
    UsageFilter,
    User,
    VerifyEmailRequest,
)


async def test_register_login_get_me_and_logout(door):
    async with OcrClient(door) as client:
        name = new_name()
        made = await client.auth.register(RegisterRequest(user_name=name, password=PASSWORD))
        user = await client.login(name, PASSWORD)
        assert user.user_id == made.user.user_id
        assert (await client.auth.get_me(GetMeRequest())).user.user_name == name
        tokens = client.tokens
        await client.logout()
        assert client.tokens is None
        with pytest.raises(OcrError) as refused:
            await client.auth.get_me(GetMeRequest())
        assert refused.value.code.name == "UNAUTHENTICATED"
    async with OcrClient(door, tokens=tokens) as again:
        with pytest.raises(OcrError) as ended:
            await again.auth.get_me(GetMeRequest())
        assert ended.value.code.name == "UNAUTHENTICATED"


async def test_a_wrong_password_is_refused_with_a_reason(door):
    async with OcrClient(door) as client:
        with pytest.raises(OcrError) as refused:
            await client.login(new_name(), PASSWORD)
    assert refused.value.reason == "LOGIN_FAILED"
    assert refused.value.request_id


async def test_two_calls_with_a_token_about_to_expire_refresh_it_once(person, admin, door):
    began = datetime.now(UTC)
    old = person.client.tokens
    about_to_expire = Tokens(old.access_token, old.refresh_token, expires_in_seconds=0)
    async with OcrClient(door, tokens=about_to_expire) as client:
        answers = await asyncio.gather(*(client.auth.get_me(GetMeRequest()) for _ in range(2)))
        assert [answer.user.user_name for answer in answers] == [person.name] * 2
        new = client.tokens
        assert new.refresh_token != old.refresh_token
        assert new.expires_in_seconds > 60
        await records_of(client, "AuthService/GetMe", count=2)  # rows are written in their order
    refreshes = await admin.admin.list_usage(
        AdminServiceListUsageRequest(
            filter=UsageFilter(method="AuthService/RefreshToken", start_time=began)
        )
    )
    assert [record.status for record in refreshes.records] == ["OK"]


async def test_a_token_that_was_refreshed_goes_on_through_streams_and_uploads(ann):
    old = ann.client.tokens
    about_to_expire = Tokens(old.access_token, old.refresh_token, expires_in_seconds=0)
    async with OcrClient(setting("OCR_GRPC"), tokens=about_to_expire) as client:
        assert (await client.read(b"Hello", file_name="a.txt")).text == "Hello"
        assert client.tokens.refresh_token != old.refresh_token


async def test_a_refresh_token_works_until_the_next_one_was_used(ann):
    spent = ann.client.tokens.refresh_token
    request = RefreshTokenRequest(refresh_token=spent)
    following = (await ann.client.auth.refresh_token(request)).refresh_token
    assert following != spent
    await ann.client.auth.refresh_token(RefreshTokenRequest(refresh_token=following))
    with pytest.raises(OcrError) as refused:
        await ann.client.auth.refresh_token(request)
    assert refused.value.reason == "REFRESH_TOKEN_REUSED"


async def test_tokens_can_be_had_by_a_form(ann):
    form = urlencode({"grant_type": "password", "username": ann.name, "password": PASSWORD})
    content = HttpBody(content_type="application/x-www-form-urlencoded", data=form.encode())
    answer = await ann.client.auth.issue_token(IssueTokenRequest(content=content))
    assert answer.token_type == "bearer"
    async with OcrClient(
        setting("OCR_GRPC"), tokens=Tokens(answer.access_token, answer.refresh_token, 600)
    ) as client:
        assert (await client.auth.get_me(GetMeRequest())).user.user_name == ann.name


async def test_one_changes_what_one_is_called(ann):
    changed = await ann.client.auth.update_me(
        UpdateMeRequest(
            user=User(display_name="Ann"), update_mask=FieldMask(paths=["display_name"])
        )
    )
    assert changed.user.display_name == "Ann"
    assert (await ann.client.auth.get_me(GetMeRequest())).user.display_name == "Ann"


async def test_a_new_password_holds(ann):
    new = "another horse battery"
    await ann.client.auth.change_password(
        ChangePasswordRequest(old_password=PASSWORD, new_password=new)
    )
    with pytest.raises(OcrError):
        await ann.client.auth.login(LoginRequest(user_name=ann.name, password=PASSWORD))
    assert (await ann.client.login(ann.name, new)).user_name == ann.name


async def test_an_address_is_confirmed_and_a_password_reset_by_mail():
    address = f"{new_name()}@example.com"
    async with OcrClient(setting("OCR_GRPC")) as client:
        person = await join(client, email=address)
        await client.auth.request_email_verification(RequestEmailVerificationRequest())
        await client.auth.verify_email(VerifyEmailRequest(token=await token_for(address)))
        assert (await client.auth.get_me(GetMeRequest())).user.email_verified
        confirmed = await token_for(address)
        await client.auth.request_password_reset(RequestPasswordResetRequest(email=address))
        token = await token_for(address, other_than=confirmed)
        new = "another horse battery"
        await client.auth.reset_password(ResetPasswordRequest(token=token, new_password=new))
        assert (await client.login(person.name, new)).email == address


async def token_for(address: str, other_than: str = "") -> str:
    """Wait for a mail; return the token, which has a line of its own."""
    mail = Path(setting("OCR_MAILS"), address)

    async def look() -> str:
        if not mail.exists():  # noqa: ASYNC240 - a small file
            return ""
        [token] = [line for line in mail.read_text().splitlines() if is_token(line)]  # noqa: ASYNC240
        return "" if token == other_than else token

    return await until(look)


def is_token(line: str) -> bool:
    return len(line) > 20 and " " not in line.strip()


def test_credentials_are_not_printed():
    tokens = Tokens("the access token", "the refresh token", 600)
    texts = [repr(tokens), str(tokens), repr(OcrClient("localhost:1", tokens=tokens))]
    texts.append(repr(OcrClient("localhost:1", api_key="ocr_the-key")))
    assert not any(word in text for text in texts for word in ("access t", "refresh t", "the-key"))
