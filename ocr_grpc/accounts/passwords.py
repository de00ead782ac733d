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
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import bcrypt

from ocr_grpc.accounts.errors import LoginThrottled, PasswordTooLong, PasswordTooShort
from ocr_grpc.accounts.opaque import BASE62
from ocr_grpc.cores import cores

MAX_PASSWORD_CHARS = 1_024
MAX_WAITING = 64
MAX_WAITING_TO_HASH = MAX_WAITING // 2
"""New passwords leave room for those who sign in."""
VERIFIED_IN_A_ROW = 4
"""Whoever signs in comes first, but nobody waits for ever."""
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
        self._threads = threads or max(1, cores() - 1)
        self._pool = ThreadPoolExecutor(self._threads, "passwords", _lower_priority)
        self._idle_threads = self._threads
        self._to_verify = deque[asyncio.Future[None]]()
        self._to_hash = deque[asyncio.Future[None]]()
        self._verified_in_a_row = 0
        # No password has this hash, but to find that out takes as long as for any other.
        random = "".join(secrets.choice(BASE62) for _ in range(DIGEST_CHARS))
        self._nobodys = bcrypt.gensalt(cost).decode() + random

    async def hash(self, password: str) -> str:
        """Return the hash to keep of a password.

        Raises:
            LoginThrottled: too many are waiting.
        """
        if len(self._to_hash) >= MAX_WAITING_TO_HASH:
            raise LoginThrottled(RETRY_SECONDS)
        return await self._in_thread(self._to_hash, lambda: _hash(password, self._cost))

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
            self._to_verify,
            lambda: _verify(password[:MAX_PASSWORD_CHARS], kept or self._nobodys),
        )
        return matches and kept is not None

    def is_outdated(self, hash: str) -> bool:  # noqa: A002 - what it is
        """Return whether a hash was made with another cost than new ones are."""
        return not hash.startswith(f"$2b${self._cost:02}$")

    def close(self) -> None:
        """Take no more; what waits is dropped, what is being computed ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for turn in (*self._to_verify, *self._to_hash):
            turn.cancel()

    async def _in_thread(
        self, line: deque[asyncio.Future[None]], work: Callable[[], Answer]
    ) -> Answer:
        await self._wait_in(line)
        loop = asyncio.get_running_loop()

        def done(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._call_next)

        try:
            computing = self._pool.submit(work)
        except RuntimeError:  # closed
            self._call_next()
            raise
        # Not when the caller leaves: a thread computes to the end.
        computing.add_done_callback(done)
        return await asyncio.wrap_future(computing)

    async def _wait_in(self, line: deque[asyncio.Future[None]]) -> None:
        """Wait for a thread to be free, and take it."""
        if self._idle_threads:
            self._idle_threads -= 1
            return
        if len(self._to_verify) + len(self._to_hash) >= MAX_WAITING:
            raise LoginThrottled(RETRY_SECONDS)
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # passed over already
                    line.remove(turn)
            else:
                self._call_next()  # called and cancelled in the same moment
            raise

    def _call_next(self) -> None:
        """Give a thread that is free to whoever is next."""
        first, second = self._to_verify, self._to_hash
        if self._verified_in_a_row >= VERIFIED_IN_A_ROW:
            first, second = second, first
        for line in (first, second):
            while line:
                turn = line.popleft()
                if not turn.done():
                    verifies = line is self._to_verify
                    self._verified_in_a_row = self._verified_in_a_row + 1 if verifies else 0
                    turn.set_result(None)
                    return
        self._idle_threads += 1


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
