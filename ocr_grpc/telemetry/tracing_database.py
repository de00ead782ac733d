"""A span for each statement that a traced call has the database do.

Of our own: the instrumentation of OpenTelemetry does not support this release of SQLAlchemy, and
puts the path of a database file into the names of its spans.
"""

from typing import Any

from opentelemetry import trace
from sqlalchemy import Engine, event

SPAN = "ocr_span"
MAX_STATEMENT_CHARS = 1_000


class StatementSpans:
    """Listens to one database."""

    def __init__(self, tracer: trace.Tracer, engine: Engine) -> None:
        """Begin to listen."""
        self._tracer = tracer
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

    def _begin(
        self, connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool
    ) -> None:
        # What no call or batch asked for is no trace: this service asks all the time.
        if context is None or not trace.get_current_span().is_recording():
            return
        word = (statement.split(None, 1) or [""])[0].upper()[:20]
        attributes = {
            "db.system.name": connection.dialect.name,
            "db.operation.name": word,
            # Values stand apart from it, as parameters, and are not here.
            "db.query.text": statement[:MAX_STATEMENT_CHARS],
        }
        # Never current: of a statement that is cancelled nobody is told the end.
        span = self._tracer.start_span(
            f"database {word}", kind=trace.SpanKind.CLIENT, attributes=attributes
        )
        setattr(context, SPAN, span)

    def _end(
        self, _connection: Any, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool
    ) -> None:
        _close(context, None)

    def _fail(self, error: Any) -> None:
        _close(error.execution_context, error.original_exception)


def _close(context: Any, error: BaseException | None) -> None:
    span: trace.Span | None = getattr(context, SPAN, None)
    if span is None:
        return
    setattr(context, SPAN, None)
    if error is not None:
        span.set_status(trace.StatusCode.ERROR)
        span.set_attribute("error.type", type(error).__name__)
    span.end()
