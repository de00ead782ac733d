"""Calls without asyncio, for the synchronous stubs."""

from collections.abc import Generator, Iterable
from typing import TypeVar

import betterproto2

from .calls import GrpcCaller
from .credentials import Metadata
from .portal import Portal
from .sources import iterate

Response = TypeVar("Response", bound=betterproto2.Message)


class PortalCaller:
    """Makes calls by a `GrpcCaller` in another thread."""

    def __init__(self, portal: Portal, caller: GrpcCaller) -> None:
        self._portal, self._caller = portal, caller

    def unary_unary(
        self,
        path: str,
        request: betterproto2.Message,
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> Response:
        """Make a call with one request and one response."""
        return self._portal.run(
            self._caller.unary_unary(path, request, response, timeout, metadata)
        )

    def unary_stream(
        self,
        path: str,
        request: betterproto2.Message,
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> Generator[Response, None, None]:
        """Make a call with one request and a stream of responses."""
        return self._portal.iterate(
            self._caller.unary_stream(path, request, response, timeout, metadata)
        )

    def stream_unary(
        self,
        path: str,
        request: Iterable[betterproto2.Message],
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> Response:
        """Make a call with a stream of requests and one response."""
        return self._portal.run(
            self._caller.stream_unary(path, iterate(request), response, timeout, metadata)
        )

    def stream_stream(
        self,
        path: str,
        request: Iterable[betterproto2.Message],
        response: type[Response],
        timeout: float | None = None,
        metadata: Metadata = (),
        /,
    ) -> Generator[Response, None, None]:
        """Make a call with streams both ways."""
        return self._portal.iterate(
            self._caller.stream_stream(path, iterate(request), response, timeout, metadata)
        )
