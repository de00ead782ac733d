"""`ocr-grpc worker`: reads batches that servers take in."""

import asyncio

import typer
import uvloop

from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.processes import give_memory_back, hide_memory, keep_modules_from_collections
from ocr_grpc.settings import Settings, SettingsError, host_and_port, load_settings
from ocr_grpc.store.errors import DatabaseUnavailable
from ocr_grpc.wiring.batch_worker import BatchWorker
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.telemetry import telemetry


def worker() -> None:
    """Read batches of servers on other machines, until told to stop.

    DATABASE_URL, SECRET_KEY and BLOB_URL are those of the servers. SIGTERM or Ctrl-C gives back
    what was not read yet, for others to go on with.
    Settings come from the environment and from .env; .env.example lists them.
    """
    try:
        settings = load_settings()
        with telemetry(settings, "worker"):
            hide_memory()
            give_memory_back()
            keep_modules_from_collections()
            uvloop.run(_worker(settings))
    except (SettingsError, CannotServe, EngineUnavailable, DatabaseUnavailable) as error:
        typer.echo(f"ocr-grpc: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, SettingsError) else 1) from None


async def _worker(settings: Settings) -> None:
    worker = BatchWorker(settings)
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    ready.add_done_callback(lambda done: None if done.cancelled() else _announce(worker, settings))
    await worker.run(ready)


def _announce(worker: BatchWorker, settings: Settings) -> None:
    engine = worker.engine.description
    # One line that scripts wait for.
    typer.echo(
        f"ready worker slots={settings.batch_chunks} engine={engine.name} "
        f"backend={engine.backend!r} precision={engine.precision} "
        f"workers={settings.worker_count or worker.engine.ready_workers} "
        f"metrics={host_and_port(settings.host, worker.metrics_port)}"
    )
