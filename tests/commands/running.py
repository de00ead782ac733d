"""Runs a command in this process, which saves the time of starting one."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from ocr_grpc.cli import main


@dataclass
class Ran:
    """What came of a command."""

    code: int
    stdout: str
    stderr: str


def run_command(*words: str) -> Ran:
    """Run `ocr-grpc` with these words."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    stderr = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["ocr-grpc", *words])
        ended = pytest.raises(SystemExit)
        with redirect_stdout(stdout), redirect_stderr(stderr), ended as end:
            main()
    printed = stdout.buffer.getvalue().decode()
    return Ran(int(end.value.code or 0), printed, stderr.getvalue())
