"""Reports unexpected errors to Sentry, if there is one: whatever is logged with a traceback.

A report has the kinds of the exceptions and where they were raised. It has neither their messages,
which may quote a document, nor variables, requests, breadcrumbs or the name of the machine. The
messages stand in the log, under the same request id.
"""

import sys
from collections import OrderedDict
from collections.abc import MutableMapping
from threading import Lock
from time import monotonic
from typing import Any

from ocr_grpc.errors import OcrError
from ocr_grpc.telemetry.call_record import current_call
from ocr_grpc.telemetry.scrubbing import scrubbed

REPEAT_SECONDS = 60.0
"""The same error at the same place is reported once in so long."""

MAX_PER_MINUTE = 30
MAX_PLACES = 256
FLUSH_SECONDS = 2.0
"""What the end of the process waits for reports to leave."""

LEVELS = ("error", "critical", "exception")
TAGS = ("method", "request_id", "worker", "chunk_id", "batch_id", "document_id", "process")

Place = tuple[object, ...]


class Bound:
    """Lets so few errors pass that neither a network nor a budget of events is filled by them."""

    def __init__(self) -> None:
        self._reported: OrderedDict[Place, tuple[float, int]] = OrderedDict()
        self._minute, self._count = 0.0, 0
        self._lock = Lock()  # libraries log in threads

    def take(self, place: Place, now: float) -> int | None:
        """Return how many like it were left out since the last report; None: leave it out, too."""
        with self._lock:
            at, skipped = self._reported.get(place, (-REPEAT_SECONDS, 0))
            if now - self._minute >= 60:
                self._minute, self._count = now, 0
            if now - at < REPEAT_SECONDS or self._count >= MAX_PER_MINUTE:
                self._reported[place] = (at, skipped + 1)
                taken = None
            else:
                self._count += 1
                self._reported[place] = (now, 0)
                taken = skipped
            self._reported.move_to_end(place)
            if len(self._reported) > MAX_PLACES:
                self._reported.popitem(last=False)
            return taken


_bound: Bound | None = None
"""None while errors are not reported."""


def start(dsn: str, environment: str, release: str, process: str) -> None:
    """Report errors from now on.

    Args:
        dsn: of the project; checked by the settings.
        environment: see the setting SENTRY_ENVIRONMENT.
        release: version of the service.
        process: `serve`, `worker`, `engine` or `engine_worker`.
    """
    global _bound
    import sentry_sdk  # a tenth of a second, for those who want it

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        server_name="",
        # What is reported is decided here, so nothing of its own is switched on.
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_client_reports=False,
        # Personal data is off as long as nothing asks for it; the option itself is deprecated.
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_breadcrumb=lambda _, __: None,
        before_send=_before_send,
        shutdown_timeout=FLUSH_SECONDS,
    )
    sentry_sdk.set_tag("process", process)
    _bound = Bound()


def stop() -> None:
    """Wait until what was reported has left, for `FLUSH_SECONDS` at most."""
    global _bound
    if _bound is not None:
        import sentry_sdk

        _bound = None
        sentry_sdk.get_client().close(timeout=FLUSH_SECONDS)
        sentry_sdk.get_global_scope().set_client(None)


def report(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Report the exception of a line, if it has one; a processor of structlog's."""
    if _bound is not None and event.get("exc_info") and event.get("level", level) in LEVELS:
        error = _exception_of(event["exc_info"])
        if error is not None and not isinstance(error, OcrError):
            _report(_bound, error, event)
    return event


def _exception_of(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]  # pyright: ignore[reportUnknownVariableType]
    return sys.exc_info()[1]


def _report(bound: Bound, error: BaseException, line: MutableMapping[str, Any]) -> None:
    what = str(line.get("event", ""))[:100]
    skipped = bound.take((type(error), _raised_at(error), what), monotonic())
    if skipped is None:
        return
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    with sentry_sdk.new_scope() as scope:
        scope.set_tag("event", what if what.isidentifier() else str(line.get("logger", "")))
        for name in TAGS:
            if name in line:
                scope.set_tag(name, str(line[name]))
        try:
            call = current_call()
        except LookupError:
            pass
        else:
            scope.set_tag("request_id", call.request_id)
            scope.set_tag("method", call.method)
        if skipped:
            scope.set_extra("left_out_since_the_last_report", skipped)
        # Queued for a thread of the SDK; when its queue is full the report is dropped.
        options = sentry_sdk.get_client().options
        of_error, hint = event_from_exception(error, client_options=options)
        scope.capture_event(of_error, hint=hint)


def _raised_at(error: BaseException) -> tuple[str, int]:
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return (step.tb_frame.f_code.co_filename, step.tb_lineno) if step else ("", 0)


def _before_send(event: Any, _: object) -> Any:  # its types know each kind of an event apart
    """Take out what reports must not have; called last, in the thread that reports."""
    exceptions: dict[str, Any] = event.get("exception") or {}
    for error in exceptions.get("values", []):
        error["value"] = ""
        error.pop("mechanism", None)
        stack: dict[str, Any] = error.get("stacktrace") or {}
        for frame in stack.get("frames", []):
            frame.pop("vars", None)
            frame.pop("abs_path", None)
    for name in ("server_name", "request", "user", "breadcrumbs", "logentry", "modules"):
        event.pop(name, None)
    return scrubbed(event)
