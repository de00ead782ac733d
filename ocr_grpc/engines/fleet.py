"""The engine machines that the endpoints stand for now: they join and leave while we serve."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from ocr_grpc.engines.endpoints import Endpoint, Machine, find_machines
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.link import Link
from ocr_grpc.engines.remote_worker import RemoteWorker

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """Where engine machines are.

    Attributes:
        endpoints: their names.
        link: how to connect.
        resolve_seconds: how often the names are looked up again.
        silence_seconds: how long a machine may say nothing until its pages are read elsewhere; it
            speaks at least every `REPEAT_SECONDS`.
    """

    endpoints: tuple[Endpoint, ...]
    link: Link
    resolve_seconds: float = 5.0
    silence_seconds: float = 15.0


class Fleet:
    """Keeps one worker for each machine."""

    def __init__(
        self,
        settings: FleetSettings,
        may_join: Callable[[EngineDescription], str],
        on_change: Callable[[], None],
    ) -> None:
        """Make a fleet of nobody; `run` finds the machines. See `RemoteWorker` for the rest."""
        self._settings = settings
        self._may_join = may_join
        self._on_change = on_change
        self._machines: dict[Endpoint, frozenset[Machine]] = {}
        self._tasks: dict[RemoteWorker, asyncio.Task[None]] = {}
        self._unknown: set[Endpoint] = set()
        self._questions: dict[Endpoint, asyncio.Task[frozenset[Machine]]] = {}

    @property
    def workers(self) -> list[RemoteWorker]:
        """Return the workers, with those that only end their pages."""
        return list(self._tasks)

    @property
    def machines(self) -> dict[str, tuple[int, int]]:
        """Return by endpoint how many machines it stands for, and how many of them can read."""
        ready = {worker.machine.target for worker in self._tasks if worker.slots}
        found = {each: self._machines.get(each, frozenset()) for each in self._settings.endpoints}
        return {
            str(endpoint): (len(those), sum(machine.target in ready for machine in those))
            for endpoint, those in found.items()
        }

    @property
    def troubles(self) -> list[str]:
        """Return which machines are not there, and which names nobody knows."""
        absent = [f"{worker.machine}: {worker.trouble}" for worker in self._tasks if worker.trouble]
        unknown = sorted(f"{endpoint}: No machine has this name." for endpoint in self._unknown)
        return absent + unknown

    async def run(self) -> None:
        """Look the names up again and again, until cancelled."""
        try:
            while True:
                try:
                    await asyncio.gather(*map(self._look_up, self._settings.endpoints))
                    self._join_and_retire()
                except Exception:
                    # Nobody waits for this task: it would end unseen, and the fleet with it.
                    log.exception("engine_fleet_failed")
                await asyncio.sleep(self._settings.resolve_seconds)
        finally:
            tasks: list[asyncio.Task[Any]] = [*self._tasks.values(), *self._questions.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, endpoint: Endpoint) -> None:
        # A question that hangs holds a thread, even when nobody waits for it: no second one then.
        question = self._questions.pop(endpoint, None) or asyncio.create_task(
            find_machines(endpoint)
        )
        await asyncio.wait({question}, timeout=self._settings.resolve_seconds)
        if not question.done():
            self._questions[endpoint] = question
            return
        try:
            found = question.result()
        except OSError:
            # Whoever was there may still be: it is the name service that is not.
            found = self._machines.get(endpoint, frozenset())
        except Exception:
            # One endpoint must not keep the others from being looked up.
            log.exception("engine_endpoint_failed", endpoint=str(endpoint))
            found = self._machines.get(endpoint, frozenset())
        self._machines[endpoint] = found
        if not found and endpoint not in self._unknown:
            log.error("engine_endpoint_unknown", endpoint=str(endpoint))
        (self._unknown.discard if found else self._unknown.add)(endpoint)

    def _join_and_retire(self) -> None:
        # A machine that two names stand for is one.
        wanted = {m.target: m for found in self._machines.values() for m in sorted(found, key=str)}
        for worker, task in list(self._tasks.items()):
            if wanted.get(worker.machine.target) == worker.machine and not worker.retired:
                del wanted[worker.machine.target]
                continue
            worker.retire()
            if not worker.in_flight:
                task.cancel()
                del self._tasks[worker]
        for machine in wanted.values():
            worker = RemoteWorker(
                machine,
                self._settings.link,
                self._settings.silence_seconds,
                self._may_join,
                self._on_change,
            )
            self._tasks[worker] = asyncio.create_task(worker.run())
