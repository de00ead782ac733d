import importlib.util
import io
import subprocess
import sys
from importlib.metadata import requires

import pytest

from ocr_grpc_client import ExtractEvent, ExtractOptions, OcrClient, PageOutcome
from ocr_grpc_client.__main__ import Printer
from ocr_grpc_client.messages import (
    CreateInviteResponse,
    CreateKeyResponse,
    LoginRequest,
    LoginResponse,
    PageFinished,
    TextDelta,
    TextRetract,
    UploadExtractRequest,
)


def test_nothing_of_the_server_is_here():
    assert importlib.util.find_spec("ocr_grpc") is None
    needed = [name for name in requires("ocr-grpc-client") if "extra ==" not in name]
    assert sorted(name.split(">")[0].split("<")[0] for name in needed) == ["betterproto2", "grpcio"]


def test_importing_needs_nothing_but_the_dependencies():
    program = (
        "import sys, ocr_grpc_client; print('pytest' in sys.modules, 'grpclib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def event(kind: str, page: int, **fields: object) -> ExtractEvent:
    message = {"delta": TextDelta, "retract": TextRetract, "page_finished": PageFinished}[kind]
    return ExtractEvent(**{kind: message(page_number=page, revision=1, **fields)})


def printed(*events: ExtractEvent) -> str:
    out = io.StringIO()
    printer = Printer(out)
    for each in events:
        printer.add(each)
    return out.getvalue()


def end(page: int, text: str) -> ExtractEvent:
    return event("page_finished", page, text=text, outcome=PageOutcome.OK)


def test_text_is_printed_as_it_comes_and_pages_in_their_order():
    assert printed(event("delta", 1, text="one")) == "one"
    assert printed(event("delta", 1, text="a"), event("delta", 2, text="b")) == "a"
    events = [event("delta", 1, text="a"), event("delta", 2, text="b"), end(2, "b"), end(1, "a")]
    assert printed(*events) == "a\nb\n"


def test_text_that_is_read_again_is_not_printed_again():
    again = [event("delta", 1, text="ab"), event("retract", 1, offset=0)]
    assert printed(*again, event("delta", 1, text="a"), end(1, "abc")) == "abc\n"


def test_a_page_that_says_something_else_in_the_end_is_printed_again():
    assert printed(event("delta", 1, text="wrong"), end(1, "right")) == "wrong\n\nright\n"


def test_pages_wait_for_those_before_them():
    events = [event("delta", 2, text="b"), end(2, "b"), event("delta", 1, text="a"), end(1, "a")]
    assert printed(*events[:2]) == ""
    assert printed(*events) == "a\nb\n"


def test_the_command_ends_though_its_input_waits():
    command = [sys.executable, "-m", "ocr_grpc_client", "--address", "127.0.0.1:1", "-"]
    program = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert program.wait(30) == 1
    program.stdin.close()
    assert program.stdout.read().startswith("UNAVAILABLE: ")
    program.stdout.close()


def test_a_generator_left_open_does_not_keep_the_program_from_ending():
    program = """
from ocr_grpc_client.portal import Portal

async def forever():
    while True:
        yield 1

events = Portal.enter().iterate(forever())
print(next(events))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_messages_do_not_print_their_secrets():
    shown = [
        LoginRequest(user_name="ann", password="the secret"),
        UploadExtractRequest(options=ExtractOptions(password="the secret")),
        CreateKeyResponse(secret="the secret"),
        LoginResponse(access_token="the secret", refresh_token="the secret"),
        CreateInviteResponse(code="the secret"),
    ]
    assert "the secret" not in repr(shown)
    assert "ann" in repr(shown)
    assert shown[0].password == "the secret"


def test_an_address_has_a_port():
    with pytest.raises(ValueError, match="no port"):
        OcrClient("localhost")
