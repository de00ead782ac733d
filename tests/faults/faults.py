"""What can be done to a stage: each fault is a function that breaks something and mends it again.

A fault returns when it is over: when what was broken may work again. Processes that were killed
start again at once; how long that takes is a part of the recovery.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from tests.faults.stage import Stage

PAUSE_SECONDS = 5.0
READERS, WORKERS = "ocr_grpc.documents.child", "ocr_grpc.engines.worker"
FILLER = "filler"

Hit = Callable[[Stage, random.Random, float], Awaitable[str]]


@dataclass(frozen=True)
class Fault:
    """One thing that can be done.

    Attributes:
        name: for people.
        hit: does it; takes the stage, dice, and for how many seconds; returns whom it hit.
        seconds: the least and the most that it lasts; 0 for what is done in a moment.
        weight: how often it is chosen, beside others.
        needs: the role of a part, or the small disk, without which it cannot be done.
    """

    name: str
    hit: Hit
    seconds: tuple[float, float] = (0.0, 0.0)
    weight: int = 2
    needs: str = ""


def _signal(role: str, number: signal.Signals) -> Hit:
    async def hit(stage: Stage, dice: random.Random, _: float) -> str:
        part = dice.choice(stage.of_role(role))
        part.send(number)
        return part.name

    return hit


def _pause(role: str) -> Hit:
    async def hit(stage: Stage, dice: random.Random, seconds: float) -> str:
        part = dice.choice(stage.of_role(role))
        process = part.process
        part.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        if process is part.process:
            part.send(signal.SIGCONT)
        return part.name

    return hit


def _child(word: str, number: signal.Signals) -> Hit:
    """Signal one of the processes that a part keeps; a stopped one goes on after the fault."""

    async def hit(stage: Stage, dice: random.Random, seconds: float) -> str:
        owners = [*stage.of_role("serve"), *stage.of_role("engine"), *stage.of_role("worker")]
        found = [(part.name, child) for part in owners for child in part.children(word)]
        if not found:
            return "nobody"
        name, child = dice.choice(found)
        with suppress(psutil.NoSuchProcess):
            child.send_signal(number)
            if number is signal.SIGSTOP:
                await asyncio.sleep(seconds)
                child.send_signal(signal.SIGCONT)
        return f"{word.rpartition('.')[2]} of {name}"

    return hit


async def kill_own_envoy(stage: Stage, dice: random.Random, _: float) -> str:
    """Kill the Envoy that a server started, or the one that stands before all."""
    for part in stage.of_role("envoy"):
        part.send(signal.SIGKILL)
        return part.name
    for part in stage.of_role("serve"):
        for child in part.children("--disable-hot-restart"):
            child.kill()
            return f"envoy of {part.name}"
    return "nobody"


def proxy_fault(name: str, word: str) -> Hit:
    async def hit(stage: Stage, _: random.Random, seconds: float) -> str:
        part = stage.parts[name]
        await part.say(word)
        await asyncio.sleep(seconds)
        await part.say("pass")
        return f"{seconds:.0f} s"

    return hit


def _frozen_database() -> Hit:
    async def hit(stage: Stage, _: random.Random, seconds: float) -> str:
        postmaster = psutil.Process(stage.postgresql.get_pid())
        for each in (postmaster, *postmaster.children(recursive=True)):
            each.suspend()
        await asyncio.sleep(seconds)
        for each in (postmaster, *postmaster.children(recursive=True)):
            each.resume()
        return f"{seconds:.0f} s"

    return hit


async def crash_database(stage: Stage, _: random.Random, seconds: float) -> str:
    """End PostgreSQL at once, as a crash does, and start it again after a while."""
    os.kill(stage.postgresql.get_pid(), signal.SIGQUIT)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(stage.postgresql.ensure_postgres_running)
    return f"{seconds:.0f} s"


def _model(word: str) -> Hit:
    async def hit(stage: Stage, _: random.Random, seconds: float) -> str:
        stage.mode_file.write_text(word)
        await asyncio.sleep(seconds)
        stage.mode_file.write_text("good")
        return f"{seconds:.0f} s"

    return hit


def _full_disk(what: str) -> Hit:
    async def hit(stage: Stage, _: random.Random, seconds: float) -> str:
        filler = stage.small_disks[what] / FILLER
        fill(filler)
        try:
            await asyncio.sleep(seconds)
        finally:
            filler.unlink()
        return f"{seconds:.0f} s"

    return hit


def fill(path: "os.PathLike[str]") -> None:
    """Write until not one more byte fits."""
    with suppress(OSError), open(path, "wb", buffering=0) as file:  # noqa: PTH123 - any path
        for size in (2**20, 2**12, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


DATABASE, REDIS = "proxy-postgresql", "proxy-redis"
KILL, TERM, STOP = signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP
PAUSE = (PAUSE_SECONDS, PAUSE_SECONDS)
LONG = (5.0, 12.0)
"""Shorter than what is between two faults, so that two outages do not meet."""

FAULTS = [
    Fault("kill serve", _signal("serve", KILL), weight=4),
    Fault("end serve", _signal("serve", TERM)),
    Fault("pause serve", _pause("serve"), PAUSE),
    Fault("kill engine machine", _signal("engine", KILL), needs="engine"),
    Fault("pause engine machine", _pause("engine"), PAUSE, needs="engine"),
    Fault("kill batch worker", _signal("worker", KILL), weight=3, needs="worker"),
    Fault("end batch worker", _signal("worker", TERM), weight=1, needs="worker"),
    Fault("pause batch worker", _pause("worker"), PAUSE, needs="worker"),
    Fault("kill engine worker", _child(WORKERS, KILL)),
    Fault("pause engine worker", _child(WORKERS, STOP), PAUSE, weight=1),
    Fault("kill reader", _child(READERS, KILL)),
    Fault("pause reader", _child(READERS, STOP), PAUSE, weight=1),
    Fault("kill envoy", kill_own_envoy),
    Fault("pause envoy", _pause("envoy"), PAUSE, weight=1, needs="envoy"),
    Fault("kill model", _signal("upstream", KILL), weight=1),
    Fault("model: errors", _model("errors"), LONG, weight=1),
    Fault("model: hangs", _model("hang"), LONG, weight=1),
    Fault("model: garbage", _model("garbage"), LONG, weight=1),
    Fault("model: slow", _model("slow"), LONG, weight=1),
    Fault(
        "PostgreSQL cut off", proxy_fault("proxy-postgresql", "refuse"), LONG, 3, "proxy-postgresql"
    ),
    Fault(
        "PostgreSQL silent", proxy_fault("proxy-postgresql", "hang"), LONG, 2, "proxy-postgresql"
    ),
    Fault("PostgreSQL frozen", _frozen_database(), LONG, 1, "proxy-postgresql"),
    Fault("PostgreSQL crashes", crash_database, (1.0, 8.0), 2, "proxy-postgresql"),
    Fault("Redis cut off", proxy_fault("proxy-redis", "refuse"), LONG, 2, "proxy-redis"),
    Fault("Redis silent", proxy_fault("proxy-redis", "hang"), LONG, 2, "proxy-redis"),
    Fault("Redis killed", _signal("redis", KILL), weight=2, needs="redis"),
    Fault("disk of serve full", _full_disk("serve-1"), (4.0, 8.0), 2, "disk serve-1"),
    Fault("disk of documents full", _full_disk("blobs"), (4.0, 8.0), 2, "disk blobs"),
]


def faults_of(stage: Stage) -> tuple[list[Fault], list[Fault]]:
    """Return what can be done to a stage, and what cannot, for want of parts or rights to mount."""
    there = {part.role for part in stage.parts.values()} | set(stage.parts) | {""}
    there |= {f"disk {name}" for name in stage.small_disks}
    can = [fault for fault in FAULTS if fault.needs in there]
    return can, [fault for fault in FAULTS if fault.needs not in there]
