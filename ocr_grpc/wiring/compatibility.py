"""Puts the interfaces of other services on top of the same extraction."""

import grpc.aio

from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.fetching.hosts import AllowedHosts
from ocr_grpc.rpc.capabilities import OcrLimits
from ocr_grpc.rpc.compatibility.servicer import CompatibilityServicer
from ocr_grpc.rpc.intake import Intake
from ocr_grpc.settings import Settings
from ocr_grpc.v1.compatibility_service_pb2_grpc import (
    add_CompatibilityServiceServicer_to_server,
)
from ocr_grpc.wiring.errors import CannotServe


def make_fetcher(settings: Settings) -> Fetcher:
    """Return what fetches documents by URL.

    Raises:
        CannotServe: the list of hosts is not one.
    """
    try:
        hosts = AllowedHosts.parse(settings.fetch_hosts)
    except ValueError as error:
        raise CannotServe(f"FETCH_HOSTS: {error}.") from None
    return Fetcher(hosts, settings.fetch_timeout_seconds)


def add_compatibility_service(
    server: grpc.aio.Server,
    intake: Intake,
    fetcher: Fetcher,
    engines: Engines,
    limits: OcrLimits,
) -> None:
    """Have the server answer clients of other services."""
    servicer = CompatibilityServicer(intake, fetcher, engines, limits)
    add_CompatibilityServiceServicer_to_server(servicer, server)
