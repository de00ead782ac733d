"""Hashes passwords, slowly on purpose, without holding up anything else.

bcrypt looks at 72 bytes only, so it gets the base64 of the password's SHA-256: every character of
a password counts. It releases the interpreter's lock while it computes.
"""

import asyncio
import base64
import hashlib
import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import bcrypt

from ocr_grpc.accounts.errors import LoginThrottled, PasswordTooLong, PasswordTooShort
from ocr_grpc.accounts.opaque import BASE62

MAX_PASSWORD_CHARS = 1_024
MAX_WAITING = 64
RETRY_SECONDS = 1.0
DIGEST_CHARS = 31

LOW_PRIORITY = 10
"""Lower than the event loop's 0, yet not the lowest: a thread that never runs holds its locks."""

Answer = TypeVar("Answer")


def check_new_password(password: str, min_chars: int, field: str = "password") -> None:
    """Check the length of a password that somebody wants from now on.

    Args:
        password: in plain text.
        min_chars: the least number of characters.
        field: its path in the request.

    Raises:
        PasswordTooShort: it has less than `min_chars`.
        PasswordTooLong: it has more than 1,024.
    """
    if len(password) < min_chars:
        raise PasswordTooShort(min_chars, field)
    if len(password) > MAX_PASSWORD_CHARS:
        raise PasswordTooLong(MAX_PASSWORD_CHARS, field)


class PasswordHasher:
    """Hashes and compares in threads of low priority. Close it at the end."""

    def __init__(self, cost: int, threads: int | None = None) -> None:
        """Start no thread yet.

        Args:
            cost: of new hashes, 4 to 16; one more doubles the time.
            threads: how many passwords at once. None leaves one core to the event loop.
        """
        self._cost = cost
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._pool = ThreadPoolExecutor(self._threads, "passwords", _lower_priority)
        self._under_way = 0
        # No password has this hash, but to find that out takes as long as for any other.
        random = "".join(secrets.choice(BASE62) for _ in range(DIGEST_CHARS))
        self._nobodys = bcrypt.gensalt(cost).decode() + random

    async def hash(self, password: str) -> str:
        """Return the hash to keep of a password.

        Raises:
            LoginThrottled: too many are waiting.
        """
        return await self._in_thread(lambda: _hash(password, self._cost))

    async def verify(self, password: str, hash: str | None) -> bool:  # noqa: A002 - what it is
        """Return whether a password is the one that was hashed.

        Args:
            password: in plain text, of any length.
            hash: what was kept. None if there is no such user or password: then the answer is
                False, after the same time.

        Raises:
            LoginThrottled: too many are waiting.
        """
        # Nothing so long was ever accepted; it must not be worth sending.
        kept = hash if len(password) <= MAX_PASSWORD_CHARS else None
        matches = await self._in_thread(
            lambda: _verify(password[:MAX_PASSWORD_CHARS], kept or self._nobodys)
        )
        return matches and kept is not None

    def is_outdated(self, hash: str) -> bool:  # noqa: A002 - what it is
        """Return whether a hash was made with another cost than new ones are."""
        return not hash.startswith(f"$2b${self._cost:02}$")

    def close(self) -> None:
        """Take no more; what waits is dropped, what is being computed ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        if self._under_way >= self._threads + MAX_WAITING:
            raise LoginThrottled(RETRY_SECONDS)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._under_way -= 1


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


def _hash(password: str, cost: int) -> str:
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(cost)).decode()


def _verify(password: str, kept: str) -> bool:
    return bcrypt.checkpw(_digest(password), kept.encode())


def _lower_priority() -> None:
    # On Linux this concerns the thread alone; elsewhere it would be the whole process.
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
