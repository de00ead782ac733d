"""Keeps track of what a sender has under way, so that no webhook and no user takes all of it."""

from collections import Counter
from copy import deepcopy
from datetime import datetime, timedelta

from ocr_grpc.store.webhooks import WebhookRow

AT_ONCE = 16
AT_ONCE_PER_USER = 8
AT_ONCE_PER_WEBHOOK = 2

MAX_REST_SECONDS = 60
MAX_RESTS = 1_000
REMEMBERED = timedelta(minutes=10)
"""How long after a rest the next one is longer."""


class Load:
    """What is under way, and which webhooks are left in peace for a moment."""

    def __init__(self) -> None:
        self._webhooks: Counter[str] = Counter()
        self._users: Counter[str] = Counter()
        self._rests: dict[str, tuple[int, datetime]] = {}
        self._skipped: set[str] = set()

    def copy(self) -> "Load":
        """Return a load to plan with; what happens to it does not happen to this one."""
        return deepcopy(self)

    @property
    def room(self) -> int:
        """How many more messages may be under way."""
        return AT_ONCE - self._webhooks.total()

    def begin(self, webhook: WebhookRow) -> None:
        """Note that a message to a webhook is under way."""
        self._webhooks[webhook.webhook_id] += 1
        self._users[webhook.user_id] += 1

    def end(self, webhook: WebhookRow) -> None:
        """Note that it is no more."""
        self._webhooks -= Counter([webhook.webhook_id])
        self._users -= Counter([webhook.user_id])

    def skip(self, webhook_id: str) -> None:
        """Leave a webhook out of what is planned."""
        self._skipped.add(webhook_id)

    def answered(self, webhook_id: str, *, at_all: bool, now: datetime) -> None:
        """Let an address that does not answer rest, ever longer: its messages take up room."""
        failures, _ = self._rests.pop(webhook_id, (0, now))
        if at_all or len(self._rests) >= MAX_RESTS:
            return
        seconds = min(2 << min(failures, 10), MAX_REST_SECONDS)
        self._rests[webhook_id] = (failures + 1, now + timedelta(seconds=seconds))

    def closed_webhooks(self, now: datetime) -> set[str]:
        """Return the webhooks that get nothing at the moment."""
        self._rests = {
            each: rest for each, rest in self._rests.items() if rest[1] + REMEMBERED > now
        }
        resting = {each for each, (_, until) in self._rests.items() if until > now}
        full = {each for each, count in self._webhooks.items() if count >= AT_ONCE_PER_WEBHOOK}
        return resting | full | self._skipped

    def closed_users(self) -> set[str]:
        """Return the users whose webhooks get nothing at the moment."""
        return {each for each, count in self._users.items() if count >= AT_ONCE_PER_USER}
