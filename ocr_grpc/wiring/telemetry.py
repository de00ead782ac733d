"""Begins to log, to report errors and to trace, as the settings say."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version

import structlog

from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.settings import Settings, SettingsError
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.telemetry.process import ExtraMissing, Telemetry, telling
from ocr_grpc.wiring.errors import CannotServe

log = structlog.get_logger()

TOLD_ERRORS = (CannotServe, EngineUnavailable, DatabaseUnavailable)
"""What keeps a process from starting, and is no surprise."""


@contextmanager
def telemetry(settings: Settings, process: str) -> Generator[None, None, None]:
    """Tell what this process does for as long as the block lasts.

    Args:
        settings: all of them.
        process: `serve`, `worker` or `engine`.

    Raises:
        SettingsError: traces are wanted, and what makes them is not installed.
    """
    told = Telemetry(
        process=process,
        version=version("ocr-grpc"),
        log_format=settings.log_format,
        log_level=settings.log_level,
        sentry_dsn=settings.sentry_dsn.get_secret_value(),
        sentry_environment=settings.sentry_environment,
        otlp_endpoint=settings.otel_exporter_otlp_endpoint,
        service_name=settings.otel_service_name,
        sample_ratio=settings.traces_sample_ratio,
    )
    try:
        with telling(told):
            try:
                yield
            except (SettingsError, *TOLD_ERRORS):
                raise  # the command says it in a sentence
            except Exception:
                log.exception("process_failed")
                raise SystemExit(1) from None
    except ExtraMissing as missing:
        raise SettingsError(str(missing)) from None
