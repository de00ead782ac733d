"""What is known about the call under way; inner parts fill in what outer parts report."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class CallRecord:
    """One call, filled in while it runs.

    Attributes:
        request_id: the caller's own, or one made here; it is in every log line and in the trailer.
        caller: whom fairness and limits count it for.
        facts: more for the log line, such as the number of pages. Never text of a document, a
            secret, or a name that callers gave a file: these name patients, parties and people.
        first_message_ms: milliseconds until the first answer left; None if none did.
        began: when it did, in the time of `perf_counter`.
    """

    method: str
    request_id: str
    caller: str
    facts: dict[str, object] = field(default_factory=dict[str, object])
    first_message_ms: float | None = None
    began: float = field(default_factory=perf_counter)


_current: ContextVar[CallRecord] = ContextVar("call_record")


def current_call() -> CallRecord:
    """Return the record of the call this runs in.

    Raises:
        LookupError: outside a call.
    """
    return _current.get()


def call_facts() -> dict[str, object]:
    """Return the facts of the call this runs in; outside a call, some that nobody looks at."""
    call = _current.get(None)
    return {} if call is None else call.facts


def set_current_call(call: CallRecord) -> None:
    """Make this the record of the running call. Never reset: cleanup may run in another task."""
    _current.set(call)
