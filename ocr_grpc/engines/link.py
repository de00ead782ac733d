"""How `serve` shows itself to engine machines, and how it knows them."""

from dataclasses import dataclass, field
from pathlib import Path

import grpc

from ocr_grpc.engines.client import Address
from ocr_grpc.engines.endpoints import Machine


@dataclass(frozen=True, slots=True)
class Link:
    """What connections to engine machines have in common.

    Attributes:
        tls: whether they are encrypted.
        token: shared secret, shown at each call; may be empty.
        authority: certificates to trust, in PEM; None for those of the system.
        certificate, key: what to show of oneself, in PEM; None for nothing.
    """

    tls: bool = True
    token: str = field(default="", repr=False)
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def address(self, machine: Machine) -> Address:
        """Return how to reach a machine. Reads the files anew, as they may have changed. Blocks.

        Raises:
            OSError: a file cannot be read.
        """
        credentials = None
        if self.tls:
            credentials = grpc.ssl_channel_credentials(
                _content(self.authority), _content(self.key), _content(self.certificate)
            )
        return Address(machine.target, credentials, self.token, machine.endpoint.host)


def _content(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None
