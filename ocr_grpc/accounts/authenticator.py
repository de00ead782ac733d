"""Says whose credentials a call came with.

Every call asks, so answers are remembered: as long as news about users arrive, and not for longer
than some seconds. What a read brought that began before the news is not remembered after it.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.credentials import CredentialReader, Reading
from ocr_grpc.accounts.errors import KeyInvalid, TokenInvalid
from ocr_grpc.accounts.opaque import KEY_MARK, is_key
from ocr_grpc.accounts.principal import Limits, Principal, Role
from ocr_grpc.accounts.tokens import MAX_TOKEN_CHARS, Tokens
from ocr_grpc.store.database import Database

MAX_REMEMBERED = 10_000
TRUSTED_SECONDS = 10.0
UNHEARD_SECONDS = 0.5
"""The same while no news arrive: changes must hold within a second."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    reading: Reading
    since: float
    """On the monotonic clock, when the read began."""


class Authenticator:
    """Turns credentials into principals. Close it at the end."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        changes: Changes,
        role_limits: Mapping[Role, Limits],
        max_remembered: int = MAX_REMEMBERED,
    ) -> None:
        self._max_remembered = max_remembered
        self._reader = CredentialReader(database, role_limits)
        self._tokens = tokens
        self._changes = changes
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._of_user: defaultdict[str, set[bytes]] = defaultdict(set)
        self._joinable: dict[bytes, asyncio.Task[Reading]] = {}
        self._tasks: set[asyncio.Task[Reading]] = set()
        changes.subscribe(self._heard)

    async def authenticate(self, credential: str) -> Principal:
        """Return who has a credential. Costs microseconds if it was seen lately.

        Args:
            credential: an API key or an access token.

        Raises:
            KeyInvalid, KeyExpired, KeyRevoked, KeyDisabled: the key is not good.
            TokenInvalid, TokenExpired, SessionRevoked: the token is not good.
            UserDisabled: the user is locked out.
            DatabaseUnavailable: it cannot be looked up at the moment.
        """
        return (await self._reading(credential)).principal_now()

    async def authenticate_again(self, credential: str) -> Principal:
        """Return who has the credential that a call under way came with.

        As `authenticate`, but an access token that has expired meanwhile is still good for that
        call, unless its session was ended.
        """
        return (await self._reading(credential)).principal_under_way()

    async def _reading(self, credential: str) -> Reading:
        if len(credential) > MAX_TOKEN_CHARS or not credential.isascii():
            raise TokenInvalid
        digest = hashlib.sha256(credential.encode()).digest()
        return self._recall(digest) or await self._read_once(digest, credential)

    async def close(self) -> None:
        """Stop all reads."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _recall(self, digest: bytes) -> Reading | None:
        remembered = self._remembered.get(digest)
        if remembered is None:
            return None
        trusted = TRUSTED_SECONDS if self._changes.healthy else UNHEARD_SECONDS
        if time.monotonic() - remembered.since > trusted:
            return None
        self._remembered.move_to_end(digest)
        return remembered.reading

    async def _read_once(self, digest: bytes, credential: str) -> Reading:
        """Read a credential; all who ask for it meanwhile get the same answer."""
        task = self._joinable.get(digest)
        if task is None:
            task = asyncio.create_task(self._read(digest, credential))
            self._joinable[digest] = task
            self._tasks.add(task)
            task.add_done_callback(self._done)
        # One caller who hangs up must not take the answer from the others.
        return await asyncio.shield(task)

    async def _read(self, digest: bytes, credential: str) -> Reading:
        since = time.monotonic()
        this = asyncio.current_task()
        try:
            if credential.startswith(KEY_MARK):
                if not is_key(credential):
                    raise KeyInvalid
                reading = await self._reader.read_key(digest)
            else:
                # Whether it has expired is asked at every use: see `Reading`.
                claims = self._tokens.read(credential, expired_too=True)
                reading = await self._reader.read_session(claims)
            if self._joinable.get(digest) is this:
                self._remember(digest, _Remembered(reading, since))
            return reading
        finally:
            if self._joinable.get(digest) is this:
                del self._joinable[digest]

    def _done(self, task: asyncio.Task[Reading]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may have

    def _remember(self, digest: bytes, remembered: _Remembered) -> None:
        self._forget(digest)
        self._remembered[digest] = remembered
        self._of_user[remembered.reading.user_id].add(digest)
        while len(self._remembered) > self._max_remembered:
            self._forget(next(iter(self._remembered)))

    def _forget(self, digest: bytes) -> None:
        remembered = self._remembered.pop(digest, None)
        if remembered is None:
            return
        user_id = remembered.reading.user_id
        self._of_user[user_id].discard(digest)
        if not self._of_user[user_id]:
            del self._of_user[user_id]

    def _heard(self, user_id: str | None) -> None:
        # Reads under way may have seen what was before: their answers are kept from those who ask
        # from now on. Whose they are is not known yet, so it concerns all of them.
        self._joinable.clear()
        if user_id is None:
            self._remembered.clear()
            self._of_user.clear()
            return
        for digest in tuple(self._of_user.get(user_id, ())):
            self._forget(digest)
