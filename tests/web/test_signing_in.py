"""What a browser does with the tokens of a session, and people with those of mails."""

import re
import socket
import time
from collections.abc import Iterator
from email import message_from_bytes, policy

import jwt
import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import expect

from tests.people import ADMIN_NAME, ADMIN_PASSWORD
from tests.web.accounts import keep_session, kept_session, sign_in, until

SECRET = "a secret of thirty-two bytes or more"
SETTINGS = {"SECRET_KEY": SECRET, "ACCESS_TOKEN_EXPIRE_MINUTES": "5"}
REFRESH = "**/ocr_grpc.v1.AuthService/RefreshToken"


class Inbox:
    """Keeps the tokens of the mails that come."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802 - aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.tokens += re.findall(r"^([\w-]{43})\r?$", mail.get_content(), re.M)
        return "250 OK"

    def last(self, count: int) -> str:
        """Wait for so many mails and return the token of the last."""
        assert until(lambda: len(self.tokens) == count)
        return self.tokens[-1]


@pytest.fixture(scope="module", autouse=True)
def inbox() -> Iterator[Inbox]:
    """Receive the mails of the server, which is started after it."""
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    mails = Controller(inbox, hostname="127.0.0.1", port=port)
    mails.start()
    SETTINGS["SMTP_URL"] = f"smtp://127.0.0.1:{port}"
    yield inbox
    mails.stop()


def expired(token: str) -> str:
    """Return an access token as it is once its time is over."""
    key, now = SECRET.encode().ljust(64, b"\0"), int(time.time())
    claims = jwt.decode(token, key, ["HS256"], audience="ocr_grpc")
    claims |= {"iat": now - 400, "nbf": now - 400, "exp": now - 100}
    return jwt.encode(claims, key, "HS256", headers={"typ": "at+jwt"})


@pytest.fixture
def refreshes(page) -> list[str]:
    """Return the refreshes that the page asks for, as they come."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def count_of(asked: list[str]) -> int:
    return sum(url.endswith("/RefreshToken") for url in asked)


def test_an_access_token_that_expired_on_the_way_is_renewed_silently(page, server, refreshes):
    server.register("ann")
    sign_in(page, "ann")
    session = kept_session(page)
    keep_session(page, session | {"accessToken": expired(session["accessToken"])})
    page.reload()
    expect(page.get_by_text("Signed in as ann")).to_be_visible()
    expect(page.get_by_text("There is no key yet.")).to_be_visible()
    assert count_of(refreshes) == 1
    assert kept_session(page)["refreshToken"] != session["refreshToken"]


def test_calls_that_come_together_share_one_refresh_before_the_token_expires(
    page, server, refreshes
):
    server.register("bob")
    sign_in(page, "bob")
    keep_session(page, kept_session(page) | {"expiresAt": time.time() * 1000 + 5_000})
    page.goto("/account#usage")
    page.reload()
    expect(page.get_by_role("table", name="Recent calls")).to_be_visible()
    assert count_of(refreshes) == 1


def test_a_page_that_is_reloaded_again_and_again_stays_signed_in(page, server, refreshes):
    server.register("cleo")
    sign_in(page, "cleo")
    for _ in range(5):
        page.goto("/account", wait_until="commit")
    expect(page.get_by_text("Signed in as cleo")).to_be_visible()
    assert count_of(refreshes) == 0


def test_copies_of_a_tab_share_the_next_tokens(page, server):
    server.register("dora")
    sign_in(page, "dora")
    stale = kept_session(page) | {"expiresAt": 0}
    copy = page.context.new_page()
    copy.goto("/robots.txt")
    keep_session(copy, stale)
    keep_session(page, stale)
    page.reload()
    copy.goto("/account")
    for tab in (page, copy):
        expect(tab.get_by_text("Signed in as dora")).to_be_visible()
    assert kept_session(copy)["refreshToken"] == kept_session(page)["refreshToken"]
    assert audited(server, "session.reused") == []


