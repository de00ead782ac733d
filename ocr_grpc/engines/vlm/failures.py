"""Why one call of the model's server failed, and what that says about trying again.

What the server wrote is looked at and never passed on: it may quote the document or the key.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom

from ocr_grpc.engines.vlm.errors import (
    UpstreamRefused,
    UpstreamTimedOut,
    UpstreamUnavailable,
    VisionFailed,
)

FIRST_WAIT_SECONDS = 0.5
MOST_WAIT_SECONDS = 8.0
MAX_COMPLAINT_CHARS = 4_000
JITTER = SystemRandom()

BUSY_STATUSES = (408, 409, 425, 429)
"""What servers say of HTTP that have no time for a call now."""


class CallFailed(Exception):
    """One call failed.

    Attributes:
        error: what the page fails with if this was its last try.
        again: whether the same call may succeed later.
        servers_fault: whether other pages would fare alike; the circuit breaker counts these.
        status: of HTTP; 0 if it did not come to that.
        wait_seconds: how long the server wants to be left alone; None if it does not say.
        complaint: what the server wrote, cut; for our eyes only.
        known: whether it was not made, because the server is known to be down.
    """

    def __init__(
        self,
        error: VisionFailed,
        *,
        again: bool = False,
        servers_fault: bool = False,
        status: int = 0,
        wait_seconds: float | None = None,
        complaint: str = "",
        known: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.again = again
        self.servers_fault = servers_fault
        self.status = status
        self.wait_seconds = wait_seconds
        self.complaint = complaint[:MAX_COMPLAINT_CHARS]
        self.known = known

    @property
    def blames_image(self) -> bool:
        """Whether another rendering of the page may pass, as with some sizes of image it does."""
        return self.status in (400, 413, 422, 500)


def of_status(status: int, headers: Mapping[str, str], complaint: str) -> CallFailed:
    """Return what an answer that is no success means."""
    if status in BUSY_STATUSES:
        return CallFailed(
            UpstreamUnavailable(
                f"The model's server has no time for the page (HTTP {status}). Try again later.",
                status=status,
            ),
            again=True,
            status=status,
            wait_seconds=retry_after_seconds(headers),
        )
    if status >= 500:
        return CallFailed(
            UpstreamUnavailable(
                f"The model's server fails (HTTP {status}). Its log tells why.", status=status
            ),
            again=True,
            # Of all failures a plain one is mostly about this page: some images end vLLM's
            # processor so, and one caller's must not keep all others from the model.
            servers_fault=status != 500,
            status=status,
            wait_seconds=retry_after_seconds(headers),
        )
    everybodys = _of_settings(status)
    return CallFailed(
        UpstreamRefused(
            everybodys or f"The model's server refuses the page (HTTP {status}).", status=status
        ),
        # A path or model that is gone is asked for anew, which says more than a break.
        servers_fault=bool(everybodys) and status != 404,
        status=status,
        complaint=complaint,
    )


def _of_settings(status: int) -> str:
    """Return what the operator has to correct; empty if it is about this page alone."""
    if status in (401, 403):
        return f"The model's server does not accept the key (HTTP {status}). Check LLM_API_KEY."
    if status in (404, 405):
        return (
            f"The model's server knows no such path or model (HTTP {status}). "
            "Check LLM_BASE_URL and LLM_MODEL."
        )
    if 300 <= status < 400:
        return (
            f"The model's server sends callers elsewhere (HTTP {status}), which is not followed. "
            "Set LLM_BASE_URL to the address itself."
        )
    return ""


def no_connection() -> CallFailed:
    """Return what it means that no connection came about or it broke before any answer."""
    return CallFailed(
        UpstreamUnavailable("The model's server cannot be reached. Check that it runs."),
        again=True,
        servers_fault=True,
    )


def broken_off() -> CallFailed:
    """Return what it means that an answer ended before its end."""
    return CallFailed(
        UpstreamUnavailable("The model's server broke its answer off. Its log tells why."),
        again=True,
        servers_fault=True,
    )


def illegible() -> CallFailed:
    """Return what it means that an answer is none in OpenAI's protocol."""
    return CallFailed(
        UpstreamUnavailable(
            "What answers under LLM_BASE_URL does not speak OpenAI's protocol. "
            "Check the address, and the proxies on the way."
        ),
        again=True,
        servers_fault=True,
    )


def too_slow(what: str, seconds: float, *, again: bool, servers_fault: bool) -> CallFailed:
    """Return what it means that something took longer than it may."""
    return CallFailed(
        UpstreamTimedOut(f"The model took over {seconds:g} s {what}.", seconds=f"{seconds:g}"),
        again=again,
        servers_fault=servers_fault,
    )


def known_as_down() -> CallFailed:
    """Return what it means that the circuit breaker is open."""
    return CallFailed(
        UpstreamUnavailable("The model's server has failed repeatedly and gets a break. Wait."),
        known=True,
    )


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return what `Retry-After` asks for, in seconds or as a date; None without a legible one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def backoff_seconds(tries: int) -> float:
    """Return how long to wait after so many failed tries, one at least.

    Spread at random, so that pages that failed together do not come back together.
    """
    full = min(MOST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(tries - 1, 10))
    return full * JITTER.uniform(0.5, 1.0)
