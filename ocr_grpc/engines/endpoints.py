"""Where engine machines are: names that are looked up again and again, as machines come and go."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name and a port; several machines may stand behind the name."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return it as people write it."""
        return _joined(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Machine:
    """One address of an endpoint."""

    endpoint: Endpoint
    address: str

    @property
    def target(self) -> str:
        """The address as gRPC names it."""
        family = "ipv6" if ":" in self.address else "ipv4"
        return f"{family}:{_joined(self.address, self.endpoint.port)}"

    def __str__(self) -> str:
        """Return it as logs tell it."""
        return f"{self.endpoint} ({self.address})"


def parse_endpoints(text: str) -> tuple[Endpoint, ...]:
    """Return the endpoints in a comma-separated list of host:port; an IPv6 address in brackets.

    Raises:
        ValueError: one of them is something else; the message quotes it.
    """
    return tuple(dict.fromkeys(_parsed(part.strip()) for part in text.split(",") if part.strip()))


def _parsed(text: str) -> Endpoint:
    with suppress(ValueError):
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.port and parts.netloc == text and parts.username is None:
            parts.hostname.encode("idna")  # as it is looked up; no label is empty or too long
            return Endpoint(parts.hostname, parts.port)
    raise ValueError(f"{text!r} is not host:port, such as engines.example.com:50052")


async def find_machines(endpoint: Endpoint) -> frozenset[Machine]:
    """Return the machines that a name stands for now; none if there is no such name.

    A name with addresses of both kinds is taken by its IPv4 addresses: else one machine would be
    taken for two.

    Raises:
        OSError: nobody answers the question just now.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in _NO_SUCH_NAME:
            return frozenset()
        raise
    except ValueError:  # no name at all, as no name service was asked
        return frozenset()
    families = {family for family, *_ in found}
    wanted = socket.AF_INET if socket.AF_INET in families else socket.AF_INET6
    return frozenset(
        Machine(endpoint, str(address[0])) for family, _, _, _, address in found if family == wanted
    )


_NO_SUCH_NAME = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)
}


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
