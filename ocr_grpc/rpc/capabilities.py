"""What this server can do, as `GetCapabilities` tells it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ocr_grpc.accounts.principal import Limits as RoleLimits
from ocr_grpc.accounts.principal import Role
from ocr_grpc.documents.formats import FORMATS
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.options import MAX_DPI, MIN_DPI, Mode
from ocr_grpc.rpc import mapping, options_mapping
from ocr_grpc.rpc.field_values import role_to_proto
from ocr_grpc.v1 import document_pb2
from ocr_grpc.v1 import ocr_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class OcrLimits:
    """The bounds of a call; the fields are settings of the same names."""

    max_inline_bytes: int
    max_document_bytes: int
    max_pages: int
    max_page_pixels: int
    max_archive_members: int
    max_archive_bytes: int
    max_archive_ratio: int
    max_pictures_per_page: int
    page_timeout_seconds: float
    document_timeout_seconds: float
    upload_idle_seconds: float
    max_batch_documents: int
    batch_retention_hours: int
    resumable_seconds: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What callers may use, and how they come to it.

    Attributes:
        plans: what each role may use.
        registration: who may make an account: `open`, `invite` or `closed`.
        auth_required: whether callers must say who they are.
    """

    plans: Mapping[Role, RoleLimits]
    registration: str
    auth_required: bool


_REGISTRATIONS = {
    "open": pb.REGISTRATION_OPEN,
    "invite": pb.REGISTRATION_INVITE,
    "closed": pb.REGISTRATION_CLOSED,
}


def response(
    version: str, engines: Engines, limits: OcrLimits, offer: Offer
) -> pb.GetCapabilitiesResponse:
    """Return engines, formats, modes, limits and plans as a message."""
    told = asdict(limits)
    del told["upload_idle_seconds"]
    told["max_retention_hours"] = told.pop("batch_retention_hours")
    return pb.GetCapabilitiesResponse(
        version=version,
        engines=[
            mapping.capable_engine_to_proto(engine, engines.ready_workers_of(engine.name))
            for engine in engines.descriptions
        ],
        formats=[
            document_pb2.DocumentFormat(
                kind=mapping.kind_to_proto(kind),
                media_types=form.media_types,
                text_layer=form.text_layer,
                structured=form.structured,
                page_unit=form.page_unit,
            )
            for kind, form in FORMATS.items()
        ],
        modes=[options_mapping.mode_to_proto(mode) for mode in Mode],
        qualities=[options_mapping.quality_to_proto(quality) for quality in engines.qualities],
        limits=pb.Limits(min_dpi=MIN_DPI, max_dpi=MAX_DPI, **told),
        plans=[_plan(role, role_limits) for role, role_limits in offer.plans.items()],
        registration=_REGISTRATIONS[offer.registration],
        auth_required=offer.auth_required,
    )


def _plan(role: Role, limits: RoleLimits) -> pb.Plan:
    return pb.Plan(
        role=role_to_proto(role),
        calls_per_minute=limits.calls_per_minute,
        pages_per_month=limits.pages_per_month,
        concurrent_streams=limits.concurrent_streams,
    )
