"""A process that is told to end ends, whatever hangs in it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, sys
from ocr_grpc.wiring.until_stopped import run_until_stopped

class Hanging:
    async def start(self):
        try:
            await self.hang_in("start")
        finally:
            await self.hang_in("given up")

    async def stop(self):
        await self.hang_in("stop")

    async def hang_in(self, what):
        print(what, flush=True)
        if what in sys.argv[2].split(","):
            await asyncio.sleep(300)

asyncio.run(run_until_stopped(Hanging(), float(sys.argv[1])))
"""


@pytest.mark.parametrize("hangs", ["start,given up", "stop"])
@pytest.mark.parametrize(("most_seconds", "signals"), [(0.1, 1), (200, 2)])
def test_a_second_signal_or_the_time_ends_it(hangs, most_seconds, signals):
    command = [sys.executable, "-c", PROGRAM, str(most_seconds), hangs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        said = iter(process.stdout)
        steps = ["start", "given up"] if "start" in hangs else ["start", "given up", "stop"]
        try:
            first = steps[:-1]
            assert [next(said).strip() for _ in first] == first
            process.send_signal(signal.SIGTERM)
            assert next(said).strip() == steps[-1]
            if signals == 2:
                process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 1
        finally:
            process.kill()
