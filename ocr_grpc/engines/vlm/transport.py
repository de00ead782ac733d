"""The connections to the model's server, which is believed as little as any other peer.

The client of OpenAI reads a line, an event or the body of an error whole, however long it is. So
what arrives is counted here, below it: a server that never ends a line cannot fill our memory.
"""

from collections.abc import AsyncIterator

import httpx2

MIB = 1024 * 1024
MAX_EVENT_BYTES = MIB
"""Of one event or of the body of an error; some servers send a whole page as one event."""
CONNECT_SECONDS = 10.0
SPARE_CONNECTIONS = 4
"""Beside those that read pages: the list of models is asked for when all others are busy, too."""
KEEPALIVE_SECONDS = 4.0
"""Shorter than the 5 s after which uvicorn, and so vLLM, closes: its end must not be a surprise."""


class AnswerTooLong(httpx2.ReadError):
    """More arrived without making an event than any event needs."""


class SentOnce:
    """The body of a request, forgotten once it is sent.

    The client keeps a request as long as its response, which may take minutes to come to its end.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.size_bytes = len(body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body, self._body = self._body, b""
        yield body


class CountedBytes(httpx2.AsyncByteStream):
    """The body of a response, which ends in an error once too much of it was not understood."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body
        self._pieces: AsyncIterator[bytes] | None = None
        self.unread_bytes = 0
        """What arrived since the reader last set it to 0, which it does after every event."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._pieces = aiter(self._body)
        return self

    async def __anext__(self) -> bytes:
        if self._pieces is None:
            raise RuntimeError("Iterate with `async for`.")
        piece = await anext(self._pieces)
        self.unread_bytes += len(piece)
        if self.unread_bytes > MAX_EVENT_BYTES:
            # Nobody above closes it after an error of ours, and the pool would count it as taken.
            await self.aclose()
            raise AnswerTooLong("An event or a body is too long.")
        return piece

    async def aclose(self) -> None:
        """Close the connection unless the body was read to its end."""
        await self._body.aclose()


class CountingTransport(httpx2.AsyncHTTPTransport):
    """Plain HTTP/1.1 without a proxy of the environment, bodies counted."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the response with its head; see the base class."""
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # It was not asked for, and unpacked it can be a thousand times as long.
            await response.aclose()
            raise httpx2.RemoteProtocolError("The body is compressed.", request=request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            counted = CountedBytes(response.stream)
            response.stream = counted
            response.extensions["counted"] = counted
        return response


def http_client(connections: int) -> httpx2.AsyncClient:
    """Return a client for so many calls at once.

    It follows no redirect, which could take the key to another server, and reads no environment.
    How long a body may take is for the reader to say: it knows a first token from the next.
    """
    limits = httpx2.Limits(
        max_connections=connections + SPARE_CONNECTIONS,
        max_keepalive_connections=connections,
        keepalive_expiry=KEEPALIVE_SECONDS,
    )
    return httpx2.AsyncClient(
        transport=CountingTransport(limits=limits, trust_env=False),
        headers={"Accept-Encoding": "identity"},
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
    )
