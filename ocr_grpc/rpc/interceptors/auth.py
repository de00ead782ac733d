"""Finds out who is calling, refuses who may not, and ends the calls of those who no longer may."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from ocr_grpc.accounts.errors import Denied, KeyInvalid, Unauthenticated
from ocr_grpc.accounts.opaque import KEY_MARK
from ocr_grpc.accounts.principal import Principal
from ocr_grpc.errors import OcrError
from ocr_grpc.rpc.access import authorize
from ocr_grpc.rpc.caller import Caller, current_caller
from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor, Context
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.telemetry.call_record import current_call
from ocr_grpc.v1 import access_pb2

AUTHORIZATION_KEY = "authorization"
API_KEY_KEY = "x-api-key"

RECHECK_SECONDS = 0.5
LAST_WORDS_SECONDS = 1.0
"""What a call that is ended gets to end by itself: with an event that says why, or because it is
the very call that signed the caller out."""


class Authenticating(Protocol):
    """What tells who is calling; `accounts.Authenticator` is one."""

    async def authenticate(self, credential: str) -> Principal:
        """Return who presents a credential, or raise `Unauthenticated`."""
        ...

    async def authenticate_again(self, credential: str) -> Principal:
        """The same for a call under way."""
        ...


class Counting(Protocol):
    """What counts calls; `RateLimits` is one."""

    async def take(self, principal: Principal | None, address: str) -> object:
        """Count a call, or raise `RateLimited`."""
        ...


@dataclass(eq=False, slots=True)
class OpenCall:
    """A call under way, and the credential it came with."""

    credential: str = field(repr=False)
    access: access_pb2.Access
    caller: Caller
    deadline: asyncio.Timeout
    refused: OcrError | None = None
    is_over: bool = False

    def end(self, error: OcrError) -> None:
        """End the call with an error: by its own last words if it has any, else by cancelling."""
        if self.refused or self.is_over:
            return
        self.refused = error
        if self.caller.interrupt:
            self.caller.interrupt(error)
        self.deadline.reschedule(asyncio.get_running_loop().time() + LAST_WORDS_SECONDS)


class AuthInterceptor(CallInterceptor):
    """Puts the principal into the call, or refuses it."""

    def __init__(
        self,
        authenticator: Authenticating,
        access: Mapping[str, access_pb2.Access],
        limits: Counting,
        everybody: Principal | None = None,
    ) -> None:
        """Take the policy.

        Args:
            authenticator: knows credentials.
            access: what each RPC asks for; other methods (health, reflection) are open.
            limits: counts calls that are refused here, and so never reach a limit behind it.
            everybody: who all callers are when authentication is switched off.
        """
        super().__init__()
        self._authenticator = authenticator
        self._access = access
        self._limits = limits
        self._everybody = everybody
        self._open: dict[str, set[OpenCall]] = {}
        self._rechecks: set[asyncio.Task[None]] = set()
        self._heard = 0

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Authenticate, authorize, and let the call run for as long as both hold."""
        access = self._access.get(call.method)
        if access is None or access.audience == access_pb2.AUDIENCE_ANYONE:
            yield
            return
        caller = current_caller()
        if self._everybody:
            # The connection stays the caller in the eyes of fairness: there is nothing better.
            caller.principal = self._everybody
            yield
            return
        heard = self._heard
        try:
            credential = credential_of(call.context)
            await self._admit(caller, credential, access)
        except (Unauthenticated, Denied):
            await self._limits.take(caller.principal, caller.address)
            raise
        async with self._opened(credential, access, caller) as opened:
            if heard != self._heard:
                # News came while the credential was being looked up: it may be of before them.
                self._recheck_soon(opened)
            yield

    async def _admit(self, caller: Caller, credential: str, access: access_pb2.Access) -> None:
        if credential:
            caller.principal = await self._authenticator.authenticate(credential)
            current_call().caller = caller.principal.user_id
        authorize(caller.principal, access)

    def news(self, user_id: str | None) -> None:
        """Look again at the calls of a user, or of all (None); called by `Changes`."""
        self._heard += 1
        for owner in [user_id] if user_id else list(self._open):
            for call in list(self._open.get(owner, ())):
                self._recheck_soon(call)

    def _recheck_soon(self, call: OpenCall) -> None:
        task = asyncio.create_task(self._recheck(call))
        self._rechecks.add(task)
        task.add_done_callback(self._rechecks.discard)

    @asynccontextmanager
    async def _opened(
        self, credential: str, access: access_pb2.Access, caller: Caller
    ) -> AsyncGenerator[OpenCall, None]:
        owner = caller.principal.user_id if caller.principal else ""
        deadline = asyncio.timeout(None)
        opened = OpenCall(credential, access, caller, deadline)
        calls = self._open.setdefault(owner, set())
        calls.add(opened)
        try:
            async with deadline:
                yield opened
        except TimeoutError:
            if opened.refused and deadline.expired():
                raise opened.refused from None
            raise
        finally:
            opened.is_over = True
            calls.discard(opened)
            if not calls and self._open.get(owner) is calls:
                del self._open[owner]

    async def _recheck(self, call: OpenCall) -> None:
        while not call.is_over:
            try:
                principal = await self._authenticator.authenticate_again(call.credential)
                authorize(principal, call.access)
            except DatabaseUnavailable:
                # Says nothing about the credential; new calls are refused meanwhile.
                await asyncio.sleep(RECHECK_SECONDS)
            except OcrError as error:
                call.end(error)
                return
            else:
                return


def credential_of(context: Context) -> str:
    """Return the credential of a call, empty if it has none.

    Raises:
        KeyInvalid: `x-api-key` has something else than an API key.
    """
    found = {AUTHORIZATION_KEY: "", API_KEY_KEY: ""}
    for key, value in context.invocation_metadata() or ():
        if key in found and isinstance(value, str):
            found[key] = value
    if api_key := found[API_KEY_KEY].strip():
        if not api_key.startswith(KEY_MARK):
            raise KeyInvalid
        return api_key
    scheme, _, credential = found[AUTHORIZATION_KEY].strip().partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""
