"""What stands in logs, and what never does: of processes as they are run."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import grpc.aio
import pytest

from ocr_grpc.telemetry.scrubbing import HIDDEN, MAX_CHARS, scrubbed
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from tests.people import ADMIN_PASSWORD, House, bearer
from tests.processes import serve
from tests.support import (
    FORCE_OCR,
    NO_DOCUMENT,
    collect,
    encoded,
    picture,
    refusal,
    text_pdf,
    upload,
)
from tests.telemetry.sentry import receiving

KEY = "ocr_" + "A1b2" * 8 + "Zz09zz"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl-_"

PROGRAM = """
import structlog
from ocr_grpc.telemetry.logs import configure_logs

configure_logs({form!r}, "info")

def sign_in(password):
    raise ValueError("something else for key {key}")

try:
    sign_in("correct horse battery")
except ValueError:
    structlog.get_logger().exception("unexpected_error")
"""

LIBRARIES = """
import asyncio, gc, logging, warnings
from ocr_grpc.telemetry.logs import configure_logs

configure_logs("json", "debug")
logging.getLogger("httpx").info("POST https://host/v1?key=canary")
logging.getLogger("openai").debug("Request options: %s", dict(json="canary"))
logging.getLogger("sqlalchemy.pool").warning("lost %s", "postgresql://ann:canary@host/ocr")
logging.getLogger("grpc").error("broken", extra=dict(authorization="Bearer canary"))
logging.getLogger("x").error("%d", "no number canary")
warnings.warn("an old way")

async def lost():
    raise LookupError("gone")

async def main():
    asyncio.create_task(lost())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()

asyncio.run(main())
"""


def run(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert not ran.stdout
    return ran.stderr


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_values_of_variables_and_no_key(form):
    log = run(PROGRAM.format(form=form, key=KEY))
    assert "something else" in log
    assert "sign_in" in log
    assert "correct horse" not in log.replace('sign_in("correct horse battery")', "")
    assert KEY not in log


TERMINAL = """
import logging, structlog
from ocr_grpc.telemetry.logs import configure_logs

configure_logs({form!r}, "info")
bad = "a\\x1b]0;title\\x07b\\x9b2Jc\\rd\\ne\\u202ef\\u2028g \u00e4\u4e2d"
log = structlog.get_logger()
log.warning("event " + bad, value=bad, nested=[bad, {{bad: bad}}], **{{bad: 1}})
logging.getLogger("grpc").error("library %s", bad)
try:
    raise ValueError(bad)
except ValueError:
    log.exception("unexpected_error")
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_value_gives_orders_to_a_terminal_or_looks_like_another_line(form):
    log = run(TERMINAL.format(form=form))
    assert "\u00e4\u4e2d" in log  # what can be read stays as it is
    lines = log.split("\n")
    if form == "console":
        log = re.sub("\x1b\\[[0-9;]*m", "", log)  # our own colours
        assert not set(log) - {"\n", "\t"} & {*map(chr, [*range(32), *range(127, 160)])}
        assert not set(log) & {"\u202e", "\u2028"}
        assert "\\x1b]0;title\\x07b\\x9b2Jc\\rd\\ne\\u202ef\\u2028g" in lines[0]
        assert "ValueError" in log
        assert sum("Traceback" in line for line in lines) == 1
    else:
        assert len([json.loads(line) for line in lines if line]) == 3
        assert "\x1b" not in log


def test_libraries_log_as_we_do_but_not_what_they_are_asked():
    log = run(LIBRARIES)
    lines = [json.loads(line) for line in log.splitlines()]
    assert "canary" not in log
    by_logger = {line["logger"]: line for line in lines}
    assert set(by_logger) == {"sqlalchemy.pool", "grpc", "py.warnings", "asyncio"}
    assert by_logger["sqlalchemy.pool"]["event"] == f"lost postgresql://{HIDDEN}@host/ocr"
    assert by_logger["sqlalchemy.pool"]["level"] == "warning"
    assert by_logger["grpc"]["authorization"] == HIDDEN
    assert "LookupError: gone" in by_logger["asyncio"]["exception"]
    assert all(line["timestamp"] for line in lines)


