"""A minute of what `python -m tests.faults` does for twenty."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.faults import FAULTS, Fault
from tests.faults.probes import KINDS
from tests.faults.stage import production
from tests.faults.trial import Trial, opened

FEW = ["kill engine worker", "Redis cut off", "kill reader", "PostgreSQL cut off", "kill serve"]
BETWEEN_SECONDS, SHORT_SECONDS = 4.0, 3.0


async def few_faults() -> AsyncIterator[Fault]:
    """Yield a few faults, one after the other; each is over before the next."""
    known = {fault.name: fault for fault in FAULTS}
    for name in FEW:
        await asyncio.sleep(BETWEEN_SECONDS)
        fault = known[name]
        seconds = (SHORT_SECONDS, SHORT_SECONDS) if fault.seconds[1] else (0.0, 0.0)
        yield Fault(fault.name, fault.hit, seconds)


async def tried(folder) -> Trial:
    async with (
        production(folder) as stage,
        opened(stage, seed=3, seconds=600, callers=4, calls_per_second=2.0) as trial,
    ):
        await trial.run(few_faults())
        return trial


@pytest.mark.timeout(600)  # some twelve processes start, and one of them twice
async def test_callers_lose_nothing_and_pay_once_while_things_break(folder):
    trial = await tried(folder)
    assert len(trial.happened) == len(FEW)
    # How long anybody took is not judged: a test may run on a slow machine.
    assert [str(each) for each in trial.findings if each.rule != "recovery"] == []
    assert {each.kind for each in trial.probes.answered} == set(KINDS)
