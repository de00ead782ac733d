import asyncio
import re
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from ocr_grpc.accounts.errors import (
    EmailMissing,
    LoginFailed,
    MailNotConfigured,
    MailThrottled,
    MailTokenInvalid,
    PasswordTooShort,
    RefreshTokenInvalid,
)
from ocr_grpc.accounts.mail import Mailer
from ocr_grpc.accounts.mail_tokens import MailTokens
from ocr_grpc.accounts.opaque import make_token
from ocr_grpc.accounts.users import Users
from ocr_grpc.store.accounts import MailTokenRow, UserRow
from ocr_grpc.store.base import utc_now
from tests.accounts.credentials import HERE, PASSWORD, ROLE_LIMITS, THERE, credentials, principal

ALICE = "alice@example.org"
NEW = "another password"


class Inbox:
    """Receives the mails of a real SMTP server."""

    def __init__(self, answer="250 OK", seconds=0.0):
        self.mails = []
        self.recipients = []
        self._answer, self._seconds = answer, seconds

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        await asyncio.sleep(self._seconds)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return self._answer

    async def wait(self, count=1):
        async with asyncio.timeout(30):
            while len(self.mails) < count:  # noqa: ASYNC110 - the other end of a socket
                await asyncio.sleep(0.01)
        return self.mails[count - 1]

    async def token(self, count=1) -> str:
        return re.search(r"^([\w-]{43})\r?$", (await self.wait(count)).get_content(), re.M)[1]


@asynccontextmanager
async def smtp(inbox, **options):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(inbox, hostname="localhost", loop=loop, **options), "127.0.0.1"
    )
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@asynccontextmanager
async def mailing(url="", public_url=""):
    mailer = Mailer(url, "ocr@example.org", public_url)
    yield mailer
    await mailer.close()


