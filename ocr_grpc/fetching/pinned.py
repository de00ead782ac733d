"""Asks hosts that callers name, at public addresses of allowed hosts alone.

The name is resolved here, every address is judged, and the connection goes to exactly the address
that was judged: a name that resolves to something else a moment later gains nothing. The name
stays in the `Host` header, and certificates are checked against it. What follows no redirects,
asks no proxy, and knows no cookies is the bare transport of httpx, so that is what is used.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from ocr_grpc.fetching.addresses import is_public
from ocr_grpc.fetching.errors import HostUnknown, UrlNotAllowed
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.fetching.urls import host_of, parsed_url, port_of

MAX_ADDRESSES = 4
CONNECT_SECONDS = 5.0
MAX_RESOLVERS = 16

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host. Raises OSError if it has none."""

# A name whose servers are slow holds a thread for long; none of those that do the rest of the work.
_resolvers = ThreadPoolExecutor(MAX_RESOLVERS, "resolver")


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system knows them."""
    asked = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_resolvers, asked)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PinnedConnections:
    """Asks hosts under a policy. Any number at a time; nothing is kept between two."""

    def __init__(
        self,
        hosts: AllowedHosts,
        setting: str,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        nothing: str = "this server asks no hosts",
    ) -> None:
        """Take the policy.

        Args:
            hosts: that may be asked. Without any, nobody ever is.
            setting: where they are listed, for messages.
            resolve: finds addresses.
            is_allowed: judges them.
            tls: how certificates are checked; by default against the usual authorities.
            nothing: says that the list is empty, for messages.
        """
        self._hosts = hosts
        self._setting = setting
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._tls = tls
        self._nothing = nothing

    def check(self, url: str, field: str) -> httpx.URL:
        """Return a URL that may be asked, as far as that can be told without asking.

        Raises:
            InvalidUrl: it is none.
            UrlNotAllowed: its scheme, host or port is not in the list.
        """
        parsed = parsed_url(url, field)
        if not self._hosts.entries:
            raise self._refused(self._nothing, field)
        if not self._hosts.allow(parsed.scheme, host_of(parsed), port_of(parsed)):
            raise self._refused("its host and port are not in the list of this server", field)
        return parsed

    async def transport(self) -> httpx.AsyncHTTPTransport:
        """Return what `ask` sends with. Whoever calls closes it."""
        if self._tls is None:
            # Once, and not at the start: loading the authorities takes a while.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        return httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)

    async def ask(
        self,
        transport: httpx.AsyncHTTPTransport,
        url: httpx.URL,
        field: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send a request and return the answer once its headers are there; redirects are answers.

        Args:
            transport: what to send with.
            url: one that `check` returned.
            field: where it stood in the request.
            method: of HTTP.
            headers: beside the usual ones.
            content: the body.

        Raises:
            UrlNotAllowed: the host has an address that may not be asked.
            HostUnknown: it has none.
            httpx.HTTPError, OSError, UnicodeError: it does not answer, or not in HTTP. Their text
                may repeat what the host said.
        """
        addresses = await self._addresses(url, field)
        for address in addresses[:-1]:
            try:
                request = _request(url, address, method, headers or {}, content)
                return await transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        request = _request(url, addresses[-1], method, headers or {}, content)
        return await transport.handle_async_request(request)

    async def _addresses(self, url: httpx.URL, field: str) -> list[str]:
        try:
            addresses = await self._resolve(host_of(url), port_of(url))
        except OSError:
            raise HostUnknown(field) from None
        if not addresses:
            raise HostUnknown(field)
        # One bad one among good ones is no accident, so the others are not tried.
        if not all(self._is_allowed(address) for address in addresses):
            raise self._refused("its host has an address that is not allowed", field)
        return addresses[:MAX_ADDRESSES]

    def _refused(self, why: str, field: str) -> UrlNotAllowed:
        return UrlNotAllowed(why, field, self._setting)


def _request(
    url: httpx.URL, address: str, method: str, headers: Mapping[str, str], content: bytes | None
) -> httpx.Request:
    """Return the request for a URL, to be sent to an address."""
    usual = {
        "host": url.netloc.decode("ascii"),
        "user-agent": "ocr-grpc",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }
    return httpx.Request(
        method,
        url.copy_with(host=address),
        headers={**usual, **headers},
        content=content,
        extensions={"sni_hostname": host_of(url), "timeout": {"connect": CONNECT_SECONDS}},
    )
