"""The status a server ended an upload with, which grpc.aio may lose."""

from collections.abc import Coroutine
from typing import Any

import grpc
import grpc.aio


class EndedCall:
    """Keeps the status of a call from the moment it arrives.

    When a server refuses an upload while the client still writes, the write fails, and grpc.aio
    then puts `INTERNAL: Internal error from Core` in place of what the server said; seen in every
    second refusal. TODO: goes when the least grpcio we take has
    https://github.com/grpc/grpc/issues/36066 mended.
    """

    def __init__(self, call: Any) -> None:
        """Take a call that was just started (a `grpc.aio.Call`)."""
        self._error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._keep)

    def error(self, raised: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Return what the call failed with, given what reading from it raised."""
        return self._error or raised

    def _keep(self, call: Any) -> None:
        code = _at_once(call.code())
        if code not in (None, grpc.StatusCode.OK):
            self._error = grpc.aio.AioRpcError(
                code,
                grpc.aio.Metadata(),
                _at_once(call.trailing_metadata()) or grpc.aio.Metadata(),
                _at_once(call.details()),
            )


def _at_once(question: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns without waiting, None if it would wait.

    The status is there now, and a task that asks for it would run too late.
    """
    try:
        question.send(None)
    except StopIteration as answer:
        return answer.value
    question.close()
    return None
