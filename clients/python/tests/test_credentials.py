import asyncio

import grpc
import pytest

from ocr_grpc_client import OcrClient, OcrError, Tokens
from ocr_grpc_client.credentials import Fixed, Session


class Issuer:
    """Gives out pairs of tokens, or fails, and counts."""

    def __init__(self, *failures: OcrError) -> None:
        self.failures, self.spent = list(failures), []
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def refresh(self, refresh_token: str) -> Tokens:
        self.spent.append(refresh_token)
        self.asked.set()
        await self.may_answer.wait()
        if self.failures:
            raise self.failures.pop(0)
        number = len(self.spent)
        return Tokens(f"access {number}", f"refresh {number}", 600)


BROKEN = OcrError(grpc.StatusCode.UNAVAILABLE, "broken")


def session(issuer: Issuer, lifetime: float) -> Session:
    return Session(Tokens("access 0", "refresh 0", lifetime), issuer.refresh)


async def test_a_token_that_lives_is_shown_as_it_is():
    issuer = Issuer()
    assert await session(issuer, 600).metadata() == (("authorization", "Bearer access 0"),)
    assert issuer.spent == []


async def test_many_calls_at_once_refresh_once():
    issuer = Issuer()
    mine = session(issuer, 0)
    shown = await asyncio.gather(*(mine.metadata() for _ in range(50)))
    assert set(shown) == {(("authorization", "Bearer access 1"),)}
    assert issuer.spent == ["refresh 0"]


async def test_many_calls_that_were_refused_refresh_once():
    issuer = Issuer()
    mine = session(issuer, 600)
    refused = await mine.metadata()
    assert all(await asyncio.gather(*(mine.renew(refused) for _ in range(50))))
    assert issuer.spent == ["refresh 0"]


async def test_a_refresh_survives_the_call_that_began_it():
    issuer = Issuer()
    issuer.may_answer.clear()
    mine = session(issuer, 0)
    first = asyncio.create_task(mine.metadata())
    await issuer.asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    issuer.may_answer.set()
    assert await mine.metadata() == (("authorization", "Bearer access 1"),)
    assert issuer.spent == ["refresh 0"]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
async def test_a_refresh_that_fails_does_not_matter_while_the_token_lives(code: str):
    """Its answer may have been lost; the spent token, shown again, would end the session."""
    issuer = Issuer(OcrError(grpc.StatusCode[code], "not now"))
    mine = session(issuer, 600)
    mine._refresh_at = 0
    for _ in range(2):
        assert await mine.metadata() == (("authorization", "Bearer access 0"),)
    assert issuer.spent == ["refresh 0"]
    mine._refresh_at = mine._expires_at = 0
    assert await mine.metadata() == (("authorization", "Bearer access 2"),)


async def test_closing_waits_for_a_refresh_whose_tokens_may_go_on_elsewhere():
    issuer = Issuer()
    issuer.may_answer.clear()
    mine = session(issuer, 0)
    calling = asyncio.create_task(mine.metadata())
    await issuer.asked.wait()
    asyncio.get_running_loop().call_later(0.05, issuer.may_answer.set)
    await mine.close()
    assert mine.tokens.refresh_token == "refresh 1"
    await calling


@pytest.mark.parametrize("key", ["ocr_the\n-key", "ocr_thé-key", "ocr_the -key"])
def test_what_cannot_be_a_key_is_refused_without_being_told(key: str):
    with pytest.raises(ValueError, match="API key") as refused:
        OcrClient("localhost:1", api_key=key)
    assert "-key" not in str(refused.value)


async def test_a_key_may_have_the_line_end_of_its_file():
    assert await Fixed("ocr_the-key\n").metadata() == (("x-api-key", "ocr_the-key"),)


async def test_a_refresh_that_fails_after_the_end_of_the_token_is_told():
    mine = session(Issuer(BROKEN), 0)
    with pytest.raises(OcrError):
        await mine.metadata()
