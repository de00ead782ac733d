"""`ocr-grpc serve`: runs the service."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.processes import (
    give_memory_back,
    hide_memory,
    keep_modules_from_collections,
    no_collections,
)
from ocr_grpc.settings import Settings, SettingsError, host_and_port, load_settings
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.telemetry import telemetry

if TYPE_CHECKING:
    from ocr_grpc.server import Server


def serve(
    no_http: Annotated[
        bool, typer.Option("--no-http", help="gRPC alone, without the HTTP sidecar.")
    ] = False,
) -> None:
    """Run the service until it is told to stop (SIGTERM or Ctrl-C).

    Settings come from the environment and from .env; .env.example lists them.
    """
    try:
        settings = load_settings()
        if no_http:
            settings = settings.model_copy(update={"http_enabled": False})
        with telemetry(settings, "serve"):
            hide_memory()
            give_memory_back()
            # Not before: it brings everything along, a second, and wrong settings are told at once.
            with no_collections():
                from ocr_grpc.server import Server
            keep_modules_from_collections()
            uvloop.run(_serve(Server(settings), settings))
    except (SettingsError, CannotServe, EngineUnavailable, DatabaseUnavailable) as error:
        typer.echo(f"ocr-grpc: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, SettingsError) else 1) from None


async def _serve(server: "Server", settings: Settings) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    ready.add_done_callback(lambda done: None if done.cancelled() else _announce(server, settings))
    await server.run(ready)


def _announce(server: "Server", settings: Settings) -> None:
    if server.password_path:
        user = settings.bootstrap_user
        typer.echo(f"administrator {user!r}, password in {server.password_path}", err=True)
    engine = server.engine.description
    # One line that scripts wait for: `ready`, then addresses.
    address = host_and_port(settings.host, server.port)
    http = f" http={_http_address(server, settings)}" if server.http_port else ""
    typer.echo(
        f"ready grpc={address}{http} engine={engine.name} backend={engine.backend!r} "
        f"precision={engine.precision} workers="
        f"{settings.worker_count or server.engine.ready_workers}"
    )


def _http_address(server: "Server", settings: Settings) -> str:
    scheme = "https" if settings.tls_cert_file else "http"
    return f"{scheme}://{host_and_port(settings.host, server.http_port)}"
