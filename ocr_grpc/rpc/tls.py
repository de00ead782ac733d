"""TLS for the gRPC port."""

from collections.abc import Callable
from typing import Any

import grpc

from ocr_grpc.certificates import KeyPair


def server_credentials(current: Callable[[], KeyPair]) -> grpc.ServerCredentials:
    """Return credentials that show the pair in force: TLS 1.2 or later, and HTTP/2 alone.

    Args:
        current: returns that pair at once; asked from threads of grpc, before each handshake.
            Connections that stand are left alone when it changes.
    """
    given = current()

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        pair = current()
        if pair is given:
            return None
        given = pair
        return _configuration(pair)

    # grpc's stubs leave out that None means no change.
    fetcher: Any = changed
    return grpc.dynamic_ssl_server_credentials(_configuration(given), fetcher)


def _configuration(pair: KeyPair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.chain)])
