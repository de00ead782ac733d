"""Keeps the results of extractions for a while, in memory: the least recently used go first."""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

ENTRY_BYTES = 1024
"""What an entry takes beside its value: key, timer, places in tables."""

ENTRY_SHARE = 8
"""An entry has at most this part of all: one large document must not push out all others."""

ROOM_SHARE = 4
"""The part of all that documents may take while they are read, and it is not sure they are kept."""


class Room:
    """So many bytes, to be taken and given back."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.used_bytes = 0

    def take(self, size_bytes: int) -> bool:
        """Take bytes, if there are so many left."""
        if self.used_bytes + size_bytes > self._limit_bytes:
            return False
        self.used_bytes += size_bytes
        return True

    def give(self, size_bytes: int) -> None:
        """Give bytes back that were taken."""
        self.used_bytes -= size_bytes


class Results(Protocol):
    """Keeps values of bytes, each under a key and for an owner. Nothing in it raises or is late."""

    @property
    def max_entry_bytes(self) -> int:
        """Return the size from which on a value is not kept."""
        ...

    @property
    def used_bytes(self) -> int:
        """Return what is used, as far as it is known."""
        ...

    def holding(self, key: bytes) -> AbstractAsyncContextManager[bytes | None]:
        """Look a value up, and hold it until the block is left; None if there is none."""
        ...

    def keep(self, key: bytes, owner: str, value: bytes) -> None:
        """Keep a value from now on, or from a moment later, or not at all."""
        ...

    def remove(self, key: bytes) -> None:
        """Forget a value."""
        ...

    def forget(self, owner: str) -> None:
        """Forget all values of an owner."""
        ...

    async def close(self) -> None:
        """End what is under way."""
        ...


@dataclass(slots=True)
class _Entry:
    value: bytes
    owner: str
    timer: asyncio.TimerHandle
    holders: int = 0
    removed: bool = False

    @property
    def size_bytes(self) -> int:
        return sys.getsizeof(self.value) + ENTRY_BYTES


class MemoryResults:
    """`Results` in the memory of this process.

    What is held counts until it is let go of, so the bound is one on memory and not on a table.
    """

    def __init__(self, limit_bytes: int, seconds: float) -> None:
        """Take how many bytes all entries may have, and how long each is kept."""
        self._limit_bytes = limit_bytes - limit_bytes // ROOM_SHARE
        self._seconds = seconds
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._used_bytes = 0
        self.max_entry_bytes = limit_bytes // ENTRY_SHARE

    @property
    def used_bytes(self) -> int:
        """Return what all entries take, those that are removed and still held included."""
        return self._used_bytes

    @asynccontextmanager
    async def holding(self, key: bytes) -> AsyncGenerator[bytes | None, None]:
        """Look a value up, and hold it until the block is left."""
        entry = self._entries.get(key)
        if entry is None:
            yield None
            return
        self._entries.move_to_end(key)
        entry.holders += 1
        try:
            yield entry.value
        finally:
            entry.holders -= 1
            if entry.removed and not entry.holders:
                self._used_bytes -= entry.size_bytes

    def keep(self, key: bytes, owner: str, value: bytes) -> None:
        """Keep a value, if there is or can be made room for it."""
        self.remove(key)
        timer = asyncio.get_running_loop().call_later(self._seconds, self.remove, key)
        entry = _Entry(value, owner, timer)
        if len(value) <= self.max_entry_bytes and self._has_room_for(entry.size_bytes):
            self._entries[key] = entry
            self._used_bytes += entry.size_bytes
        else:
            timer.cancel()

    def remove(self, key: bytes) -> None:
        """Forget a value; its bytes are free when nobody holds it."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        entry.timer.cancel()
        entry.removed = True
        if not entry.holders:
            self._used_bytes -= entry.size_bytes

    def forget(self, owner: str) -> None:
        """Forget all values of an owner."""
        for key in [key for key, entry in self._entries.items() if entry.owner == owner]:
            self.remove(key)

    async def close(self) -> None:
        """Forget everything."""
        for key in list(self._entries):
            self.remove(key)

    def _has_room_for(self, size_bytes: int) -> bool:
        """Remove what was used least recently until there is room; return whether there is."""
        victims: list[bytes] = []
        missing = self._used_bytes + size_bytes - self._limit_bytes
        for key, entry in self._entries.items():
            if missing <= 0:
                break
            if not entry.holders:  # to remove one that is held would free nothing
                victims.append(key)
                missing -= entry.size_bytes
        for key in victims:
            self.remove(key)
        return missing <= 0
