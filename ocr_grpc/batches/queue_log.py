"""Puts what PgQueuer logs among our own logs, without tracebacks and without values."""

import logging

import structlog

log = structlog.get_logger()

NAME = "pgqueuer"


class _Ours(logging.Handler):
    """Passes records on; only the text before values were put in, as these may be anything."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        log.warning("dispatcher_says", text=str(record.msg)[:200], kind=kind and kind.__name__)


def log_for_us() -> None:
    """Have warnings and worse logged by us; may be called again."""
    theirs = logging.getLogger(NAME)
    if not any(isinstance(handler, _Ours) for handler in theirs.handlers):
        theirs.addHandler(_Ours(logging.WARNING))
    theirs.propagate = False
