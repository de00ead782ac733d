"""Channels to a server: in plain text, or over TLS with its certificate checked."""

import os
import ssl
from pathlib import Path

import grpc
import grpc.aio

from .policy import config_for_grpc

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""gRPC's own limit of 4 MiB is less than the answer of `Extract` may have."""

SYSTEM_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep the certificates they trust: Debian, Red Hat, SUSE, Alpine and macOS."""

Options = list[tuple[str, int | str]]


def channel_options(max_message_bytes: int) -> Options:
    """Return the channel arguments: the policy, sizes, and how a dead connection is noticed."""
    return [
        ("grpc.service_config", config_for_grpc()),
        ("grpc.enable_retries", 1),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),  # the server says what is too large
        # A peer that vanished is noticed within 40 s, also while a stream is silent.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        # A server that restarts is found again within seconds; gRPC's own bound is two minutes.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 1_000),
        ("grpc.max_reconnect_backoff_ms", 3_000),
        # Channels with the same arguments would share connections, and clients their fates.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def open_channel(
    address: str, tls: bool, ca_file: str | os.PathLike[str] | None, max_message_bytes: int
) -> grpc.aio.Channel:
    """Return a channel for the running event loop. It connects with the first call.

    Raises:
        OSError: `ca_file` cannot be read.
    """
    options = channel_options(max_message_bytes)
    if not tls:
        return grpc.aio.insecure_channel(address, options=options)
    authorities = Path(ca_file).read_bytes() if ca_file else system_authorities()
    credentials = grpc.ssl_channel_credentials(authorities)
    return grpc.aio.secure_channel(address, credentials, options=options)


def system_authorities() -> bytes | None:
    """Return the certificates that the system trusts, in PEM. None: those that come with gRPC."""
    named = ssl.get_default_verify_paths().cafile  # obeys SSL_CERT_FILE
    for path in (*([named] if named else []), *SYSTEM_AUTHORITIES):
        try:
            return Path(path).read_bytes()
        except OSError:
            continue
    stored = ssl.create_default_context().get_ca_certs(binary_form=True)  # Windows keeps no file
    return "".join(map(ssl.DER_cert_to_PEM_cert, stored)).encode() or None
