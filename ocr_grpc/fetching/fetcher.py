"""Fetches one document over HTTP, from public addresses of allowed hosts alone.

The name is resolved here, every address is judged, and the connection goes to exactly the address
that was judged: a name that resolves to something else a moment later gains nothing. The name
stays in the `Host` header, and certificates are checked against it. What follows no redirects,
asks no proxy, and knows no cookies is the bare transport of httpx, so that is what is used.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx

from ocr_grpc.fetching.addresses import is_public
from ocr_grpc.fetching.errors import InvalidUrl, UrlNotAllowed, UrlUnreachable
from ocr_grpc.fetching.hosts import AllowedHosts

MAX_URL_CHARS = 8_000
MAX_REDIRECTS = 3
MAX_ADDRESSES = 4
CONNECT_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"[a-z0-9_.-]{1,253}|[0-9a-f:.]{2,45}")

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host. Raises OSError if it has none."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


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
        self._hosts = hosts
        self._timeout_seconds = timeout_seconds
        self._resolve = resolve
        self._is_allowed = is_allowed
        # Made once, because loading the authorities takes a while.
        self._tls = tls or httpx.create_ssl_context(trust_env=False) if hosts.entries else None

    def check(self, url: str, field: str) -> httpx.URL:
        """Return a URL that may be asked, as far as that can be told without asking.

        Raises:
            InvalidUrl: it is none.
            UrlNotAllowed: its host or port is not in the list.
        """
        parsed = _parsed(url, field)
        if not self._hosts.entries:
            raise UrlNotAllowed("this server fetches nothing; send a `data:` URI", field)
        if not self._hosts.allow(_host_of(parsed), _port_of(parsed)):
            raise UrlNotAllowed("its host and port are not in the list of this server", field)
        return parsed

    async def chunks(self, url: str, field: str) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a document. `field` is where the URL stood in the request.

        Raises:
            InvalidUrl: the URL is none.
            UrlNotAllowed: its host may not be asked, or one that it leads to.
            UrlUnreachable: the host does not answer, or not with a document.
        """
        target = self.check(url, field)
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        transport = httpx.AsyncHTTPTransport(verify=self._tls or True, trust_env=False)
        async with transport:
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
            response = await self._ask(transport, url, field)
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

    async def _ask(
        self, transport: httpx.AsyncHTTPTransport, url: httpx.URL, field: str
    ) -> httpx.Response:
        addresses = await self._addresses(url, field)
        for address in addresses[:-1]:
            try:
                return await transport.handle_async_request(_request(url, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await transport.handle_async_request(_request(url, addresses[-1]))

    async def _addresses(self, url: httpx.URL, field: str) -> list[str]:
        addresses = await self._resolve(_host_of(url), _port_of(url))
        if not addresses:
            raise UrlUnreachable("its host has no address", field)
        # One bad one among good ones is no accident, so the others are not tried.
        if not all(self._is_allowed(address) for address in addresses):
            raise UrlNotAllowed("its host has an address that is not public", field)
        return addresses[:MAX_ADDRESSES]


def _parsed(text: str, field: str) -> httpx.URL:
    try:
        url = httpx.URL(text[: MAX_URL_CHARS + 1])
    except httpx.InvalidURL:
        raise InvalidUrl(f"What is in `{field}` is no URL.", field=field) from None
    if len(text) > MAX_URL_CHARS:
        raise InvalidUrl(f"A URL has at most {MAX_URL_CHARS} characters.", field=field)
    if url.scheme not in PORTS:
        raise InvalidUrl(f"The URL in `{field}` is not `data:`, `http:` or `https:`.", field=field)
    if url.userinfo:
        raise InvalidUrl(f"The URL in `{field}` holds credentials.", field=field)
    host = _host_of(url).rstrip(".")
    if not _HOST.fullmatch(host):
        raise InvalidUrl(f"The URL in `{field}` has no host.", field=field)
    return url.copy_with(host=host, fragment=None)


def _host_of(url: httpx.URL) -> str:
    """Return the host in ASCII; `URL.host` would give international names back in Unicode."""
    return url.raw_host.decode("ascii")


def _port_of(url: httpx.URL) -> int:
    return url.port or PORTS[url.scheme]


def _request(url: httpx.URL, address: str) -> httpx.Request:
    """Return the request for a URL, to be sent to an address."""
    return httpx.Request(
        "GET",
        url.copy_with(host=address),
        headers={
            "host": url.netloc.decode("ascii"),
            "user-agent": "ocr-grpc",
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "close",
        },
        extensions={"sni_hostname": _host_of(url), "timeout": {"connect": CONNECT_SECONDS}},
    )


async def _checked(response: httpx.Response, field: str) -> httpx.Response:
    """Return the response if it brings a document as it is."""
    problem = ""
    if response.status_code != HTTPStatus.OK:
        problem = f"its host answers with the status {response.status_code}"
    elif response.headers.get("content-encoding", "identity").lower() != "identity":
        # Not asked for; unpacking it would need limits of its own.
        problem = "its host sends it compressed"
    if problem:
        await response.aclose()
        raise UrlUnreachable(problem, field)
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
        raise UrlUnreachable("it takes too long (FETCH_TIMEOUT_SECONDS)", field) from None
    except (httpx.HTTPError, OSError, UnicodeError):
        # Not their text, which may repeat what the host said.
        raise UrlUnreachable("its host does not answer as it should", field) from None
