"""What a client shows for itself: nothing, an API key, or a session that renews itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from .errors import OcrError

Metadata = tuple[tuple[str, str], ...]

TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a reason
REFRESH_BEFORE_SECONDS = 60.0
"""An access token is renewed so long before it expires, or after half its life if that is later."""

CLOSING_SECONDS = 5.0


class Credentials(Protocol):
    """What goes with every call."""

    async def metadata(self) -> Metadata:
        """Return the metadata for a call that begins now."""
        ...

    async def renew(self, refused: Metadata) -> bool:
        """Renew what was refused as expired; return whether to try again."""
        ...


class Fixed:
    """Credentials that never change: an API key, or none."""

    def __init__(self, api_key: str = "") -> None:
        """Take the key, perhaps with the line end of the file it comes from.

        Raises:
            ValueError: it cannot be a key; gRPC would say so in riddles.
        """
        api_key = api_key.strip()
        if not api_key.isascii() or any(not each.isprintable() or each == " " for each in api_key):
            raise ValueError("An API key has no spaces, line ends or letters beyond ASCII.")
        self._metadata: Metadata = (("x-api-key", api_key),) if api_key else ()

    async def metadata(self) -> Metadata:
        """Return the same metadata every time."""
        return self._metadata

    async def renew(self, refused: Metadata) -> bool:
        """Return that there is nothing to renew."""
        return False


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens. They are not printed.

    Attributes:
        access_token: for calls, for minutes.
        refresh_token: gets the next pair, once.
        expires_in_seconds: how long the access token still lives.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: float


class Session:
    """A pair of tokens that is renewed before it expires, by one call however many need it."""

    def __init__(self, tokens: Tokens, refresh: Callable[[str], Awaitable[Tokens]]) -> None:
        """Take the first pair and what gets the next one for a refresh token."""
        self._refresh = refresh
        self._refreshing: asyncio.Task[None] | None = None
        self._take(tokens)

    @property
    def tokens(self) -> Tokens:
        """The newest pair, to go on with in another process. Only one of the two may refresh it."""
        left_seconds = max(0.0, self._expires_at - time.monotonic())
        return Tokens(self._access_token, self._refresh_token, left_seconds)

    async def metadata(self) -> Metadata:
        """Return the access token, a new one if it expires soon."""
        if time.monotonic() >= self._refresh_at:
            try:
                await self._renewed()
            except OcrError:
                if time.monotonic() >= self._expires_at:
                    raise
                # The access token is still good. The refresh token may be spent, if the answer was
                # lost; presented again it would end the session before the access token ends.
                self._refresh_at = self._expires_at
        return self._metadata()

    async def renew(self, refused: Metadata) -> bool:
        """Get a new access token, unless another call has got one meanwhile."""
        if refused == self._metadata():
            await self._renewed()
        return True

    async def close(self) -> None:
        """Wait a little for a renewal under way, whose tokens may go on elsewhere; then stop it."""
        if self._refreshing:
            await asyncio.wait([self._refreshing], timeout=CLOSING_SECONDS)
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    def _metadata(self) -> Metadata:
        return (("authorization", f"Bearer {self._access_token}"),)

    async def _renewed(self) -> None:
        """Wait for the renewal, the one under way or a new one.

        It is a task of its own: if the call that began it is cancelled, the refresh token is spent
        all the same, and whoever presents it again ends the session.
        """
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._renew())
        await asyncio.shield(self._refreshing)

    async def _renew(self) -> None:
        self._take(await self._refresh(self._refresh_token))

    def _take(self, tokens: Tokens) -> None:
        self._access_token, self._refresh_token = tokens.access_token, tokens.refresh_token
        lifetime = tokens.expires_in_seconds
        now = time.monotonic()
        self._expires_at = now + lifetime
        self._refresh_at = now + max(lifetime - REFRESH_BEFORE_SECONDS, lifetime / 2)