@pytest.mark.parametrize(
    ("shown", "scrubbed_to"),
    [
        ({"authorization": "Basic YTpi"}, {"authorization": HIDDEN}),
        ({"x-api-key": "1", "Set-Cookie": "a=b"}, {"x-api-key": HIDDEN, "Set-Cookie": HIDDEN}),
        (
            {"new_password": "p", "refresh_token": 7},
            {"new_password": HIDDEN, "refresh_token": HIDDEN},
        ),
        ({"deep": [{"SECRET_KEY": "s"}]}, {"deep": [{"SECRET_KEY": HIDDEN}]}),
        (f"key {KEY}.", f"key {HIDDEN}."),
        (f"a {TOKEN} b", f"a {HIDDEN} b"),
        ("Authorization: Bearer abcdefghij", f"Authorization: Bearer {HIDDEN}"),
        ("redis://:geheim@host/0", f"redis://{HIDDEN}@host/0"),
        ("redis://:ge@heim@host/0", f"redis://{HIDDEN}@host/0"),
        ("postgresql://ann:ge/heim@host/ocr", f"postgresql://{HIDDEN}@host/ocr"),
        ("GET /v1/jobs?options.password=geheim&a=1", f"GET /v1/jobs?options.password={HIDDEN}&a=1"),
        ("Login(user='ann', password='ge heim')", f"Login(user='ann', password={HIDDEN})"),
        ("{'new_password': 'ge heim', 'a': 1}", f"{{'new_password': {HIDDEN}, 'a': 1}}"),
        ("Authorization: Basic YWRtaW46Z2VoZWlt", f"Authorization: Basic {HIDDEN}"),
        (repr(f"\n{KEY}"), f"'\\n{HIDDEN}'"),
        (f"x-api-key%3D{KEY}", f"x-api-key%3D{HIDDEN}"),
        ("for query argument $2: 'text' (bad)", f"for query argument {HIDDEN}"),
        ("at https://key@sentry.example/1", f"at https://{HIDDEN}@sentry.example/1"),
        (
            "null in column\nDETAIL:  Failing row contains (1, text).",
            f"null in column\nDETAIL: {HIDDEN}",
        ),
        (
            "DETAIL:  Failing row contains (1, a line\nand more text).\n[SQL: INSERT]",
            f"DETAIL: {HIDDEN}\n[SQL: INSERT]",
        ),
        ({"rows": {b"%PDF-1.7"}}, {"rows": [HIDDEN]}),
        ({b"key": 1}, {"b'key'": 1}),
        (ValueError(KEY), f"ValueError('{HIDDEN}')"),
        (b"%PDF-1.7", HIDDEN),
        # And what is none:
        ({"prompt_tokens": 5, "max_tokens": 9}, {"prompt_tokens": 5, "max_tokens": 9}),
        ({"first_token_seconds": 1.5}, {"first_token_seconds": 1.5}),
        ({"key_id": "k1", "password": None}, {"key_id": "k1", "password": None}),
        ("https://host/v1/ocr:stream", "https://host/v1/ocr:stream"),
        ("http://host:80/x?mail=a@b", "http://host:80/x?mail=a@b"),
        ("max_tokens=9, prompt_tokens=5", "max_tokens=9, prompt_tokens=5"),
        ("ocr_grpc.v1.OcrService/Extract", "ocr_grpc.v1.OcrService/Extract"),
        ("ocr_engine_worker_restarts_total", "ocr_engine_worker_restarts_total"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(shown, scrubbed_to):
    assert scrubbed(shown) == scrubbed_to


def test_what_has_no_end_is_cut():
    endless: list = []
    endless.append(endless)
    assert HIDDEN in repr(scrubbed(endless))


@pytest.mark.parametrize("piece", ["eyJ-", "://a:", "Bearer ", "password='", "DETAIL: ", "ocr_"])
def test_the_time_for_a_text_does_not_grow_with_its_square(piece):
    """The event loop waits for it; a text of 4 to 10 MB, of which the end is kept."""
    began = time.process_time()
    assert len(scrubbed(piece * 1_000_000)) <= MAX_CHARS
    assert time.process_time() - began < 10  # hours without a bound, a tenth of a second with it


def test_a_secret_that_was_cut_in_half_is_not_shown():
    for left_over in range(1, len(TOKEN)):
        text = TOKEN + " " * (MAX_CHARS - left_over)
        assert HIDDEN.endswith(scrubbed(text).strip())


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_log_that_nobody_reads_any_more_makes_no_call_fail(form):
    program = f"""
import logging, os, structlog
from ocr_grpc.telemetry.logs import configure_logs

configure_logs({form!r}, "info")
nobody, told = os.pipe()
os.dup2(told, 2)
os.close(nobody)
structlog.get_logger().warning("call")
logging.getLogger("grpc").error("broken")
print("went on")
os._exit(0 if structlog.get_logger().info("call") is None else 1)
"""
    ran = subprocess.run([sys.executable, "-uc", program], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "went on\n")


async def test_a_call_is_one_line_with_all_that_is_known_and_nothing_of_the_document(tmp_path):
    with receiving() as sentry:
        settings = {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD, "ENGINE": "hang"}
        secrets, key_id, size_bytes = await use(tmp_path, settings | {"SENTRY_DSN": sentry.dsn})
    log = (tmp_path / "serve.log").read_text()
    assert "publickey" not in log
    for leak in (*secrets, "quick brown", "canary", "null line"):
        assert leak not in log
        assert leak.encode() not in sentry.raw
    lines = [json.loads(line) for line in log.splitlines()]
    calls = {line["request_id"]: line for line in lines if line["event"] == "call"}
    line = calls["read-1"]
    assert line["method"] == "/ocr_grpc.v1.OcrService/UploadExtract"
    assert (line["status"], line["pages"], line["kind"]) == ("OK", 3, "pdf")
    assert (line["user"], line["key_id"]) == ("admin", key_id)
    assert line["size_bytes"] == size_bytes
    assert 0 <= line["queue_ms"] <= line["duration_ms"]
    assert 0 < line["first_message_ms"] <= line["duration_ms"]
    assert (calls["whole-1"]["pages"], calls["whole-1"]["status"]) == (3, "OK")
    assert calls["refused-1"]["status"] == "INVALID_ARGUMENT"
    assert calls["refused-1"]["reason"]
    assert "key_id" not in calls["refused-1"]
    assert calls["hung-1"]["status"] == "CANCELLED"
    assert len([line for line in lines if line.get("request_id") == "read-1"]) == 1
    # The process of the engine says it as the others do, and reports it as they do.
    (stuck,) = [line for line in lines if line["event"] == "engine_stuck"]
    assert (stuck["process"], stuck["level"]) == ("engine_worker", "error")
    (event,) = sentry.events
    assert event["tags"]["process"] == "engine_worker"
    assert event["exception"]["values"][-1]["type"] == "EngineStuck"


async def use(folder: Path, settings: dict[str, str]) -> tuple[list[str], str, int]:
    """Make calls that end well and badly; return secrets, the id of a key, and a size in bytes."""
    with serve(folder, **settings) as (_, address):
        async with grpc.aio.insecure_channel(address) as channel:
            home = House(channel)
            admin = bearer((await home.login("admin", ADMIN_PASSWORD)).access_token)
            key_id, key = await home.key(admin)
            pdf = text_pdf(3)
            named = {"file_name": "canary-patient.pdf"}
            read = home.ocr.UploadExtract(upload(pdf, **named), metadata=told(key, "read-1"))
            assert "quick brown fox" in str(await collect(read))
            whole = pb.ExtractRequest(content=pdf, **named)
            await home.ocr.Extract(whole, metadata=told(key, "whole-1"))
            for request in (pb.ExtractRequest(content=NO_DOCUMENT), wrong_option()):
                await refusal(home.ocr.Extract(request, metadata=told(admin, "refused-1")))
            black = pb.StreamExtractRequest(content=encoded(picture(first_pixel=0)))
            hung = home.ocr.StreamExtract(black, metadata=told(key, "hung-1"))
            async for event in hung:
                if event.HasField("delta"):
                    hung.cancel()
                    break
            # Its engine must be stopped before another page is read: by then it has said so.
            options = options_pb2.ExtractOptions(mode=FORCE_OCR)
            after = pb.ExtractRequest(content=encoded(picture()), options=options)
            await home.ocr.Extract(after, metadata=told(key, "after-1"))
    return [key[0][1], admin[0][1], ADMIN_PASSWORD], key_id, len(pdf)


def told(metadata, request_id: str):
    return (*metadata, ("x-request-id", request_id))


def wrong_option() -> pb.ExtractRequest:
    options = options_pb2.ExtractOptions(pages="canary", password="canary")
    return pb.ExtractRequest(content=text_pdf(1), options=options)
