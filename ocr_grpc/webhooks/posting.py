"""Posts one message to an address, over the same judged connections that fetch documents."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import httpx

from ocr_grpc.fetching.addresses import is_public, is_public_or_private
from ocr_grpc.fetching.errors import UrlNotAllowed, UrlUnreachable
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.fetching.pinned import PinnedConnections, Resolve, resolve

ATTEMPT_SECONDS = 15.0
"""For everything: the name, the connection, the message, the answer."""

MAX_ANSWER_BYTES = 64 * 1024
FIELD = "webhook.url"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message.

    Attributes:
        outcome: `delivered`, `refused` (another status), `timed_out` or `unreachable`.
        status: of HTTP; 0: none came.
        problem: why it counts as failed, in one sentence that repeats nothing the host said.
        body: its beginning, if that was asked for.
    """

    outcome: str
    status: int = 0
    problem: str = ""
    body: bytes = b""


class Poster:
    """Posts messages. Any number at a time; nothing is kept between two."""

    def __init__(
        self,
        hosts: AllowedHosts,
        private: bool = False,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        """Take the policy.

        Args:
            hosts: that may be asked, the setting `WEBHOOK_HOSTS`.
            private: whether private addresses and `http:` are allowed too, `WEBHOOK_PRIVATE`.
            resolve: finds addresses.
            is_allowed: judges them; None: as `private` says.
            tls: how certificates are checked; by default against the usual authorities.
            timeout_seconds: for one message.
        """
        self._private = private
        self._timeout_seconds = timeout_seconds
        judge = is_allowed or (is_public_or_private if private else is_public)
        self._connections = PinnedConnections(
            hosts, "WEBHOOK_HOSTS", resolve, judge, tls, "this server has no webhooks"
        )

    def check(self, url: str) -> httpx.URL:
        """Return a URL that may be asked, as far as that can be told without asking.

        Raises:
            InvalidUrl: it is none.
            UrlNotAllowed: its scheme, host or port is not allowed.
        """
        parsed = self._connections.check(url, FIELD)
        if parsed.scheme != "https" and not self._private:
            raise UrlNotAllowed("it is not `https:`", FIELD, "WEBHOOK_PRIVATE")
        return parsed

    async def post(
        self, url: str, headers: Mapping[str, str], body: str, *, keep_body: bool = False
    ) -> Answer:
        """Send a message and return what came of it. Redirects are not followed.

        Args:
            url: where to.
            headers: beside the usual ones.
            body: the message.
            keep_body: whether the body of the answer matters; otherwise none of it is read.

        Raises:
            InvalidUrl, UrlNotAllowed: the URL may not be asked, or leads to where nothing may be.
        """
        target = self.check(url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._exchange(target, headers, body.encode(), keep_body)
        except TimeoutError:
            problem = f"The whole answer did not come within {self._timeout_seconds:g} seconds."
            return Answer("timed_out", problem=problem)
        except (UrlUnreachable, httpx.HTTPError, OSError, UnicodeError):
            # Not their text, which may repeat what the host said.
            problem = "Its host cannot be reached, or does not answer as HTTP says."
            return Answer("unreachable", problem=problem)

    async def _exchange(
        self, url: httpx.URL, headers: Mapping[str, str], body: bytes, keep_body: bool
    ) -> Answer:
        async with await self._connections.transport() as transport:
            response = await self._connections.ask(transport, url, FIELD, "POST", headers, body)
            try:
                if response.is_success:
                    beginning = await _beginning(response) if keep_body else b""
                    return Answer("delivered", response.status_code, body=beginning)
            finally:
                await response.aclose()
        hint = " Redirects are not followed." if response.has_redirect_location else ""
        problem = f"It was answered with the status {response.status_code}.{hint}"
        return Answer("refused", response.status_code, problem)


async def _beginning(response: httpx.Response) -> bytes:
    """Return the body of an answer, cut where it is too long."""
    body = bytearray()
    raw = cast("AsyncGenerator[bytes, None]", response.aiter_raw())
    async with aclosing(raw) as parts:
        async for part in parts:
            body += part
            if len(body) >= MAX_ANSWER_BYTES:
                break
    return bytes(body[:MAX_ANSWER_BYTES])
