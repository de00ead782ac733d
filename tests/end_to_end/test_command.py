"""The command line against a real server process, as a person uses both."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.processes import COMMAND, environment, serve
from tests.support import NO_DOCUMENT, encoded, image_pdf, picture, text_pdf

NULL_TEXT = "null line 1\nnull line 2\nnull line 3\nnull line 4\n"


def extract(folder: Path, address: str, *arguments: str, **keywords):
    return subprocess.run(
        [COMMAND, "extract", "--address", address, *arguments],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
        **keywords,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command")
    (folder / "scan.png").write_bytes(encoded(picture()))
    (folder / "scans.pdf").write_bytes(image_pdf([picture()] * 3))
    (folder / "text.pdf").write_bytes(text_pdf(3, 2))
    (folder / "program").write_bytes(NO_DOCUMENT)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with serve(folder) as (_, address):
        yield address


def test_text_goes_to_stdout_page_by_page(folder, address):
    run = extract(folder, address, "scans.pdf")
    assert run.stdout.decode() == "\f".join([NULL_TEXT] * 3)
    assert run.returncode == 0
    assert run.stderr == b""


def test_standard_input_and_several_files(folder, address):
    run = extract(folder, address, "-", "scan.png", input=(folder / "scan.png").read_bytes())
    assert run.stdout.decode() == NULL_TEXT * 2
    assert run.returncode == 0


@pytest.mark.parametrize("mode", ["text-layer-only", "TEXT_LAYER_ONLY", "MODE_TEXT_LAYER_ONLY"])
def test_options_reach_the_server(folder, address, mode):
    run = extract(folder, address, "text.pdf", "--mode", mode, "--pages", "2-")
    assert run.stdout.decode().startswith("Page 2, line 0: the quick brown fox.\n")
    assert run.stdout.decode().count("\f") == 1


def test_ndjson_is_every_event_with_the_names_of_the_proto(folder, address):
    run = extract(folder, address, "scan.png", "--output", "ndjson")
    events = [json.loads(line) for line in run.stdout.decode().splitlines()]
    assert [event.pop("sequence") for event in events] == list(range(1, 9))
    kinds = [next(iter(event)) for event in events]
    assert kinds == ["started", "page_started", *["delta"] * 4, "page_finished", "finished"]
    assert events[-2]["page_finished"]["outcome"] == "PAGE_OUTCOME_OK"


def test_json_is_one_document(folder, address):
    run = extract(folder, address, "scans.pdf", "--output", "json")
    document = json.loads(run.stdout)
    assert [page["page_number"] for page in document["pages"]] == [1, 2, 3]
    assert document["usage"]["pages"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["program"], 1, "program: UNKNOWN_FORMAT: "),
        (["missing.pdf"], 1, "missing.pdf: No such file or directory"),
        (["text.pdf", "--pages", "9"], 1, "PAGE_OUT_OF_RANGE: "),
        (["text.pdf", "--mode", "magic"], 2, "is none of auto, force-ocr, text-layer-only"),
    ],
)
def test_the_exit_code_and_stderr_tell_what_failed(folder, address, arguments, code, said):
    run = extract(folder, address, *arguments)
    assert run.returncode == code
    assert said in run.stderr.decode()
    assert b"Traceback" not in run.stderr


def test_a_failure_among_several_files_does_not_stop_the_others(folder, address):
    run = extract(folder, address, "program", "scan.png")
    assert run.stdout.decode() == NULL_TEXT
    assert run.returncode == 1


def test_an_unreachable_server_is_said_so(folder):
    run = extract(folder, "127.0.0.1:1", "scan.png")
    assert run.returncode == 1
    assert b"UNAVAILABLE" in run.stderr


def test_a_wrong_setting_is_named_at_the_start(folder):
    run = subprocess.run(
        [COMMAND, "serve"],
        env=environment(folder, GRPC_PORT="many"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert b"GRPC_PORT: Input should be a valid integer" in run.stderr
    assert b"Traceback" not in run.stderr


def test_a_second_server_on_the_same_folder_is_refused(folder, address):
    run = subprocess.run(
        [COMMAND, "serve"],
        env=environment(folder),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert b"Another server uses" in run.stderr


def test_a_taken_port_is_said_so(folder, address):
    run = subprocess.run(
        [COMMAND, "serve"],
        env=environment(folder, GRPC_PORT=address.split(":")[1], DATA_DIR=str(folder / "other")),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert b"Cannot listen on" in run.stderr


def test_sigterm_lets_a_running_document_finish_and_ends_with_zero(folder, tmp_path):
    pages = image_pdf([picture()] * 40)
    (tmp_path / "long.pdf").write_bytes(pages)
    with serve(tmp_path) as (process, address):
        with subprocess.Popen(
            [COMMAND, "extract", "--address", address, "long.pdf", "--output", "ndjson"],
            env=environment(tmp_path),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        ) as call:
            assert "started" in json.loads(call.stdout.readline())
            process.send_signal(signal.SIGTERM)
            last = call.communicate(timeout=60)[0].splitlines()[-1]
        assert json.loads(last)["finished"]["pages_ok"] == 40
        assert process.wait(timeout=20) == 0
    assert not list((tmp_path / "data" / "spool").iterdir())


def test_sigterm_before_it_is_ready_is_heard(tmp_path):
    process = subprocess.Popen(
        [COMMAND, "serve"],
        env=environment(tmp_path, ENGINE="ppocr"),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    spool = tmp_path / "data" / "spool"
    deadline = time.monotonic() + 10
    while not (spool.exists() and list(spool.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert not list(spool.iterdir())


@pytest.mark.parametrize("name", ["a folder#b%20ü", "x" * 120], ids=["signs", "long"])
def test_any_data_folder_will_do(tmp_path, name):
    with serve(tmp_path, DATA_DIR=str(tmp_path / name)) as (_, address):
        (tmp_path / "scan.png").write_bytes(encoded(picture()))
        assert extract(tmp_path, address, "scan.png").returncode == 0
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o700


def test_what_a_killed_server_left_behind_is_removed_by_the_next(tmp_path):
    with serve(tmp_path) as (process, _):
        process.kill()
        process.wait()
        left = list((tmp_path / "data" / "spool").iterdir())
        assert left
        # Its children die with it: nobody else would end them.
        deadline = time.monotonic() + 5
        while orphans(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not orphans(tmp_path)
    with serve(tmp_path):
        assert not set(left) & set((tmp_path / "data" / "spool").iterdir())


def orphans(folder: Path) -> list[str]:
    """Return the command lines of processes that work in this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def test_the_log_has_one_json_line_a_call_and_no_text_of_the_document(folder, address):
    extract(folder, address, "text.pdf")
    lines = (folder / "serve.log").read_text().splitlines()
    calls = [json.loads(line) for line in lines if '"event": "call"' in line]
    assert calls[-1]["status"] == "OK"
    assert calls[-1]["pages"] == 3
    assert {"method", "duration_ms", "request_id", "caller"} <= set(calls[-1])
    assert "quick brown" not in "".join(lines)
