"""Counts attempts to sign in, before the password is looked at."""

import ipaddress
from dataclasses import dataclass
from typing import Protocol

from ocr_grpc.accounts.errors import LoginThrottled

IPV6_SITE_BITS = 64
"""What one household or machine gets of IPv6: all of its addresses count as one."""


class TakenWindow(Protocol):
    """How it stands after one attempt was counted."""

    @property
    def allowed(self) -> bool:
        """Whether the attempt is within the limit."""
        ...

    @property
    def reset_seconds(self) -> float:
        """When to try again."""
        ...


class Windows(Protocol):
    """Counts within the last minute; see `store/rate_windows.py`."""

    async def take(self, limit: int, *key: str) -> TakenWindow:
        """Count one."""
        ...

    async def clear(self, limit: int, *key: str) -> None:
        """Forget what was counted."""
        ...


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Attempts in any minute.

    Attributes:
        attempts_per_minute: for one account from one address. Signing in forgets them.
        attempts_per_address: from one address for all accounts, right ones included.
    """

    attempts_per_minute: int
    attempts_per_address: int


class LoginThrottle:
    """Refuses attempts beyond the limits.

    There is no limit for an account alone: with it, anybody could lock anybody out.
    """

    def __init__(self, windows: Windows, limits: LoginLimits) -> None:
        self._windows = windows
        self._limits = limits

    async def count(self, account: str, address: str) -> None:
        """Count an attempt. All are counted until it is known that one was right.

        Args:
            account: what was typed, as it is compared; whether it exists must not matter.
            address: where from, without a port.

        Raises:
            LoginThrottled: there were too many.
        """
        limits, site = self._limits, site_of(address)
        for window in (
            await self._windows.take(limits.attempts_per_address, "login_address", site),
            await self._windows.take(limits.attempts_per_minute, "login", account, site),
        ):
            if not window.allowed:
                raise LoginThrottled(max(1.0, window.reset_seconds))

    async def forget(self, account: str, address: str) -> None:
        """Forget the attempts for an account from an address, after one was right."""
        await self._windows.clear(
            self._limits.attempts_per_minute, "login", account, site_of(address)
        )


def site_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the first 64 bits."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False))
