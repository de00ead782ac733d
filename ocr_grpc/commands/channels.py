"""Channels of commands to a server: in plain text, or over TLS with its certificate checked."""

import os
import ssl
from collections.abc import Sequence
from pathlib import Path

import grpc
import grpc.aio

from ocr_grpc.certificates import CertificateFiles, CertificateUnusable, read_key_pair
from ocr_grpc.commands.addresses import ServerAddress, host_of
from ocr_grpc.commands.failure import CommandFailed

CA_VARIABLE = "OCR_CA_FILE"

SYSTEM_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep the certificates they trust: Debian, Red Hat, SUSE, Alpine and macOS."""

Options = Sequence[tuple[str, int | str]]


def open_channel(server: ServerAddress) -> grpc.Channel:
    """Return a channel; whoever gets it closes it. It connects with the first call.

    Raises:
        CommandFailed: there is nothing to check the server's certificate by.
    """
    if not server.tls:
        return grpc.insecure_channel(server.target)
    roots, options = _trusted(server)
    return grpc.secure_channel(server.target, grpc.ssl_channel_credentials(roots), options)


def open_async_channel(server: ServerAddress, options: Options = ()) -> grpc.aio.Channel:
    """Return the same for asyncio, with channel arguments."""
    if not server.tls:
        return grpc.aio.insecure_channel(server.target, options=list(options))
    roots, more = _trusted(server)
    credentials = grpc.ssl_channel_credentials(roots)
    return grpc.aio.secure_channel(server.target, credentials, options=[*options, *more])


def _trusted(server: ServerAddress) -> tuple[bytes | None, list[tuple[str, str]]]:
    """Return the certificates to check the server's by, and how its name is checked.

    None for the certificates means those that come with grpc.
    """
    chosen = os.environ.get(CA_VARIABLE, "").strip()
    if chosen:
        try:
            return Path(chosen).read_bytes(), []
        except OSError as error:
            raise CommandFailed(f"{CA_VARIABLE}: {chosen}: {error.strerror}.") from None
    if server.certificate:
        return _own(server, server.certificate)
    named = ssl.get_default_verify_paths().cafile  # obeys SSL_CERT_FILE
    for path in (*([named] if named else []), *SYSTEM_ROOTS):
        try:
            return Path(path).read_bytes(), []
        except OSError:
            continue
    return None, []


def _own(server: ServerAddress, files: CertificateFiles) -> tuple[bytes, list[tuple[str, str]]]:
    """Trust this machine's own server for showing the very certificate that it was given.

    It is dialled by an address such as 127.0.0.1, for which few certificates are made out.
    """
    try:
        pair = read_key_pair(files)
    except CertificateUnusable as error:
        raise CommandFailed(
            f"{error} Without it, address the server by the name in its certificate, such as "
            "https://ocr.example.com:50051, with --address or OCR_ADDRESS."
        ) from None
    if not pair.names or host_of(server.target) in pair.names:
        return pair.chain, []
    name = pair.names[0].replace("*", "any")
    return pair.chain, [("grpc.ssl_target_name_override", name)]
