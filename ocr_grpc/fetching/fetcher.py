"""Fetches one document over HTTP, over connections that `pinned.py` judges."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx

from ocr_grpc.fetching.addresses import is_public
from ocr_grpc.fetching.errors import UrlUnreachable
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.fetching.pinned import PinnedConnections, Resolve, resolve
from ocr_grpc.fetching.urls import MAX_URL_CHARS

MAX_REDIRECTS = 3
SETTING = "FETCH_HOSTS"
PASSING_STATUS = frozenset(
    (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
)
"""With all above 500, those after which the same request may be answered later."""

NOTHING = "this server fetches nothing; send a `data:` URI"


class Fetcher:
    """Fetches documents. Any number at a time; nothing is kept between two."""

    def __init__(
        self,
        hosts: AllowedHosts,
        timeout_seconds: float,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take the policy.

        Args:
            hosts: that may be asked. Without any, nothing is ever fetched.
            timeout_seconds: for the whole of one document, redirects included.
            resolve: finds addresses.
            is_allowed: judges them.
            tls: how certificates are checked; by default against the usual authorities.
        """
        self._timeout_seconds = timeout_seconds
        self._connections = PinnedConnections(hosts, SETTING, resolve, is_allowed, tls, NOTHING)

    def check(self, url: str, field: str) -> httpx.URL:
        """Return a URL that may be asked, as far as that can be told without asking.

        Raises:
            InvalidUrl: it is none.
            UrlNotAllowed: its scheme, host or port is not in the list.
        """
        return self._connections.check(url, field)

    async def chunks(self, url: str, field: str) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a document. `field` is where the URL stood in the request.

        Raises:
            InvalidUrl: the URL is none.
            UrlNotAllowed: its host may not be asked, or one that it leads to.
            UrlUnreachable: the host does not answer, or not with a document.
        """
        target = self.check(url, field)
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        async with await self._connections.transport() as transport:
            async with _one_step(deadline, field):
                response = await self._answer(transport, target, field)
            try:
                parts = aiter(response.aiter_raw())
                while True:
                    async with _one_step(deadline, field):
                        part = await anext(parts, None)
                    if part is None:
                        return
                    yield part
            finally:
                await response.aclose()

    async def _answer(
        self, transport: httpx.AsyncHTTPTransport, url: httpx.URL, field: str
    ) -> httpx.Response:
        """Return the response that brings the document, wherever redirects lead."""
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._connections.ask(transport, url, field)
            if not response.has_redirect_location:
                return await _checked(response, field)
            location = response.headers["location"]
            await response.aclose()
            try:
                onward = str(url.join(location[:MAX_URL_CHARS]))
            except httpx.InvalidURL:
                raise UrlUnreachable("it redirects to what is no URL", field) from None
            url = self.check(onward, field)
        raise UrlUnreachable(f"it redirects more than {MAX_REDIRECTS} times", field)


async def _checked(response: httpx.Response, field: str) -> httpx.Response:
    """Return the response if it brings a document as it is."""
    problem, passing, status = "", False, response.status_code
    if status != HTTPStatus.OK:
        problem = f"its host answers with the status {status}"
        passing = status in PASSING_STATUS or response.is_server_error
    elif response.headers.get("content-encoding", "identity").lower() != "identity":
        # Not asked for; unpacking it would need limits of its own.
        problem = "its host sends it compressed"
    if problem:
        await response.aclose()
        raise UrlUnreachable(problem, field, passing)
    return response


@asynccontextmanager
async def _one_step(deadline: float, field: str) -> AsyncGenerator[None, None]:
    """Bound one wait, and translate what goes wrong in it.

    One wait and not the whole: what runs between two of them is not the fetcher's.
    """
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        why = "it takes too long (FETCH_TIMEOUT_SECONDS)"
        raise UrlUnreachable(why, field, passing=True) from None
    except (httpx.HTTPError, OSError, UnicodeError) as error:
        # Not their text, which may repeat what the host said.
        passing = isinstance(error, httpx.TransportError | OSError)
        raise UrlUnreachable("its host does not answer as it should", field, passing) from None
