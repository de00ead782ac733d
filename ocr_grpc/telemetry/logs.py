"""Structured logs on stderr: JSON for machines, colours for people at a terminal.

What libraries log by `logging` and `warnings` goes the same way as what we log ourselves: one
shape, one scrubber, one stream.
"""

import io
import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from ocr_grpc.telemetry import error_tracking
from ocr_grpc.telemetry.scrubbing import scrubbed

LIBRARIES_LEVEL = logging.WARNING
"""Whatever LOG_LEVEL is: clients of HTTP log whole requests below it, with documents and keys."""

LEVELS = {"opentelemetry": logging.ERROR}
"""While a collector is away each attempt is a warning, and its end an error."""

MANY_LINES = ("exception", "stack")
"""Of a line: what is shown below it at a terminal."""

MAX_TEXT_CHARS = 20_000
"""Of one value: a traceback of many causes fits, what some library quotes by mistake does not."""


class _Unfailing(io.TextIOBase):
    """A stream whose disk may be full, or whose reader may be gone: no call fails by that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        with suppress(OSError, ValueError):  # the latter: it was closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure_logs(log_format: str, level: str, **always: object) -> None:
    """Set logging up for this process.

    Args:
        log_format: the setting of this name.
        level: the setting LOG_LEVEL.
        always: fields of every line.
    """
    stderr = cast("TextIO", _Unfailing(sys.stderr))
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        # Its own tracebacks show the values of variables, and some of these are secrets.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )

    def add_always(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**event, **always}

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        *([add_always] if always else []),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        error_tracking.report,  # while there is an exception, and not yet its text
        structlog.processors.format_exc_info,
        _scrub,
        *([_escape] if console else []),  # JSON does that by itself
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        # stdout belongs to the line that says `ready`, and to what commands print.
        logger_factory=structlog.PrintLoggerFactory(stderr),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(shared, renderer, stderr)


def _configure_libraries(shared: list[Any], renderer: Any, stderr: TextIO) -> None:
    handler = logging.StreamHandler(stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shared,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LIBRARIES_LEVEL)
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    # An error inside logging would print the record, arguments and all.
    logging.raiseExceptions = False


def _escape(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show what a terminal would obey, or take for another line, as Python writes it."""
    # Whatever is nested is shown by `repr`, which does the same.
    return {
        _shown(key): _shown(value, "\n\t" if key in MANY_LINES else "")
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }


def _shown(text: str, kept: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in kept else char.encode("unicode_escape").decode()
        for char in text
    )


def _scrub(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    clean = scrubbed(event)
    for key, value in clean.items():
        if isinstance(value, str) and len(value) > MAX_TEXT_CHARS:
            clean[key] = value[-MAX_TEXT_CHARS:]
    return clean
