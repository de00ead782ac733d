"""Runs a program inside the sandbox of a reader, to see what it can do there."""

import json
import os
import subprocess
import sys

from ocr_grpc.documents.formats import Family

BEFORE = """
import json, os, socket, subprocess, sys
from pathlib import Path
from ocr_grpc.documents import child_families, sandbox
from ocr_grpc.documents.formats import Family

family, arguments = Family(sys.argv[1]), sys.argv[3:]
programs = child_families.programs_of(family)
limits = sandbox.SandboxLimits(2**31, 10**6)
outcomes = {}

def attempt(name, act):
    try:
        outcome = act()
    except Exception as error:
        outcomes[name] = type(error).__name__
    else:
        outcomes[name] = outcome if isinstance(outcome, (str, int, list)) else "worked"
"""
AFTER = """
print(json.dumps(outcomes))
"""


def run_inside(
    family: Family, program: str, *arguments: object, before: str = "", **options
) -> dict[str, object]:
    """Return what became of each `attempt(name, function)` in `program`; see `BEFORE`.

    Args:
        family: whose sandbox it is.
        program: what to try inside.
        arguments: what it finds in `arguments`.
        before: what it does before the sandbox closes.
        options: for `subprocess.run`.
    """
    enter = "layers = sandbox.enter(family, limits, int(sys.argv[2]), programs)\n"
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-c", BEFORE + before + "\n" + enter + program + AFTER),
            *(family.value, str(os.getpid()), *map(str, arguments)),
        ],
        capture_output=True,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
        timeout=60,
        **options,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.decode().splitlines()[-1])
