"""What the settings say of engine workers, of this machine and of others."""

from pathlib import Path

from ocr_grpc.documents.spool import Spool
from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.endpoints import parse_endpoints
from ocr_grpc.engines.fleet import FleetSettings
from ocr_grpc.engines.link import Link
from ocr_grpc.engines.local_worker import WorkerSettings
from ocr_grpc.settings import Settings
from ocr_grpc.wiring.errors import CannotServe


def worker_settings(settings: Settings, spool: Spool, run_dir: Path) -> WorkerSettings:
    """Return what processes of the usual engine are started with."""
    # A language model needs an engine beside it, for drafts and for pages that it cannot read.
    engine = "ppocr" if settings.engine == "vlm" else settings.engine
    choice = EngineChoice(engine, settings.engine_backend, settings.engine_precision)
    return WorkerSettings(
        choice=choice,
        spool=spool.path,
        run_dir=run_dir,
        memory_bytes=settings.engine_memory_bytes,
        start_seconds=settings.engine_start_seconds,
    )


def fleet_settings(settings: Settings) -> FleetSettings | None:
    """Return where machines with the usual engine are; None if there are none.

    Raises:
        CannotServe: ENGINE_ENDPOINTS is no list of host:port, or the files for TLS are not used.
    """
    try:
        endpoints = parse_endpoints(settings.engine_endpoints)
    except ValueError as error:
        raise CannotServe(f"ENGINE_ENDPOINTS: {error}.") from None
    if endpoints and not settings.engine_tls and _tls_files(settings):
        raise CannotServe(
            "ENGINE_TLS=false sends pages and ENGINE_TOKEN in plain text, whatever ENGINE_CA_FILE "
            "and ENGINE_CERT_FILE say: leave ENGINE_TLS at true, or leave these two empty."
        )
    link = Link(
        tls=settings.engine_tls,
        token=settings.engine_token.get_secret_value(),
        authority=settings.engine_ca_file,
        certificate=settings.engine_cert_file,
        key=settings.engine_key_file,
    )
    return FleetSettings(endpoints, link) if endpoints else None


def _tls_files(settings: Settings) -> bool:
    return settings.engine_ca_file is not None or settings.engine_cert_file is not None
