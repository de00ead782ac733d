"""How long to go on asking for a stream whose connection broke."""

import asyncio
import math
import time

from .credentials import TOKEN_EXPIRED
from .errors import OcrError
from .policy import RetryPolicy

RESUME_SECONDS = 60.0


class Patience:
    """Waits between attempts, for a bounded time in all, which every event starts anew."""

    def __init__(self, policy: RetryPolicy, seconds: float, deadline: float = math.inf) -> None:
        """Take how long to wait without an event, and the end of everything by `time.monotonic`."""
        self._policy, self._seconds, self._deadline = policy, seconds, deadline
        self.start_anew()

    def start_anew(self) -> None:
        """Take note that the stream goes on."""
        self._delays = self._policy.delays()
        self._gives_up_at: float | None = None

    async def pause(self, error: OcrError) -> None:
        """Wait before the next attempt.

        Raises:
            OcrError: `error`, if that would take too long or another attempt is useless.
        """
        delay_seconds = self._delay_seconds(error)
        if delay_seconds is None:
            raise error
        now = time.monotonic()
        if self._gives_up_at is None:
            self._gives_up_at = min(now + self._seconds, self._deadline)
        if now + delay_seconds > self._gives_up_at:
            raise error
        await asyncio.sleep(delay_seconds)

    def _delay_seconds(self, error: OcrError) -> float | None:
        if error.is_broken_connection or error.reason == TOKEN_EXPIRED:
            return max(next(self._delays), error.retry_delay_seconds or 0)
        if error.code.name == "RESOURCE_EXHAUSTED":
            return error.retry_delay_seconds
        return None
