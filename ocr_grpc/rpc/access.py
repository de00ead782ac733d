"""Who may call which RPC, as the protos declare it."""

from collections.abc import Mapping

from google.protobuf.descriptor import ServiceDescriptor

from ocr_grpc.accounts.errors import (
    CredentialsMissing,
    InsufficientScope,
    RoleRequired,
    SessionRequired,
)
from ocr_grpc.accounts.principal import Principal, Role, Scope
from ocr_grpc.v1 import (
    access_pb2,
    admin_service_pb2,
    auth_service_pb2,
    batch_service_pb2,
    compatibility_service_pb2,
    keys_service_pb2,
    ocr_service_pb2,
    organizations_service_pb2,
    usage_service_pb2,
    webhooks_service_pb2,
)

SERVICES: tuple[ServiceDescriptor, ...] = tuple(
    service
    for module in (
        auth_service_pb2,
        keys_service_pb2,
        ocr_service_pb2,
        batch_service_pb2,
        webhooks_service_pb2,
        usage_service_pb2,
        organizations_service_pb2,
        compatibility_service_pb2,
        admin_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)
"""The public services."""

SCOPES: Mapping[int, Scope] = {
    access_pb2.SCOPE_OCR: Scope.OCR,
    access_pb2.SCOPE_BATCHES: Scope.BATCHES,
    access_pb2.SCOPE_KEYS: Scope.KEYS,
    access_pb2.SCOPE_USAGE: Scope.USAGE,
    access_pb2.SCOPE_ADMIN: Scope.ADMIN,
}


def declared_access() -> dict[str, access_pb2.Access]:
    """Return what each RPC asks of its caller, by its path such as `/ocr_grpc.v1.Service/Rpc`."""
    return {
        f"/{service.full_name}/{method.name}": method.GetOptions().Extensions[access_pb2.access]
        for service in SERVICES
        for method in service.methods
    }


def authorize(principal: Principal | None, access: access_pb2.Access) -> None:
    """Check that somebody may make a call.

    Raises:
        CredentialsMissing: it takes credentials.
        Denied: these credentials are not enough; the error says what is missing.
    """
    audience = access.audience
    if audience == access_pb2.AUDIENCE_ANYONE:
        return
    if principal is None:
        raise CredentialsMissing
    if audience == access_pb2.AUDIENCE_SESSIONS and principal.key:
        raise SessionRequired
    if audience == access_pb2.AUDIENCE_ADMINS and not principal.is_admin:
        raise RoleRequired(Role.ADMIN.value)
    if audience == access_pb2.AUDIENCE_UNSPECIFIED:
        # Nobody said who may: the build fails over that, and until then nobody may.
        raise RoleRequired("none")
    scope = SCOPES.get(access.scope)
    if scope and not principal.may(scope):
        raise InsufficientScope(scope.value)
