"""TLS for the gRPC port."""

from collections.abc import Callable
from typing import Any

import grpc

from ocr_grpc.certificates import KeyPair


def server_credentials(
    current: Callable[[], KeyPair], client_authority: bytes | None = None
) -> grpc.ServerCredentials:
    """Return credentials that show the pair in force: TLS 1.2 or later, and HTTP/2 alone.

    Args:
        current: returns that pair at once; asked from threads of grpc, before each handshake.
            Connections that stand are left alone when it changes.
        client_authority: certificates in PEM; clients must show one that these vouch for. None asks
            for nothing.
    """
    given = current()

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        pair = current()
        if pair is given:
            return None
        given = pair
        return _configuration(pair, client_authority)

    # grpc's stubs leave out that None means no change.
    fetcher: Any = changed
    return grpc.dynamic_ssl_server_credentials(
        _configuration(given, client_authority),
        fetcher,
        require_client_authentication=client_authority is not None,
    )


def _configuration(
    pair: KeyPair, client_authority: bytes | None
) -> grpc.ServerCertificateConfiguration:
    pairs = [(pair.key, pair.chain)]
    return grpc.ssl_server_certificate_configuration(pairs, client_authority)
