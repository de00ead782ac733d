import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from ocr_grpc.telemetry.logs import configure_logs

configure_logs({form!r}, "info")

def sign_in(password):
    raise ValueError("something else")

try:
    sign_in("correct horse battery")
except ValueError:
    structlog.get_logger().exception("unexpected_error")
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_values_of_variables(form):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(form=form)], capture_output=True, text=True
    )
    assert "something else" in run.stderr
    assert "sign_in" in run.stderr
    assert "correct horse" not in run.stderr.replace('sign_in("correct horse battery")', "")
