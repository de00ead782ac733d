"""Redis away for 60 s and PostgreSQL for 30 s: is the policy kept, is all back within 5 s?

    python -m tests.faults.outage                      some five minutes
    python -m tests.faults.outage --redis 20 --postgresql 15

Each is away in two ways: connections are refused, and connections are silent. Callers go on
calling. The policy is that of docs/accounts.md, "When something is down". Ends with 1 if it was
not kept, if a good answer took longer, or if the validator finds anything.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx

from benchmarks.load.findings import Finding
from tests.faults.faults import Fault, proxy_fault
from tests.faults.probes import KINDS
from tests.faults.stage import Stage, production
from tests.faults.trial import BOUND_SECONDS, Trial, opened

CALM_SECONDS = 15.0
"""Before, between and after."""

NOTICED_SECONDS = 13.0
"""After which every server must have noticed: a charge waits 10 s, and probes come all the time."""

Policy = Callable[[Trial, float, float], Awaitable[list[str]]]


async def redis_policy(trial: Trial, began: float, ended: float) -> list[str]:
    """Return what is wrong: calls must pass, each server must say that it counts alone."""
    wrong: list[str] = []
    inside = [each for each in trial.probes.answered if began + 1 < each.began < ended - 5]
    if not {each.kind for each in inside} >= set(KINDS) - {"batch"}:
        wrong.append(f"only {len(inside)} calls were answered meanwhile")
    return wrong


async def database_policy(trial: Trial, began: float, ended: float) -> list[str]:
    """Return what is wrong: nothing may be given out that cannot be charged."""
    inside = [each for each in trial.probes.answered if began + 1 < each.began]
    early = [each for each in inside if each.ended < ended - 0.5]
    return [f"{len(early)} calls were answered though nothing could be charged"] if early else []


async def watched(trial: Trial, metric: str, wanted: float, seconds: float) -> float | None:
    """Return after how many seconds every server tells a value; None if they do not in time."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with suppress(httpx.TransportError):
            values = await trial.stage.metric(metric)
            if len(values) >= len(trial.stage.metrics) and set(values) == {wanted}:
                return time.monotonic() - began
        await asyncio.sleep(0.2)
    return None


async def outage(trial: Trial, what: str, word: str, seconds: float) -> None:
    """Take something away for a while, watch what the servers say, and judge."""
    redis = what == "redis"
    metric, down = ("ocr_limits_local{", 1.0) if redis else ("ocr_ledger_up ", 0.0)
    name = f"{'Redis' if redis else 'PostgreSQL'} {word}"
    hit = proxy_fault(f"proxy-{what}", {"refused": "refuse", "silent": "hang"}[word])
    began = time.monotonic()
    doing = asyncio.create_task(trial.do(Fault(name, hit, (seconds, seconds))))
    noticed = await watched(trial, metric, down, min(seconds, NOTICED_SECONDS))
    await doing
    ended = time.monotonic()
    said = await watched(trial, metric, 1 - down, 30.0)
    await asyncio.sleep(CALM_SECONDS)
    wrong = await (redis_policy if redis else database_policy)(trial, began, ended)
    if noticed is None:
        wrong.append(f"`{metric.strip('{ ')}` did not become {down:.0f} everywhere")
    if said is None or said > BOUND_SECONDS:
        wrong.append(f"`{metric.strip('{ ')}` took {said} s to become {1 - down:.0f} again")
    answered = trial.probes.recovery(began, ended)
    words = ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in sorted(answered.items()))
    late = f"after {noticed:.1f} s" if noticed is not None else "never"
    print(f"     {name}: noticed {late}; then answered again: {words}", flush=True)
    for each in wrong:
        trial.findings.append(Finding("policy", name, each))
        print(f"MISS policy: {name}: {each}")


async def schedule(trial: Trial, redis: float, postgresql: float) -> AsyncIterator[Fault]:
    """Take both away, in both ways; yield nothing, as all is done here."""
    await asyncio.sleep(CALM_SECONDS)
    for what, seconds in (("redis", redis), ("postgresql", postgresql)):
        for word in ("refused", "silent"):
            if seconds:
                await outage(trial, what, word, seconds)
    for fault in ():
        yield fault


async def run(folder: Path, redis: float, postgresql: float, seed: int = 1) -> Trial:
    """Run all of it in a folder."""
    stage: Stage
    async with (
        production(folder) as stage,
        opened(stage, seed, 3600, callers=6, calls_per_second=1.0) as trial,
    ):
        await trial.run(schedule(trial, redis, postgresql))
        return trial


def main() -> None:
    """Run, and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--redis", type=float, default=60, help="seconds; 0: not at all")
    parser.add_argument("--postgresql", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty folder for history, books and logs")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    folder = Path(tempfile.mkdtemp(prefix="ocr-faults-"))
    try:
        trial = asyncio.run(run(folder, arguments.redis, arguments.postgresql, arguments.seed))
    finally:
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            for path in [*folder.glob("*.log"), *folder.glob("*.json*")]:
                shutil.copy(path, arguments.keep)
        shutil.rmtree(folder, ignore_errors=True)
    if trial.findings:
        print(f"MISS {len(trial.findings)} findings")
        sys.exit(1)
    print("ok   the policy was kept, and all was back in time")


if __name__ == "__main__":
    main()