@pytest.fixture
def logged(request):
    """Returns what was logged, which goes to the standard error of the whole run."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    return lambda: capture.read_global_capture().err


@pytest.fixture
async def inbox():
    return Inbox()


@pytest.fixture
async def server(backend):
    async with credentials(backend) as made:
        yield made


def tokens_with(server, mailer) -> MailTokens:
    return MailTokens(
        server.database, mailer, server.hasher, server.sessions, server.changes, server.windows
    )


@pytest.fixture
async def mail(server, inbox):
    async with smtp(inbox) as address, mailing(f"smtp://{address}") as mailer:
        yield tokens_with(server, mailer)


async def test_a_mail_arrives_with_sender_recipient_and_text(inbox):
    async with smtp(inbox) as address, mailing(f"smtp://{address}") as mailer:
        await mailer.send(ALICE, "Grüße", "Ein Text\n")
    mail = await inbox.wait()
    assert (mail["From"], mail["To"], mail["Subject"]) == ("ocr@example.org", ALICE, "Grüße")
    assert mail.get_content() == "Ein Text\r\n" or mail.get_content() == "Ein Text\n"
    assert mail["Message-ID"].endswith("@example.org>")


async def test_the_sender_may_have_a_name(inbox):
    async with smtp(inbox) as address:
        mailer = Mailer(f"smtp://{address}", "OCR service <ocr@example.org>")
        await mailer.send(ALICE, "Hello", "text")
        await mailer.close()
    mail = await inbox.wait()
    assert mail["From"] == "OCR service <ocr@example.org>"
    assert mail["Message-ID"].endswith("@example.org>")


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        (f"{ALICE}\r\nBcc: mallory@example.org", "Hello"),
        (f"{ALICE}, mallory@example.org", "Hello"),
        (f"{ALICE}\nBcc: mallory@example.org", "Hello"),
        ("<mallory@example.org>", "Hello"),
        ("", "Hello"),
        ("x", "Hello"),
        (ALICE, "Hello\r\nBcc: mallory@example.org"),
        (ALICE, "Hello\n\nanother body"),
    ],
)
async def test_nothing_can_be_slipped_into_a_header(inbox, to, subject, logged):
    async with smtp(inbox) as address, mailing(f"smtp://{address}") as mailer:
        await mailer.send(to, subject, "text")
    assert not inbox.mails
    assert "mail_not_sent" in logged()


async def test_a_mail_server_that_refuses_is_logged_without_the_address(logged):
    inbox = Inbox(answer=f"550 no such user {ALICE}")
    async with smtp(inbox) as address, mailing(f"smtp://{address}") as mailer:
        await mailer.send(ALICE, "Hello", "text")
    text = logged()
    assert "mail_not_sent" in text
    assert "550" in text
    assert ALICE not in text


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_mail_server_that_is_gone_harms_nobody(scheme, unused_port):
    async with mailing(f"{scheme}://127.0.0.1:{unused_port}") as mailer:
        await mailer.send(ALICE, "Hello", "text")


@pytest.fixture
async def unused_port():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    server.close()
    return port


async def test_a_password_never_travels_without_tls(inbox):
    asked = []

    def authenticate(*arguments):
        asked.append(arguments)
        return AuthResult(success=True)

    options = {"authenticator": authenticate, "auth_require_tls": False}
    async with smtp(inbox, **options) as address:
        for url in (f"smtp://user:secret@{address}", f"smtps://user:secret@{address}"):
            async with mailing(url) as mailer:
                await mailer.send(ALICE, "Hello", "text")
    assert not asked
    assert not inbox.mails


async def test_a_mailer_does_not_show_its_password():
    async with mailing("smtps://user:secret@mail.example.org") as mailer:
        assert mailer.configured
        assert "secret" not in repr(mailer)


async def test_without_a_mail_server_nothing_is_promised(server):
    user = principal(await server.add_user(email=ALICE))
    async with mailing() as mailer:
        mail = tokens_with(server, mailer)
        assert not mailer.configured
        with pytest.raises(MailNotConfigured):
            await mail.request_verification(user, HERE)
        with pytest.raises(MailNotConfigured):
            await mail.request_password_reset(ALICE, HERE)
        with pytest.raises(MailNotConfigured):
            await mail.reset_password(make_token(), NEW, 8, HERE)


async def test_the_token_of_a_mail_confirms_the_address_once(server, mail, inbox):
    user_id = await server.add_user(email=ALICE)
    await mail.request_verification(principal(user_id), HERE)
    token = await inbox.token()
    assert inbox.recipients == [[ALICE]]
    await mail.verify_email(token, THERE)
    assert await server.value(UserRow.email_verified)
    with pytest.raises(MailTokenInvalid):
        await mail.verify_email(token, THERE)
    events = [(event.action, event.target_id) for event in await server.audited()]
    assert events == [("mail.verify_sent", user_id), ("email.verified", user_id)]
    assert token not in str([event.details for event in await server.audited()])


async def test_a_confirmed_address_gets_no_mail(server, mail, inbox):
    user = principal(await server.add_user(email=ALICE, email_verified=True))
    await mail.request_verification(user, HERE)
    await asyncio.sleep(0.2)
    assert not inbox.mails


async def test_a_user_without_an_address_gets_no_mail(server, mail):
    with pytest.raises(EmailMissing):
        await mail.request_verification(principal(await server.add_user()), HERE)


async def test_a_token_dies_with_the_address_it_was_sent_to(server, mail, inbox):
    await mail.request_verification(principal(await server.add_user(email=ALICE)), HERE)
    token = await inbox.token()
    await server.change(UserRow, email="other@example.org", email_key="other@example.org")
    with pytest.raises(MailTokenInvalid):
        await mail.verify_email(token, HERE)
    assert not await server.value(UserRow.email_verified)


async def test_a_token_gets_too_old(server, mail, inbox):
    await mail.request_verification(principal(await server.add_user(email=ALICE)), HERE)
    token = await inbox.token()
    expires = await server.value(MailTokenRow.expire_time)
    assert timedelta(hours=23) < expires - utc_now() < timedelta(hours=24)
    await server.change(MailTokenRow, expire_time=utc_now())
    with pytest.raises(MailTokenInvalid):
        await mail.verify_email(token, HERE)


async def test_a_new_mail_voids_the_one_before(server, mail, inbox):
    user = principal(await server.add_user(email=ALICE))
    await mail.request_verification(user, HERE)
    first = await inbox.token()
    await mail.request_verification(user, HERE)
    second = await inbox.token(2)
    with pytest.raises(MailTokenInvalid):
        await mail.verify_email(first, HERE)
    await mail.verify_email(second, HERE)


async def test_an_unknown_token_is_refused(mail):
    for token in ("", "x", "é\0", make_token(), "x" * 1_000_000):
        with pytest.raises(MailTokenInvalid):
            await mail.verify_email(token, HERE)
        with pytest.raises(MailTokenInvalid):
            await mail.reset_password(token, NEW, 8, HERE)


async def test_a_token_to_confirm_an_address_sets_no_password(server, mail, inbox):
    await mail.request_verification(principal(await server.add_user(email=ALICE)), HERE)
    token = await inbox.token()
    with pytest.raises(MailTokenInvalid):
        await mail.reset_password(token, NEW, 8, HERE)


async def test_a_forgotten_password_is_replaced_and_all_sessions_end(server, mail, inbox):
    user_id = await server.add_user(email=ALICE, email_verified=True)
    before = await server.login.login("alice", PASSWORD, THERE)
    await mail.request_password_reset("ALICE@example.org", HERE)
    token = await inbox.token()
    with pytest.raises(PasswordTooShort):
        await mail.reset_password(token, "short", 8, HERE)
    await mail.reset_password(token, NEW, 8, HERE)
    with pytest.raises(RefreshTokenInvalid):
        await server.sessions.refresh(before.tokens.refresh_token, THERE)
    with pytest.raises(LoginFailed):
        await server.login.login("alice", PASSWORD, THERE)
    assert await server.login.login("alice", NEW, HERE)
    with pytest.raises(MailTokenInvalid):
        await mail.reset_password(token, PASSWORD, 8, HERE)
    assert ("password.reset", user_id) in {
        (event.action, event.target_id) for event in await server.audited()
    }


async def test_a_stranger_who_asks_too_does_not_void_the_mail_of_the_owner(server, mail, inbox):
    await server.add_user(email=ALICE, email_verified=True)
    await mail.request_password_reset(ALICE, HERE)
    owners = await inbox.token()
    await mail.request_password_reset(ALICE, THERE)
    second = await inbox.token(2)
    await mail.reset_password(owners, NEW, 8, HERE)
    with pytest.raises(MailTokenInvalid):  # one that is used voids all
        await mail.reset_password(second, "another one", 8, HERE)


async def test_of_several_tokens_used_at_once_one_wins(server, mail, inbox):
    await server.add_user(email=ALICE, email_verified=True)
    tokens = []
    for number in (1, 2, 3):
        await mail.request_password_reset(ALICE, HERE)
        tokens.append(await inbox.token(number))
    answers = await asyncio.gather(
        *(mail.reset_password(token, NEW, 8, HERE) for token in tokens), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(MailTokenInvalid) == 2


@pytest.mark.parametrize("verified", [True, False])
async def test_the_old_address_hears_that_there_is_a_new_one(server, inbox, verified):
    user = principal(await server.add_user(email=ALICE, email_verified=verified))
    async with smtp(inbox) as address, mailing(f"smtp://{address}") as mailer:
        users = Users(
            server.database, server.hasher, server.changes, ROLE_LIMITS, server.sessions, 8, mailer
        )
        for changes in ({"display_name": "A"}, {"email": ALICE}, {"email": "thief@example.org"}):
            await users.update_me(user, changes, HERE)
        await users.update_me(user, {"email": "another@example.org"}, HERE)  # was not confirmed
    assert inbox.recipients == ([[ALICE]] if verified else [])
    for mail in inbox.mails:
        assert "alice" in mail.get_content()
        assert "thief" not in mail.get_content()


async def test_of_two_who_use_a_token_at_once_one_wins(server, mail, inbox):
    await server.add_user(email=ALICE, email_verified=True)
    await mail.request_password_reset(ALICE, HERE)
    token = await inbox.token()
    answers = await asyncio.gather(
        *(mail.reset_password(token, f"password {n}", 8, HERE) for n in range(4)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers].count(MailTokenInvalid) == 3


async def test_a_new_password_voids_the_mail_for_another(server, mail, inbox):
    user = principal(await server.add_user(email=ALICE, email_verified=True))
    await mail.request_password_reset(ALICE, THERE)
    token = await inbox.token()
    await server.login.change_password(user, PASSWORD, NEW, 8, HERE)
    with pytest.raises(MailTokenInvalid):
        await mail.reset_password(token, "the thief's password", 8, THERE)


@pytest.mark.parametrize(
    "columns",
    [
        {"email": ""},
        {"email": "other@example.org", "email_verified": True},
        {"email": ALICE, "email_verified": False},
        {"email": ALICE, "email_verified": True, "disabled": True},
    ],
    ids=["no address", "another", "not confirmed", "locked out"],
)
async def test_nobody_but_the_owner_of_a_confirmed_address_gets_a_mail(
    server, mail, inbox, columns
):
    await server.add_user(**columns)
    for typed in (ALICE, "", "%", "x" * 1_000_000, "\0@example.org"):
        await mail.request_password_reset(typed, HERE)
    await asyncio.sleep(0.2)
    assert not inbox.mails


async def test_the_time_of_the_answer_does_not_tell_whether_the_address_is_known(server):
    await server.add_user(email=ALICE, email_verified=True)
    inbox = Inbox(seconds=2)
    async with smtp(inbox) as address, mailing(f"smtp://{address}") as mailer:
        mail = tokens_with(server, mailer)
        for typed in (ALICE, "nobody@example.org"):
            begin = time.perf_counter()
            await mail.request_password_reset(typed, HERE)
            assert time.perf_counter() - begin < 1.5
        await inbox.wait()


async def test_mails_lead_to_the_web_app_if_it_is_known_where_that_is(server):
    user = principal(await server.add_user(email=ALICE))
    inbox = Inbox()
    async with (
        smtp(inbox) as address,
        mailing(f"smtp://{address}", "https://ocr.example.com") as mailer,
    ):
        await tokens_with(server, mailer).request_verification(user, HERE)
        text = (await inbox.wait()).get_content()
    token = re.search(r"^(\S{20,})\r?$", text, re.MULTILINE)[1]
    assert f"https://ocr.example.com/account#verify?token={token}" in text


async def test_without_such_an_address_mails_have_the_token_alone(server, mail, inbox):
    user = principal(await server.add_user(email=ALICE))
    await mail.request_verification(user, HERE)
    assert "http" not in (await inbox.wait()).get_content()


async def test_nobody_is_flooded_with_mail(server, mail, inbox):
    user = principal(await server.add_user(email=ALICE))
    for _ in range(3):
        await mail.request_verification(user, HERE)
    with pytest.raises(MailThrottled) as refused:
        await mail.request_verification(user, HERE)
    assert refused.value.retry_after_seconds >= 1
    await server.change(UserRow, email_verified=True)
    await mail.request_password_reset(ALICE, THERE)  # silently nothing
    await inbox.wait(3)
    await asyncio.sleep(0.2)
    assert len(inbox.mails) == 3


async def test_nobody_asks_for_the_mails_of_all(mail):
    for number in range(10):
        await mail.request_password_reset(f"user{number}@example.org", HERE)
    with pytest.raises(MailThrottled):
        await mail.request_password_reset(ALICE, HERE)
    await mail.request_password_reset(ALICE, THERE)


async def test_mails_that_cannot_wait_any_more_are_dropped_and_the_rest_is_finished():
    done = []

    async def work():
        await asyncio.sleep(0.01)
        done.append(1)

    async with mailing("smtp://127.0.0.1:1") as mailer:
        for _ in range(300):
            mailer.soon(work())
    assert len(done) == 256
