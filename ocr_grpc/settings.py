"""Every setting of the service, read once from the environment and `.env`.

Names are those of the environment variables, in lower case. Each field says its unit and why its
default is what it is; `.env.example` is checked against this file by a test.
"""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from ocr_grpc.cores import cores
from ocr_grpc.settings_accounts import AccountSettings
from ocr_grpc.settings_batches import BatchSettings
from ocr_grpc.settings_cache import CacheSettings
from ocr_grpc.settings_engines import EngineSettings
from ocr_grpc.settings_http import HttpSettings
from ocr_grpc.settings_retention import RetentionSettings
from ocr_grpc.settings_telemetry import TelemetrySettings

MIB = 1024 * 1024
DAY_SECONDS = 86_400


class SettingsError(Exception):
    """A setting is wrong; the message names the variable and the fix."""


class Settings(
    AccountSettings,
    HttpSettings,
    EngineSettings,
    BatchSettings,
    RetentionSettings,
    TelemetrySettings,
    CacheSettings,
):
    """The settings in force. Immutable."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on. This machine only, until somebody decides otherwise.",
    )
    grpc_port: int = Field(
        default=50051, ge=0, le=65535, description="Port for gRPC. 0 takes a free one."
    )
    metrics_port: int = Field(
        default=9090,
        ge=0,
        le=65535,
        description="Port for Prometheus. 0 takes a free one, as does a taken default.",
    )
    data_dir: Path = Field(
        default=Path("data"), description="Folder for everything the service keeps."
    )

    max_inline_bytes: int = Field(
        default=32 * MIB,
        ge=1024,
        le=512 * MIB,
        description="Largest document inside one message, in bytes. It is held in memory.",
    )
    max_inline_total_bytes: int = Field(
        default=512 * MIB,
        ge=1024,
        le=2**40,
        description="All documents inside messages together, in bytes. Memory holds twice that.",
    )
    max_document_bytes: int = Field(
        default=1024 * MIB,
        ge=1024,
        le=2**40,
        description="Largest document in pieces, in bytes. It is held on disk.",
    )
    max_pages: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Most pages of one document."
    )
    max_page_pixels: int = Field(
        default=100_000_000,
        ge=1_000_000,
        le=400_000_000,
        description="Most pixels of one rendered page. An A0 plan at 200 dpi has 62 million.",
    )
    max_archive_members: int = Field(
        default=10_000,
        ge=10,
        le=1_000_000,
        description="Most members of a zip container such as DOCX or EPUB.",
    )
    max_archive_bytes: int = Field(
        default=1024 * MIB,
        ge=1024,
        le=2**40,
        description="Most bytes that all members of a container have unpacked.",
    )
    max_archive_ratio: int = Field(
        default=200,
        ge=10,
        le=100_000,
        description="How many times its packed size a member may have unpacked. Bombs have 1,000.",
    )
    max_pictures_per_page: int = Field(
        default=50,
        ge=0,
        le=10_000,
        description="Most pictures inside the text of one page that the engine reads.",
    )
    max_extractions: int = Field(
        default=4_000,
        ge=1,
        description="Most extractions under way or waiting; more are told to come again.",
    )
    max_extractions_per_caller: int = Field(
        default=1_000, ge=1, description="The same for one caller."
    )

    readers: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Sandboxed processes for PDF and images. 0: one per core and one to spare.",
    )
    office_readers: int = Field(
        default=0,
        ge=0,
        le=256,
        description="The same for Office, HTML and text. 0: one for two cores and one to spare.",
    )
    reader_memory_bytes: int = Field(
        default=2048 * MIB,
        ge=256 * MIB,
        description="Address space of such a process, in bytes; beyond it the page fails.",
    )
    open_timeout_seconds: float = Field(
        default=30,
        gt=0,
        le=DAY_SECONDS,
        description="Seconds a reader may take to open a document.",
    )
    render_timeout_seconds: float = Field(
        default=30, gt=0, le=DAY_SECONDS, description="Seconds a reader may take over one page."
    )
    document_timeout_seconds: float = Field(
        default=3600,
        gt=0,
        le=DAY_SECONDS,
        description="Seconds one document may take from its arrival to its last page.",
    )
    page_timeout_seconds: float = Field(
        default=120, gt=0, le=DAY_SECONDS, description="Seconds the engine may take over one page."
    )
    pages_at_once: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Pages of one document under way together. 0: what engines can read, and 2.",
    )
    upload_idle_seconds: float = Field(
        default=60,
        gt=0,
        le=DAY_SECONDS,
        description="Seconds without a byte after which an upload is given up.",
    )

    max_connection_age_seconds: int = Field(
        default=3600,
        ge=10,
        le=30 * 86_400 // 2,
        description="Age at which a connection is asked to reconnect, so that load spreads anew.",
    )
    shutdown_delay_seconds: float = Field(
        default=0,
        ge=0,
        le=DAY_SECONDS,
        description="Seconds between NOT_SERVING and refusing calls. Behind a balancer: one probe.",
    )
    shutdown_grace_seconds: float = Field(
        default=30,
        ge=0,
        le=DAY_SECONDS,
        description="Seconds that running calls get to finish at a shutdown.",
    )

    @property
    def worker_count(self) -> int:
        """Return how many engine processes to run on this machine."""
        return cores() if self.engine_workers == 0 else max(0, self.engine_workers)

    @property
    def reader_count(self) -> int:
        """Return how many reader processes to run."""
        return self.readers or cores() + 1

    @property
    def office_reader_count(self) -> int:
        """Return how many reader processes to run for Office, HTML and text."""
        return self.office_readers or cores() // 2 + 1


def host_and_port(host: str, port: int) -> str:
    """Return an address as gRPC wants it: an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: with one line for each variable that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in problem['loc']).upper() or 'TLS'}: {problem['msg']}. "
            "Correct it in the environment or in .env; .env.example lists every setting."
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(lines)) from None
