"""Counts attempts to sign in, before the password is looked at."""

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Protocol

from ocr_grpc.accounts.addresses import network_of
from ocr_grpc.accounts.errors import LoginThrottled, MailThrottled


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
    """Attempts in one slot of time.

    Attributes:
        attempts: for one account from one address. Signing in forgets them.
        attempts_per_address: from one address for all accounts, right ones included.
        slot_seconds: how long a slot is.
        patience_seconds: what an attempt over the limit may wait for the next slot.
    """

    attempts: int
    attempts_per_address: int
    slot_seconds: float = 10.0
    patience_seconds: float = 10.0


class LoginThrottle:
    """Refuses attempts beyond the limits.

    There is no limit for an account alone: with it, anybody could lock anybody out. Slots are
    short, and one attempt over the limit waits for the next slot, so that the owner gets in soon
    after an attack, even one from the owner's own address.
    """

    def __init__(self, windows: Windows, limits: LoginLimits) -> None:
        self._windows = windows
        self._limits = limits
        self._waiting: set[tuple[str, ...]] = set()

    async def count(self, account: str, address: str) -> None:
        """Count an attempt. All are counted until it is known that one was right.

        Args:
            account: what was typed, as it is compared; whether it exists must not matter.
            address: where from, without a port.

        Raises:
            LoginThrottled: there were too many.
        """
        # In this order: a storm on one account leaves the others of that address in peace.
        await self._take(self._limits.attempts, "login", account, network_of(address))
        await self.count_address(address)

    async def count_address(self, address: str) -> None:
        """Count what costs as much as an attempt, such as a registration.

        Args:
            address: where from, without a port.

        Raises:
            LoginThrottled: there was too much from that address.
        """
        await self._take(self._limits.attempts_per_address, "login_address", network_of(address))

    async def forget(self, account: str, address: str) -> None:
        """Forget the attempts for an account from an address, after one was right."""
        key = ("login", account, network_of(address))
        slot, _ = self._slot()
        await self._windows.clear(self._limits.attempts, *key, str(slot))

    async def _take(self, limit: int, *key: str) -> None:
        slot, left_seconds = self._slot()
        if (await self._windows.take(limit, *key, str(slot))).allowed:
            return
        if key in self._waiting or left_seconds > self._limits.patience_seconds:
            raise LoginThrottled(max(1.0, left_seconds))
        self._waiting.add(key)
        try:
            # A place in the next slot is taken now, not in the crush when it begins.
            if not (await self._windows.take(limit, *key, str(slot + 1))).allowed:
                raise LoginThrottled(left_seconds + self._limits.slot_seconds)
            await asyncio.sleep(left_seconds)
        finally:
            self._waiting.discard(key)

    def _slot(self) -> tuple[int, float]:
        """Return the number of the slot that is now, and the seconds until the next."""
        seconds = self._limits.slot_seconds
        now = time.time()
        slot = math.floor(now / seconds)
        return slot, (slot + 1) * seconds - now


async def count_mail(windows: Windows, limit: int, *key: str) -> None:
    """Count a mail.

    Args:
        windows: where to.
        limit: how many may be sent in a minute.
        key: what they are counted by.

    Raises:
        MailThrottled: there were too many.
    """
    window = await windows.take(limit, *key)
    if not window.allowed:
        raise MailThrottled(max(1.0, window.reset_seconds))
