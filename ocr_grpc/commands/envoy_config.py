"""`ocr-grpc envoy-config`: writes the sidecar's configuration for an Envoy that others run."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ocr_grpc.certificates import CertificateFiles
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.settings import Settings, SettingsError, host_and_port, load_settings
from ocr_grpc.sidecar.bootstrap import bootstrap
from ocr_grpc.sidecar.envoy import find_envoy, validate
from ocr_grpc.sidecar.errors import SidecarFailed, SidecarUnavailable
from ocr_grpc.sidecar.plan import SidecarPlan, Tls
from ocr_grpc.sidecar.tls import secret_of_files, transport_socket
from ocr_grpc.wiring.sidecar import ADMIN_NAME, SECRET_NAME, plan_sidecar, write_descriptors

CONFIG_NAME = "envoy.json"


def envoy_config(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made if it is missing.")],
    upstream: Annotated[
        list[str] | None,
        typer.Option(help="A server behind it, host:port or a socket. Again for each more."),
    ] = None,
    at: Annotated[
        Path | None, typer.Option(help="Where Envoy will find the folder. Default: where it is.")
    ] = None,
    listen: Annotated[str, typer.Option(help="Address to listen on. Default: HOST.")] = "",
    admin_socket: Annotated[
        Path | None, typer.Option(help="Unix socket for Envoy's administration. Default: none.")
    ] = None,
    upstream_ca: Annotated[
        str, typer.Option(help="Certificates to check servers by that speak TLS.")
    ] = "",
    metrics: Annotated[str, typer.Option(help="host:port to serve /metrics from.")] = "",
    stats_listen: Annotated[
        str, typer.Option(help="host:port for Envoy's own /stats/prometheus. Default: none.")
    ] = "",
) -> None:
    """Write the HTTP sidecar's configuration, for an Envoy of one's own.

    That is envoy.json and the files that it names, for compose, Kubernetes or another machine.
    Settings come from the environment and from .env, as those of the servers behind it. Run it with
    `envoy -c FOLDER/envoy.json`.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        raise CommandFailed(" ".join(str(error).splitlines()), exit_code=2) from None
    folder = folder.absolute()
    if stats_listen and not admin_socket:
        admin_socket = (at or folder) / ADMIN_NAME
    plan = replace(
        plan_sidecar(settings, folder, tuple(upstream or [_own_address(settings)])),
        host=listen or settings.host,
        admin_socket=admin_socket,
        upstream_ca=upstream_ca,
        metrics_upstream=metrics,
        stats_listen=stats_listen,
    )
    if settings.tls_cert_file and settings.tls_key_file:
        plan = replace(plan, tls=_tls(folder, settings.http_redirect_port))
        if not (upstream_ca or upstream or settings.sidecar_socket):
            typer.echo("GRPC_PORT speaks TLS: --upstream-ca says by what to check it.", err=True)
    try:
        _write(plan, folder, at, settings)
    except (OSError, ValueError, SidecarFailed) as error:
        raise CommandFailed(str(error)) from None
    typer.echo(folder / CONFIG_NAME)


def _own_address(settings: Settings) -> str:
    if settings.sidecar_socket:
        return str(settings.sidecar_socket.absolute())
    return host_and_port(settings.host, settings.grpc_port)


def _tls(folder: Path, redirect_port: int) -> Tls:
    return Tls(transport_socket(str(folder / SECRET_NAME)), redirect_port)


def _write(plan: SidecarPlan, folder: Path, at: Path | None, settings: Settings) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_descriptors(folder)
    if settings.tls_cert_file and settings.tls_key_file:
        # Named as the settings name them, for the machine where Envoy will run.
        secret = secret_of_files(CertificateFiles(settings.tls_cert_file, settings.tls_key_file))
        (folder / SECRET_NAME).write_text(json.dumps(secret, indent=1))
    plan = replace(plan, web_files=_copied(plan, folder / "web"))
    config = folder / CONFIG_NAME
    # Checked where it is written, and only then made for where it will be.
    config.write_text(json.dumps(bootstrap(plan, SERVICES), indent=1))
    try:
        asyncio.run(validate(find_envoy(None), config))
    except SidecarUnavailable:
        typer.echo("No Envoy here: the configuration was not checked.", err=True)
    if at:
        tls = _tls(at, settings.http_redirect_port) if plan.tls else None
        there = replace(plan, file_prefix=(str(folder), str(at).rstrip("/")), tls=tls)
        config.write_text(json.dumps(bootstrap(there, SERVICES), indent=1))


def _copied(plan: SidecarPlan, folder: Path) -> dict[str, Path]:
    """Copy the web app beside the configuration and return it as it is there."""
    if folder.exists():
        shutil.rmtree(folder)
    copies: dict[str, Path] = {}
    for url, path in plan.web_files.items():
        name = url.removeprefix("/") or "index.html"
        name = name if Path(name).suffix else f"{name}.html"
        copies[url] = folder / name
        copies[url].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copies[url])
    return copies
