"""Lets nobody to the engine of this machine who does not know the shared secret."""

import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic

import grpc
import structlog

from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor

GUARDED = "/ocr_grpc.internal.v1."
"""What is asked for the secret; health is for everybody, as on other ports."""

TELL_SECONDS = 10.0
"""So seldom it is logged that somebody was refused: who does not know the token may ask often."""

log = structlog.get_logger()


class EngineTokenInterceptor(CallInterceptor):
    """Refuses calls that do not show the token."""

    def __init__(self, token: str) -> None:
        """Take the token; empty lets everybody in, where something else guards the port."""
        super().__init__()
        self._expected = f"Bearer {token}".encode() if token else b""
        self._told_at = -TELL_SECONDS

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Let the call run if it shows the token."""
        if self._expected and call.method.startswith(GUARDED) and not self._shown(call):
            self._tell(call)
            await call.context.abort(
                grpc.StatusCode.UNAUTHENTICATED, "ENGINE_TOKEN is not the same on both machines."
            )
        yield

    def _tell(self, call: Call) -> None:
        if monotonic() >= self._told_at + TELL_SECONDS:
            self._told_at = monotonic()
            log.warning("engine_token_refused", peer=call.context.peer())

    def _shown(self, call: Call) -> bool:
        shown = [
            value if isinstance(value, bytes) else value.encode()
            for key, value in call.context.invocation_metadata() or ()
            if key == "authorization"
        ]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self._expected)
