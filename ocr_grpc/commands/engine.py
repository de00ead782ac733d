"""`ocr-grpc engine`: runs engine workers for servers on other machines."""

import asyncio

import typer
import uvloop

from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.processes import give_memory_back, hide_memory
from ocr_grpc.settings import Settings, SettingsError, host_and_port, load_settings
from ocr_grpc.wiring.engine_machine import EngineMachine
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.telemetry import telemetry


def engine() -> None:
    """Run engine workers for servers on other machines, until told to stop.

    SIGTERM or Ctrl-C lets running pages end. Servers name this machine in ENGINE_ENDPOINTS.
    Settings come from the environment and from .env; .env.example lists them.
    """
    try:
        settings = load_settings()
        with telemetry(settings, "engine"):
            hide_memory()
            give_memory_back()
            uvloop.run(_engine(settings))
    except (SettingsError, CannotServe, EngineUnavailable) as error:
        typer.echo(f"ocr-grpc: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, SettingsError) else 1) from None


async def _engine(settings: Settings) -> None:
    machine = EngineMachine(settings)
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    ready.add_done_callback(lambda done: None if done.cancelled() else _announce(machine, settings))
    await machine.run(ready)


def _announce(machine: EngineMachine, settings: Settings) -> None:
    description = machine.pool.description
    # One line that scripts wait for: `ready`, then the address.
    typer.echo(
        f"ready engine={description.name} address="
        f"{host_and_port(settings.engine_host, machine.port)} backend={description.backend!r} "
        f"precision={description.precision} workers={machine.pool.size} "
        f"metrics={host_and_port(settings.host, machine.metrics_port)}"
    )
