"""Where the server is that a command speaks to, and whether it is this machine's own."""

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ocr_grpc.certificates import CertificateFiles
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.settings import Settings, SettingsError, host_and_port, load_settings

LOCAL_KEY_FILE = "local.key"

TLS_SCHEME = "https://"
PLAIN_SCHEME = "http://"

WILDCARDS = ("0.0.0.0", "::", "[::]")  # noqa: S104 - to be compared with


@dataclass(frozen=True)
class ServerAddress:
    """The server a command speaks to.

    Attributes:
        target: what gRPC dials, such as `127.0.0.1:50051`.
        local_key: where this machine's own server keeps a key for this machine's owner. None for
            any other server.
        tls: whether to speak TLS.
        certificate: where this machine's own server has its certificate, None for any other.
    """

    target: str
    local_key: Path | None = None
    tls: bool = False
    certificate: CertificateFiles | None = None

    @property
    def name(self) -> str:
        """Return it as people write it. What is kept for it over TLS never goes in plain text."""
        return f"{TLS_SCHEME}{self.target}" if self.tls else self.target


def find_server(address: str) -> ServerAddress:
    """Return the server of an address; without one, this machine's own as the settings have it.

    Raises:
        CommandFailed: the address is none, or the settings are needed and wrong.
    """
    given = _parsed(address)
    try:
        settings = load_settings()
    except SettingsError as error:
        if address:  # the settings of a server say nothing about another one
            return given
        raise CommandFailed(" ".join(str(error).splitlines()), exit_code=2) from None
    own = _own_target(settings)
    if address and not _same(given.target, own):
        return given
    files = _certificate_files(settings)
    tls = given.tls or (files is not None and not address.lower().startswith(PLAIN_SCHEME))
    target = given.target or own
    # A .env that somebody left in this folder must not send the key to another machine.
    if not _is_this_machine(host_of(own)):
        return ServerAddress(target, tls=tls)
    return ServerAddress(target, settings.data_dir / LOCAL_KEY_FILE, tls, files if tls else None)


def is_loopback(target: str) -> bool:
    """Return whether what is sent to a target stays on this machine."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    return all(_is_loopback_host(host_of(each)) for each in target.split(","))


def host_of(target: str) -> str:
    """Return the host of a gRPC target, without scheme, port and brackets."""
    rest = target.rpartition("/")[2]
    for scheme in ("dns:", "ipv4:", "ipv6:"):
        rest = rest.removeprefix(scheme)
    if rest.startswith("["):
        return unquote(rest[1:].partition("]")[0])
    # More than one colon and no brackets: an IPv6 address without a port.
    return rest if rest.count(":") > 1 else rest.partition(":")[0]


def _parsed(address: str) -> ServerAddress:
    """Return the server of `https://host:port` (TLS), `http://host:port` or a gRPC target."""
    for scheme in (TLS_SCHEME, PLAIN_SCHEME):
        if address.lower().startswith(scheme):
            target = address[len(scheme) :].removesuffix("/")
            if not target or any(char in target for char in "/?#@"):
                raise CommandFailed(f"{address} is no address like {scheme}host:port.", exit_code=2)
            return ServerAddress(target, tls=scheme == TLS_SCHEME)
    return ServerAddress(address)


def _certificate_files(settings: Settings) -> CertificateFiles | None:
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return CertificateFiles(settings.tls_cert_file, settings.tls_key_file)


def _own_target(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in WILDCARDS else settings.host
    return host_and_port(host, settings.grpc_port)


def _same(address: str, own: str) -> bool:
    if address == own:
        return True
    same_port = address.rpartition(":")[2] == own.rpartition(":")[2]
    return same_port and _is_loopback_host(host_of(address)) and _is_loopback_host(host_of(own))


def _is_loopback_host(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_this_machine(host: str) -> bool:
    """Return whether a server could listen on that address here."""
    if _is_loopback_host(host):
        return True
    try:
        for family, kind, protocol, _, where in socket.getaddrinfo(
            host, 0, type=socket.SOCK_STREAM
        ):
            with socket.socket(family, kind, protocol) as probe:
                probe.bind(where)
    except OSError:
        return False
    return True
