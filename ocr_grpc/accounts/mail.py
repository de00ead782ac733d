"""Sends mail, in the background: how long that takes tells nobody whether there was any to send."""

import asyncio
from collections.abc import Coroutine
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import aiosmtplib
import structlog

from ocr_grpc.accounts.mail_texts import LINK

log = structlog.get_logger()

DEADLINE_SECONDS = 10.0
SENT_AT_ONCE = 4
MAX_WAITING = 256
CLOSE_SECONDS = 5.0


class Mailer:
    """Sends mails by SMTP. Close it at the end."""

    def __init__(self, smtp_url: str, mail_from: str, public_url: str = "") -> None:
        """Connect to nothing yet.

        Args:
            smtp_url: `smtp://user:password@host:587` or `smtps://…:465`. Empty: no mail is sent.
            mail_from: the sender's address.
            public_url: where people reach the web app. Empty: mails do not link there.
        """
        self._options = _options(smtp_url) if smtp_url else None
        self._mail_from = mail_from
        self._public_url = public_url
        self._slots = asyncio.Semaphore(SENT_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def configured(self) -> bool:
        """Whether mail can be sent at all."""
        return self._options is not None

    def link(self, door: str, name: str, secret: str) -> str:
        """Return a paragraph that leads to a door of the web app; empty if it is not known where.

        What follows the `#` never leaves the browser, so no log on the way has the secret.
        """
        if not self._public_url:
            return ""
        return LINK.format(url=f"{self._public_url}/account#{door}?{name}={quote(secret)}")

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that ends in a mail, without anybody waiting for it."""
        if len(self._tasks) >= MAX_WAITING:
            work.close()
            log.warning("mail_dropped", waiting=len(self._tasks))
            return
        task = asyncio.create_task(self._in_turn(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, to: str, subject: str, body: str) -> None:
        """Send one mail within 10 seconds. A failure is logged, and nobody else hears of it.

        Args:
            to: an address; anything else is not sent.
            subject: one line.
            body: plain text.
        """
        if self._options is None:
            return
        try:
            message = _message(self._mail_from, to, subject, body)
            async with asyncio.timeout(DEADLINE_SECONDS):
                await aiosmtplib.send(message, **self._options)
        except Exception as error:
            # Not its text: servers repeat addresses in it.
            code = getattr(error, "code", None)
            log.warning("mail_not_sent", kind=type(error).__name__, smtp_code=code)

    async def close(self) -> None:
        """Wait some seconds for what is under way, then stop it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with self._slots:
                await work
        except Exception:
            log.exception("mail_failed")
        finally:
            work.close()  # if its turn never came


def _message(mail_from: str, to: str, subject: str, body: str) -> EmailMessage:
    """Return a mail to exactly one address.

    Raises:
        Exception: a header would be more than one header, an address not exactly one; the library
            has many errors for that.
    """
    message = EmailMessage()
    message["From"] = mail_from
    message["To"] = Address(addr_spec=to)
    message["Subject"] = subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=parseaddr(mail_from)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def _options(smtp_url: str) -> dict[str, Any]:
    """Return how to reach the mail server, as the SMTP library wants it."""
    url = urlsplit(smtp_url)
    implicit_tls = url.scheme == "smtps"
    options: dict[str, Any] = {
        "hostname": url.hostname or "localhost",
        "port": url.port or (465 if implicit_tls else 587),
        "timeout": DEADLINE_SECONDS,
        "use_tls": implicit_tls,
    }
    if url.username:
        options["username"] = unquote(url.username)
        options["password"] = unquote(url.password or "")
    if not implicit_tls:
        # None takes TLS where the server offers it. A password never goes without it.
        options["start_tls"] = True if url.username else None
    return options
