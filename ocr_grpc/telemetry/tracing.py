"""Spans of traces: all that the service knows of OpenTelemetry, which is an optional extra.

While traces are off every function here does nothing, and costs next to nothing. Names and
attributes of spans are from bounded sets, or ids: no text, no file name, no secret.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # readers and workers need no database
    from sqlalchemy import Engine

Value: TypeAlias = str | int | float | bool
Attributes: TypeAlias = Mapping[str, Value]
Metadata: TypeAlias = Iterable[tuple[str, str | bytes]] | None

TRACE_KEYS = ("traceparent",)
"""Metadata that carries a trace, as the W3C names it. No `tracestate`: that is text of whoever
calls, and would go on to the collector and to the server of the language model."""


class Kind(Enum):
    """What a span is in the eyes of OpenTelemetry."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"


class Span(Protocol):
    """Some work that is traced."""

    def set(self, attributes: Attributes) -> None:
        """Say more about it."""
        ...

    def failed(self, reason: str) -> None:
        """Say that it went wrong; `reason` is a stable name, not a sentence."""
        ...

    @property
    def trace_id(self) -> str:
        """The trace it belongs to, 32 hexadecimal digits; empty if that is not recorded."""
        ...


class Tracing(Protocol):
    """What makes spans; `tracing_sdk` has the one there is."""

    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        parent: Sequence[tuple[str, str]] | None,
        reports: bool,
    ) -> AbstractContextManager[Span]:
        """See `span` and `span_of` below; an empty `parent` begins a trace."""
        ...

    def carrier(self) -> tuple[tuple[str, str], ...]:
        """See `carrier` below."""
        ...

    def watch_database(self, engine: "Engine") -> None:
        """See `watch_database` below."""
        ...

    def stop(self) -> None:
        """Send what waits, within a bound."""
        ...


class _Off:
    """The span of traces that are off, and what makes it."""

    __slots__ = ()
    trace_id = ""

    def set(self, attributes: Attributes) -> None:
        pass

    def failed(self, reason: str) -> None:
        pass

    def __enter__(self) -> "_Off":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        pass


OFF = _Off()
_NOTHING: Attributes = {}
_tracing: Tracing | None = None


def switch(tracing: Tracing | None) -> None:
    """Trace from now on, or no more."""
    global _tracing
    _tracing = tracing


def is_on() -> bool:
    """Return whether anything is traced, for what would have to prepare for it."""
    return _tracing is not None


def span(
    name: str, attributes: Attributes = _NOTHING, kind: Kind = Kind.INTERNAL
) -> AbstractContextManager[Span]:
    """Trace a block as a part of what is traced around it.

    It is current for what runs inside, in tasks too that begin there. An exception other than a
    cancellation marks it as failed, with the name of its kind and without its message.
    """
    return OFF if _tracing is None else _tracing.span(name, kind, attributes, None, True)


def span_of(
    metadata: Metadata,
    name: str,
    attributes: Attributes = _NOTHING,
    kind: Kind = Kind.SERVER,
    *,
    reports: bool = True,
) -> AbstractContextManager[Span]:
    """Do the same as a part of the trace that arrived with a call; a new trace if none did.

    Args:
        metadata: of the call; empty for work that no call is waiting for.
        name: of the span.
        attributes: what is known of it now.
        kind: what it is.
        reports: whether an exception is a failure; a refused call is none. Say `failed`, then.
    """
    if _tracing is None:
        return OFF
    parent = [
        (key, value)
        for key, value in metadata or ()
        if key in TRACE_KEYS and isinstance(value, str)
    ]
    return _tracing.span(name, kind, attributes, parent, reports)


def carrier() -> tuple[tuple[str, str], ...]:
    """Return metadata, or headers, with which another process goes on with the current trace."""
    return () if _tracing is None else _tracing.carrier()


def watch_database(engine: "Engine") -> None:
    """Trace the statements that traced work has this database do, without their values."""
    if _tracing is not None:
        _tracing.watch_database(engine)


def exemplar(trace_id: str) -> dict[str, str] | None:
    """Return what a histogram keeps beside a value, to lead from there to a trace."""
    return {"trace_id": trace_id} if trace_id else None
