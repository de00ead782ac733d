"""Leaves a server alone that fails again and again, and looks now and then whether it is back.

The states and their changes are those of `purgatory`. Its context managers are not used: they
judge a block by whether it ended in an error, and a call that its caller hangs up says nothing
about the server. Nor do they let a single call through to try, which is what half-open means here.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import time

import structlog
from purgatory.domain.messages.events import ContextChanged
from purgatory.domain.model import CLOSED, HALF_OPENED, OPENED, Context, OpenedState

from ocr_grpc.engines.vlm.failures import CallFailed, known_as_down

FAILURES = 5
"""Pages that fail one after the other until the server is left alone."""
PAUSE_SECONDS = 15.0

log = structlog.get_logger()


class Circuit:
    """The circuit breaker of one server."""

    def __init__(
        self,
        failures: int = FAILURES,
        pause_seconds: float = PAUSE_SECONDS,
        on_open: Callable[[bool], None] = lambda is_open: None,
    ) -> None:
        """Let all calls through at first; `on_open` is told of changes: whether it is open."""
        self._on_open = on_open
        self._context = Context("llm", failures, pause_seconds)
        self._trying = False

    @property
    def admits(self) -> bool:
        """Whether a call would be let through at this moment."""
        if self._context.state == OPENED:
            return time() > (self._context.opened_at or 0.0) + self._context.ttl
        return self._context.state == CLOSED or not self._trying

    @property
    def closed(self) -> bool:
        """Whether calls are let through freely, as they are while all is well."""
        return self._context.state == CLOSED

    @contextmanager
    def call(self, *, counts: bool = True) -> Generator[None]:
        """Let one call through, and learn from how it ends.

        Args:
            counts: whether a failure is another one: the calls for one page that fail one after
                the other may say more about the page than about the server.

        Raises:
            CallFailed: not now.
        """
        self._let_through()
        trying = self._trying = self._context.state == HALF_OPENED
        try:
            yield
        except CallFailed as failure:
            if not failure.servers_fault:
                self._context.handle_end_request()
            elif counts or trying:
                self._context.handle_exception(failure)
            raise
        else:
            self._context.handle_end_request()
        finally:
            if trying:
                self._trying = False
            self._tell()

    def heard(self) -> None:
        """Note that a call gets an answer: who is heard is back, however long it goes on."""
        if self._trying:
            self._trying = False
            self._context.handle_end_request()
            self._tell()

    def _let_through(self) -> None:
        if self._context.state == HALF_OPENED and self._trying:
            raise known_as_down()
        try:
            self._context.handle_new_request()
        except OpenedState:
            raise known_as_down() from None

    def _tell(self) -> None:
        """Log changes. The messages are kept by the context until somebody takes them."""
        messages, self._context.messages = self._context.messages, []
        for message in messages:
            if isinstance(message, ContextChanged):
                log.warning("llm_circuit", state=message.state)
                self._on_open(not self.closed)
