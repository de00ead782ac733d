"""Asks an address whether it wants to be told, so that nobody aims webhooks at strangers."""

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from time import monotonic

from ocr_grpc.store.base import new_id, utc_now
from ocr_grpc.webhooks.errors import TooManyVerifications, WebhookNotVerified
from ocr_grpc.webhooks.messages import body_of, headers_of
from ocr_grpc.webhooks.posting import Poster

EVENT_TYPE = "webhook.verification"

AT_ONCE = 8
"""Of all users: each takes a thread for the name, and may last as long as an attempt."""

PER_USER = 20
PER_USER_SECONDS = 600.0
"""So many of one user in so long, or the server could be made to knock at any host for ever."""

BUSY_SECONDS = 5.0
"""When to come again where others are being verified."""

MAX_USERS = 10_000
"""Past this many the one that was verified longest ago is forgotten."""


class Verifications:
    """Verifies addresses, one of each user at a time. One for the whole server."""

    def __init__(self, poster: Poster, clock: Callable[[], float] = monotonic) -> None:
        """Take what sends challenges, and the time in seconds."""
        self._poster = poster
        self._clock = clock
        self._under_way: set[str] = set()
        self._begun: OrderedDict[str, deque[float]] = OrderedDict()
        """When those of a user began lately."""

    async def verify(self, user_id: str, url: str, signing: Sequence[str]) -> None:
        """Send a challenge to an address, and see that it comes back.

        Args:
            user_id: who wants it to be told.
            url: where to.
            signing: the secrets of the webhook.

        Raises:
            InvalidUrl, UrlNotAllowed: the URL may not be asked.
            TooManyVerifications: of this user, or of all; nothing was sent.
            WebhookNotVerified: the answer is not the right one.
        """
        self._poster.check(url)
        with self._counted(user_id):
            await _verify(self._poster, url, signing)

    @contextmanager
    def _counted(self, user_id: str) -> Generator[None, None, None]:
        if user_id in self._under_way or len(self._under_way) >= AT_ONCE:
            raise TooManyVerifications(BUSY_SECONDS)
        now = self._clock()
        begun = self._begun.setdefault(user_id, deque())
        while begun and begun[0] <= now - PER_USER_SECONDS:
            begun.popleft()
        if len(begun) >= PER_USER:
            raise TooManyVerifications(begun[0] + PER_USER_SECONDS - now)
        begun.append(now)
        self._begun.move_to_end(user_id)
        if len(self._begun) > MAX_USERS:
            self._begun.popitem(last=False)
        self._under_way.add(user_id)
        try:
            yield
        finally:
            self._under_way.discard(user_id)


async def _verify(poster: Poster, url: str, signing: Sequence[str]) -> None:
    challenge, now = secrets.token_urlsafe(32), utc_now()
    body = body_of(EVENT_TYPE, now, {"challenge": challenge})
    headers = headers_of(new_id(), body, signing, now)
    answer = await poster.post(url, headers, body, keep_body=True)
    if answer.problem:
        raise WebhookNotVerified(answer.problem, answer.status)
    if challenge.encode() not in answer.body:
        raise WebhookNotVerified("The answer does not contain the challenge.", answer.status)