def test_a_copy_whose_original_is_gone_asks_to_sign_in_and_spends_nothing_twice(page, server):
    server.register("eve")
    sign_in(page, "eve")
    stale = kept_session(page) | {"expiresAt": 0}
    keep_session(page, stale)
    page.reload()
    expect(page.get_by_text("Signed in as eve")).to_be_visible()
    headers = {"authorization": f"Bearer {kept_session(page)['accessToken']}"}
    page.goto("about:blank")
    copy = page.context.new_page()
    copy.goto("/robots.txt")
    keep_session(copy, stale)
    copy.goto("/account")
    expect(copy.get_by_text("This tab is a copy")).to_be_visible()
    expect(copy.get_by_role("button", name="Sign in")).to_be_visible()
    assert server.client.get("/v1/users/me", headers=headers).status_code == 200
    assert audited(server, "session.reused") == []


def test_signing_out_ends_the_session_at_the_server_too(page, server):
    server.register("fay")
    sign_in(page, "fay")
    headers = {"authorization": f"Bearer {kept_session(page)['accessToken']}"}
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    refused = server.client.get("/v1/users/me", headers=headers)
    assert (refused.status_code, "SESSION_REVOKED" in refused.text) == (401, True)


def test_a_session_that_was_ended_elsewhere_is_said_to_be_over(page, server):
    server.register("gil")
    sign_in(page, "gil")
    expect(page.get_by_text("There is no key yet.")).to_be_visible()
    elsewhere = server.sign_in("gil")
    ended = server.client.post("/v1/auth/logout", headers=elsewhere, json={"everywhere": True})
    assert ended.status_code == 200
    page.get_by_role("link", name="Usage").click()
    expect(page.get_by_text("The session was ended. Sign in again.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_server_that_cannot_be_reached_does_not_end_the_session(page, server):
    server.register("hal")
    sign_in(page, "hal")
    keep_session(page, kept_session(page) | {"expiresAt": 0})
    page.route(REFRESH, lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute(REFRESH)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Signed in as hal")).to_be_visible()


def test_an_address_is_confirmed_and_a_forgotten_password_set_anew_by_mail(page, server, inbox):
    server.register("ida")
    sign_in(page, "ida")
    page.get_by_role("link", name="Profile").click()
    page.get_by_label("E-mail address").fill("ida@example.com")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Send me a mail to confirm it").click()
    page.get_by_role("link", name="Enter its token.").click()
    page.get_by_label("Token of the mail").fill(inbox.last(1))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
    page.get_by_role("link", name="Go to the account").click()
    expect(page.get_by_text("Confirmed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("Your confirmed e-mail address").fill("ida@example.com")
    page.get_by_role("button", name="Send the mail").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(f"/account#reset?token={inbox.last(2)}")
    expect(page).to_have_url(f"{server.url}/account#reset")
    page.get_by_label("New password").fill("a password of mine")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()
    sign_in(page, "ida", "a password of mine")


def test_whoever_is_told_to_wait_sees_for_how_long_and_keeps_what_was_typed(page, server):
    for _ in range(10):  # the last test here: no mail is sent for this address for a minute
        server.client.post("/v1/auth/requestPasswordReset", json={"email": "who@example.com"})
    page.goto("/account#forgot")
    page.get_by_label("Your confirmed e-mail address").fill("who@example.com")
    page.get_by_role("button", name="Send the mail").click()
    said = page.get_by_role("alert")
    expect(said).to_contain_text(re.compile(r"Too many mails .* You can try again in \d+ s\."))
    button = page.get_by_role("button", name="Send the mail")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_label("Your confirmed e-mail address")).to_have_value("who@example.com")


def audited(server, action: str) -> list[dict]:
    admin = server.sign_in(ADMIN_NAME, ADMIN_PASSWORD)
    answer = server.client.get("/v1/admin/audit", headers=admin, params={"action": action})
    return answer.json()["events"]
