"""A connect-web client, as pages have it, under Node."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ocr_grpc.v1 import ocr_service_pb2 as pb
from tests.end_to_end.test_http_doors import GRPC_WEB, web_call
from tests.sidecar.calls import door
from tests.support import encoded, picture

WEB = Path(__file__).parents[2] / "clients" / "web"
CLIENT = Path(__file__).with_name("connect_client.ts")
MODULES = WEB / "node_modules"
STUBS = WEB / "src" / "gen"
HANGING = encoded(picture(first_pixel=0))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The client as one file that Node runs."""
    for missing, there in (
        ("Node", shutil.which("node")),
        ("clients/web/node_modules", (MODULES / ".bin" / "rolldown").exists()),
        ("clients/web/src/gen", STUBS.exists()),
    ):
        if not there:
            assert not os.environ.get("CI"), f"{missing} is missing; `make web` makes it, with Node"
            pytest.skip(f"{missing} is missing; `make web` makes it, with Node")
    folder = tmp_path_factory.mktemp("connect")
    shutil.copy(CLIENT, folder)
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "gen").symlink_to(STUBS)
    bundle = folder / "client.mjs"
    command = [MODULES / ".bin" / "rolldown", CLIENT.name, "--platform", "node"]
    options = ["--format", "esm", "--file", bundle.name, "--preserve-symlinks"]
    subprocess.run([*command, *options], cwd=folder, check=True, capture_output=True, timeout=60)
    return bundle


@pytest.fixture(scope="module")
def found(program, tmp_path_factory):
    """What the client saw; the page it reads never ends."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "page.png").write_bytes(HANGING)
    with door(folder, ENGINE="hang", ENGINE_WORKERS="2") as client:
        run = subprocess.run(
            ["node", program, str(client.base_url), folder / "page.png"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        page = pb.ExtractRequest(content=HANGING).SerializeToString()
        cut = web_call(client, "Extract", page, **{"grpc-timeout": "300m"})
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout) | {"cut": cut}


def test_a_call_is_answered(found):
    assert found["engine"] == "hang"


def test_events_arrive_while_the_page_is_read_and_hanging_up_ends_the_call(found):
    assert found["hungUp"] == {
        "kinds": ["started", "pageStarted", "delta"],
        "code": "Canceled",
    }


def test_errors_have_their_code_and_their_details(found):
    assert found["refused"] == {"code": "InvalidArgument", "reason": "EMPTY_DOCUMENT"}


def test_a_stream_that_fails_has_its_last_event_and_its_status(found):
    assert found["streamed"] == {
        "kinds": ["failed"],
        "code": "InvalidArgument",
        "reason": "EMPTY_DOCUMENT",
    }


def test_a_deadline_is_kept(found):
    assert found["late"]["code"] == "DeadlineExceeded"


def test_a_deadline_that_envoy_keeps_is_no_call_to_try_again(found):
    answer = found["cut"]
    assert (answer.status_code, answer.headers["grpc-status"]) == (200, "4")
    assert answer.headers["content-type"] == GRPC_WEB
    assert answer.content == b""
