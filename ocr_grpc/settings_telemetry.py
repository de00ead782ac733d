"""Settings of logs, error tracking and traces."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings


def _dsn(value: SecretStr) -> SecretStr:
    """Check an address of Sentry. No error quotes it: it lets anybody send reports."""
    if text := value.get_secret_value():
        try:
            parts = urlsplit(text)
            project = parts.path.rpartition("/")[2]
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable, parts, project = False, None, ""
        if not (usable and parts and parts.username and re.fullmatch(r"\d+", project)):
            raise ValueError("It must be https://KEY@HOST/PROJECT, as Sentry shows it")
    return value


OTLP_PORT = 4317


def _collector(value: str) -> str:
    """Check the address of a collector, and return it with its port: gRPC would take 443."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable, parts = False, None
    bare = parts and not (parts.username or parts.query or parts.fragment)
    if not (usable and bare and parts and parts.path in ("", "/")):
        raise ValueError("It must be http://HOST:4317 or https://HOST:4317, without a path")
    host = parts.netloc if parts.port else f"{parts.netloc.removesuffix(':')}:{OTLP_PORT}"
    return f"{parts.scheme}://{host}"


class TelemetrySettings(BaseSettings):
    """What the service tells about itself, and to whom."""

    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto means console on a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    sentry_dsn: Annotated[SecretStr, AfterValidator(_dsn)] = Field(
        default=SecretStr(""),
        description="Where unexpected errors are reported to, by Sentry's SDK. Empty: nowhere.",
    )
    sentry_environment: str = Field(
        default="production",
        pattern=r"^[^\s/]{1,64}$",
        description="The environment that reports of errors name.",
    )
    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(_collector)] = Field(
        default="",
        description="Collector of traces, OTLP over gRPC. Empty: no traces. Needs extra `traces`.",
    )
    otel_service_name: str = Field(
        default="",
        max_length=100,
        description="Name in traces. Empty: ocr-grpc-serve, ocr-grpc-engine, ocr-grpc-worker.",
    )
    traces_sample_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of calls traced of those that come without a decision of their caller.",
    )
