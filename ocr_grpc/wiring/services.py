"""Puts interceptors and services on top of the areas."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

import grpc.aio

from ocr_grpc.batches.dead_letters import DeadLetters
from ocr_grpc.rpc.admin import AdminAreas, AdminServicer
from ocr_grpc.rpc.auth import AuthAreas, AuthServicerImpl
from ocr_grpc.rpc.interceptors.auth import AuthInterceptor
from ocr_grpc.rpc.interceptors.chain import InterceptorChain
from ocr_grpc.rpc.interceptors.errors import ErrorInterceptor
from ocr_grpc.rpc.interceptors.limits import LimitInterceptor
from ocr_grpc.rpc.interceptors.telemetry import TelemetryInterceptor
from ocr_grpc.rpc.interceptors.usage import UsageInterceptor
from ocr_grpc.rpc.keys import KeysServicer
from ocr_grpc.rpc.organizations import OrganizationsServicer
from ocr_grpc.rpc.usage import UsageServicer
from ocr_grpc.settings import Settings
from ocr_grpc.settings_http import Network
from ocr_grpc.store.base import utc_now
from ocr_grpc.telemetry.call_metrics import CallMetrics
from ocr_grpc.telemetry.components import SystemHealth
from ocr_grpc.v1.access_pb2 import Access
from ocr_grpc.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from ocr_grpc.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from ocr_grpc.v1.keys_service_pb2_grpc import add_KeysServiceServicer_to_server
from ocr_grpc.v1.organizations_service_pb2_grpc import (
    add_OrganizationsServiceServicer_to_server,
)
from ocr_grpc.v1.usage_service_pb2_grpc import add_UsageServiceServicer_to_server
from ocr_grpc.wiring.accounts import Accounts
from ocr_grpc.wiring.metering import Metering


def make_interceptors(
    metering: Metering,
    accounts: Accounts,
    access: Mapping[str, Access],
    trusted_networks: Sequence[Network] = (),
) -> InterceptorChain:
    """Return what stands around every call.

    Args:
        metering: what counts.
        accounts: what knows people.
        access: what each method asks of its caller; all others are open and not counted.
        trusted_networks: where sidecars are whose word about their callers is believed.
    """
    auth = AuthInterceptor(accounts.authenticator, access, metering.limits, accounts.everybody)
    accounts.changes.subscribe(auth.news)
    # Order is policy:
    links = [
        # Outermost: everything below is timed, counted and logged.
        TelemetryInterceptor(trusted_networks, CallMetrics(metering.metrics.registry)),
        UsageInterceptor(metering.ledger, access),  # refused calls are counted too
        ErrorInterceptor(metering.metrics.refused),  # outside everything that raises a domain error
        auth,
        LimitInterceptor(metering.limits, metering.ledger.ready, access),  # a limit is somebody's
    ]
    return InterceptorChain(links)


def add_account_services(
    server: grpc.aio.Server,
    settings: Settings,
    accounts: Accounts,
    metering: Metering,
    health: SystemHealth,
    dead_letters: DeadLetters,
) -> None:
    """Have the server answer the services about people and their usage."""
    areas = AuthAreas(
        accounts.login,
        accounts.sessions,
        accounts.mail_tokens,
        accounts.users,
        accounts.registration,
        settings.password_min_chars,
    )
    add_AuthServiceServicer_to_server(AuthServicerImpl(areas), server)
    add_KeysServiceServicer_to_server(KeysServicer(accounts.api_keys, metering.queries), server)
    admin = AdminAreas(
        accounts.users,
        accounts.api_keys,
        accounts.invites,
        accounts.audit_log,
        metering.queries,
        health,
        version("ocr-grpc"),
        utc_now(),
    )
    add_AdminServiceServicer_to_server(AdminServicer(admin, dead_letters), server)
    add_UsageServiceServicer_to_server(UsageServicer(metering.queries), server)
    add_OrganizationsServiceServicer_to_server(
        OrganizationsServicer(accounts.organizations, accounts.memberships), server
    )
