"""TLS on the sidecar's port: where Envoy finds the certificate, and the way there from plain HTTP.

Envoy takes the certificate from a file that names or holds it (file-based SDS) and reads that file
again when another is renamed over it. Connections that stand keep what they began with.
"""

import json
import os
from pathlib import Path

from ocr_grpc.certificates import CertificateFiles, KeyPair
from ocr_grpc.sidecar.plan import JsonObject, typed

TLS = "envoy.extensions.transport_sockets.tls.v3"
SECRET_NAME = "certificate"  # noqa: S105 - the name of a resource
REDIRECT_LISTENER = "redirect"
REDIRECT_STATISTICS_PREFIX = "redirect"

HTTP_PORT, HTTPS_PORT = 80, 443

NODE = {"id": "ocr_grpc", "cluster": "ocr_grpc"}
"""Envoy wants names for itself as soon as a secret comes by file, though nobody reads them."""

HEADERS_SECONDS = "10s"
IDLE_SECONDS = "30s"


def transport_socket(secret_file: str) -> JsonObject:
    """Return a listener's TLS: version 1.2 or later, HTTP/2 or 1.1, with a certificate by file.

    Args:
        secret_file: where Envoy finds what `SecretFile` or `secret_of_files` made.
    """
    source = {"path_config_source": {"path": secret_file}, "resource_api_version": "V3"}
    context = typed(
        f"{TLS}.DownstreamTlsContext",
        common_tls_context={
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "tls_certificate_sds_secret_configs": [
                {"name": SECRET_NAME, "sds_config": source},
            ],
        },
    )
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def secret_of_files(files: CertificateFiles) -> JsonObject:
    """Return the secret file for an Envoy that is run by others and reads the files by itself.

    It looks again when something is renamed into the folder of the chain, as Kubernetes and
    `mv` do it; not when a file is written in place or a link is made.
    """
    certificate = {
        "certificate_chain": {"filename": str(files.chain)},
        "private_key": {"filename": str(files.key)},
        "watched_directory": {"path": str(files.chain.parent)},
    }
    return _secret(certificate)


class SecretFile:
    """The file from which our own Envoy takes the pair in force.

    The pair itself is in it, not the names of two more files: so it is replaced as a whole.
    """

    def __init__(self, path: Path) -> None:
        """Take its path, in a folder of the owner's only."""
        self.path = path

    def write(self, pair: KeyPair) -> None:
        """Put a pair in the place of the one before. Blocks.

        Raises:
            OSError: the folder cannot be written.
        """
        certificate = {
            "certificate_chain": {"inline_string": pair.chain.decode("utf-8", "replace")},
            "private_key": {"inline_string": pair.key.decode("utf-8", "replace")},
        }
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(_secret(certificate), file)
        new.replace(self.path)


def redirect_listener(host: str, redirect_port: int, https_port: int) -> JsonObject:
    """Return a listener for plain HTTP that sends every request on to HTTPS, whatever its method.

    The status is 308: the method and the body are to be sent again as they were.
    """
    redirect: JsonObject = {"https_redirect": True, "response_code": "PERMANENT_REDIRECT"}
    # Between the standard ports Envoy leaves the port out of the new address by itself.
    if (redirect_port, https_port) != (HTTP_PORT, HTTPS_PORT):
        redirect["port_redirect"] = https_port
    routes = [{"match": {"prefix": "/"}, "redirect": redirect}]
    manager = typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=REDIRECT_STATISTICS_PREFIX,
        codec_type="AUTO",
        server_name="ocr_grpc",
        use_remote_address=True,
        request_headers_timeout=HEADERS_SECONDS,
        # A body is not read to its end: whoever sends one gets the answer at once.
        stream_idle_timeout=IDLE_SECONDS,
        common_http_protocol_options={
            "idle_timeout": IDLE_SECONDS,
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": 100,
        },
        route_config={
            "name": "redirect",
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        },
        http_filters=[
            {
                "name": "envoy.filters.http.router",
                "typed_config": typed("envoy.extensions.filters.http.router.v3.Router"),
            }
        ],
    )
    name = "envoy.filters.network.http_connection_manager"
    return {
        "name": REDIRECT_LISTENER,
        "address": {"socket_address": {"address": host, "port_value": redirect_port}},
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": 64 * 1024,
        "filter_chains": [{"filters": [{"name": name, "typed_config": manager}]}],
    }


def _secret(certificate: JsonObject) -> JsonObject:
    secret = typed(f"{TLS}.Secret", name=SECRET_NAME, tls_certificate=certificate)
    return {"resources": [secret]}
