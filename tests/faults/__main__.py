"""Breaks a service under load again and again, and says what was wrong with what callers saw.

    python -m tests.faults --minutes 20 --every 20
    python -m tests.faults --minutes 5 --shape embedded --seed 7 --keep FOLDER

Ends with 1 if anything was. docs/faults.md says what is broken and what is checked.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.faults.faults import faults_of
from tests.faults.stage import SHAPES
from tests.faults.trial import Trial, opened, random_faults


async def soak(folder: Path, arguments: argparse.Namespace) -> Trial:
    """Run a trial in a folder."""
    seconds = arguments.minutes * 60
    async with (
        SHAPES[arguments.shape](folder, arguments.engine) as stage,
        opened(stage, arguments.seed, seconds + 600, arguments.callers, arguments.rate) as trial,
    ):
        for fault in faults_of(stage)[1]:
            print(f"     left out: {fault.name}, as {fault.needs} is not there")
        await trial.run(random_faults(trial, seconds, arguments.every))
        return trial


def main() -> None:
    """Run a trial and judge it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--every", type=float, default=20, help="seconds between two faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", choices=list(SHAPES), default="production")
    parser.add_argument("--engine", choices=["null", "ppocr"], default="null")
    parser.add_argument("--callers", type=int, default=12)
    parser.add_argument("--rate", type=float, default=3, help="calls a second of all callers")
    parser.add_argument("--keep", type=Path, help="an empty folder for history, books and logs")
    arguments = parser.parse_args()
    # As by the keyboard: what was started and mounted goes again.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    # Short: sockets are below it, and their paths have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="ocr-faults-"))
    try:
        trial = asyncio.run(soak(folder, arguments))
    finally:
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            for path in [*folder.glob("*.log"), *folder.glob("*.json*")]:
                shutil.copy(path, arguments.keep)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"     {len(trial.happened)} faults, seed {arguments.seed}")
    if trial.findings:
        print(f"MISS {len(trial.findings)} findings")
        sys.exit(1)
    print("ok   nothing lost, nothing counted twice, nothing left behind")


if __name__ == "__main__":
    main()
