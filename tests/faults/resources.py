"""Whether memory, descriptors and threads of the service stay level while it is under load.

Each five seconds all processes of each role are counted together: resident memory in proportion to
how many share it (PSS), descriptors, threads, processes. What is judged is the second half of the
run, when all is warm: its slope, as the median of the slopes between all pairs of samples (Theil
and Sen), which a few samples amid a restart do not move. A role may grow by
`GROWTH` of its median, or by the amount in `SLACK`, in ten minutes.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.faults.parts import Part

SAMPLE_SECONDS = 5.0
HORIZON_SECONDS = 600.0

GROWTH = 0.10
SLACK = {"memory_mib": 24.0, "descriptors": 24.0, "threads": 12.0, "processes": 3.0}
"""What a role may grow in ten minutes, whatever its size: some idle readers come and go."""

LEAST_SAMPLES = 60
"""Five minutes: what is shorter says nothing of ten."""

OURS = ("serve", "engine", "worker", "envoy")
"""Roles that are judged; the others are of the trial."""


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the growth per second of (seconds, value) points, after Theil and Sen.

    Source: Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, JASA 1968.
    """
    pairs = itertools.combinations(points, 2)
    slopes = [(there - here) / (then - now) for (now, here), (then, there) in pairs if then > now]
    return statistics.median(slopes) if slopes else 0.0


@dataclass(frozen=True)
class Level:
    """How one figure of one role went."""

    role: str
    what: str
    median: float
    growth: float
    """In ten minutes, by the slope of the second half."""
    bound: float

    @property
    def good(self) -> bool:
        """Whether it stayed level."""
        return self.growth <= self.bound

    def __str__(self) -> str:
        return (
            f"{self.role} {self.what}: median {self.median:.0f}, {self.growth:+.1f} in ten "
            f"minutes (bound {self.bound:.0f})"
        )


@dataclass
class Resources:
    """Samples of all roles. `run` it beside the load."""

    parts: Sequence[Part]
    samples: list[tuple[float, str, dict[str, float]]] = field(
        default_factory=list[tuple[float, str, dict[str, float]]]
    )

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            self.samples += await asyncio.to_thread(self._sample)
            await asyncio.sleep(SAMPLE_SECONDS)

    def levels(self) -> list[Level]:
        """Return how every figure went; none if the run was too short to tell."""
        found: list[Level] = []
        for role in sorted({role for _, role, _ in self.samples}):
            own = [(at, values) for at, each, values in self.samples if each == role]
            half = own[len(own) // 2 :]
            if len(half) < LEAST_SAMPLES:
                continue
            for what, slack in SLACK.items():
                points = [(at, values[what]) for at, values in half]
                median = statistics.median(value for _, value in points)
                bound = max(slack, GROWTH * median)
                found.append(Level(role, what, median, slope(points) * HORIZON_SECONDS, bound))
        return found

    def _sample(self) -> list[tuple[float, str, dict[str, float]]]:
        sums: dict[str, dict[str, float]] = {}
        for part in self.parts:
            if part.role in OURS:
                values = sums.setdefault(part.role, dict.fromkeys(SLACK, 0.0))
                for process in part.members():
                    _add(values, process)
        now = time.monotonic()
        return [(now, role, values) for role, values in sums.items()]


def _add(values: dict[str, float], process: psutil.Process) -> None:
    with suppress(psutil.Error, OSError, ValueError):
        memory, descriptors = _pss(process), process.num_fds()
        values["threads"] += process.num_threads()
        values["memory_mib"] += memory / 2**20
        values["descriptors"] += descriptors
        values["processes"] += 1


def _pss(process: psutil.Process) -> int:
    """Return the memory of a process, what it shares with others in proportion, in bytes."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return process.memory_info().rss
