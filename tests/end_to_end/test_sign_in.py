"""Signing in and staying signed in, as callers do it."""

import asyncio
from urllib.parse import urlencode

import grpc
import grpc.aio

from ocr_grpc.v1 import auth_service_pb2 as pb
from tests.people import PASSWORD, House, bearer, house
from tests.support import reason_of, refusal

UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


def form(**fields: str) -> pb.IssueTokenRequest:
    return pb.IssueTokenRequest(
        content={
            "content_type": "application/x-www-form-urlencoded",
            "data": urlencode(fields).encode(),
        }
    )


async def name_of(home: House, token: str) -> str:
    return (await home.auth.GetMe(pb.GetMeRequest(), metadata=bearer(token))).user.user_name


async def refused_with(home: House, token: str) -> str:
    """Wait until a token is refused, and return the reason: the news travels on its own way."""
    async with asyncio.timeout(30):
        while True:
            try:
                await name_of(home, token)
            except grpc.aio.AioRpcError as error:
                return reason_of(error)
            await asyncio.sleep(0.05)


async def test_the_password_grant_of_oauth_2_signs_in_and_its_refresh_grant_goes_on(tmp_path):
    async with house(tmp_path) as home:
        await home.register("ann", email="ann@example.com")
        for name in ("ann", "Ann@Example.com"):
            issued = await home.auth.IssueToken(
                form(grant_type="password", username=name, password=PASSWORD)
            )
            assert (issued.token_type, issued.expires_in) == ("bearer", 1800)
            assert await name_of(home, issued.access_token) == "ann"
        again = form(grant_type="refresh_token", refresh_token=issued.refresh_token)
        assert await name_of(home, (await home.auth.IssueToken(again)).access_token) == "ann"
        wrong = form(username="ann", password="wrong password")
        assert await refusal(home.auth.IssueToken(wrong)) == (UNAUTHENTICATED, "LOGIN_FAILED")


async def test_a_refresh_token_may_come_again_until_the_next_one_was_used(tmp_path):
    async with house(tmp_path) as home:
        await home.register("ann")
        first = await home.login("ann")
        refresh = pb.RefreshTokenRequest(refresh_token=first.refresh_token)
        lost = await home.auth.RefreshToken(refresh)
        second = await home.auth.RefreshToken(refresh)
        assert second.refresh_token != lost.refresh_token
        assert await name_of(home, second.access_token) == "ann"
        await home.auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=second.refresh_token))
        assert (await refusal(home.auth.RefreshToken(refresh)))[1] == "REFRESH_TOKEN_REUSED"


async def test_without_grace_a_second_use_of_a_refresh_token_ends_the_session(tmp_path, backend):
    async with house(tmp_path, refresh_grace_seconds=0, **backend.settings) as home:
        await home.register("ann")
        first = await home.login("ann")
        refresh = pb.RefreshTokenRequest(refresh_token=first.refresh_token)
        second = await home.auth.RefreshToken(refresh)
        assert await name_of(home, second.access_token) == "ann"
        assert await refusal(home.auth.RefreshToken(refresh)) == (
            UNAUTHENTICATED,
            "REFRESH_TOKEN_REUSED",
        )
        for token in (first.access_token, second.access_token):
            assert await refused_with(home, token) == "SESSION_REVOKED"
        thief = pb.RefreshTokenRequest(refresh_token=second.refresh_token)
        assert (await refusal(home.auth.RefreshToken(thief)))[0] is UNAUTHENTICATED


async def test_a_new_password_ends_all_sessions_but_this_one(tmp_path, backend):
    async with house(tmp_path, **backend.settings) as home:
        await home.register("ann")
        here, there = await home.login("ann"), await home.login("ann")
        change = pb.ChangePasswordRequest(old_password=PASSWORD, new_password="another password")
        await home.auth.ChangePassword(change, metadata=bearer(here.access_token))
        assert await name_of(home, here.access_token) == "ann"
        assert await refused_with(home, there.access_token) == "SESSION_REVOKED"
        assert (await refusal(home.login("ann")))[1] == "LOGIN_FAILED"
        assert (await home.login("ann", "another password")).user.user_name == "ann"


async def test_without_smtp_no_mail_can_be_asked_for(tmp_path):
    async with house(tmp_path) as home:
        _, user = await home.register("ann", email="ann@example.com")
        reset = pb.RequestPasswordResetRequest(email="ann@example.com")
        verify = pb.RequestEmailVerificationRequest()
        for call in (
            home.auth.RequestPasswordReset(reset),
            home.auth.RequestEmailVerification(verify, metadata=user),
        ):
            assert await refusal(call) == (
                grpc.StatusCode.FAILED_PRECONDITION,
                "MAIL_NOT_CONFIGURED",
            )
