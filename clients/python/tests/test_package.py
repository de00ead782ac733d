import importlib.util
import io
import subprocess
import sys
from importlib.metadata import requires

from ocr_grpc_client import ExtractEvent, PageOutcome
from ocr_grpc_client.__main__ import Printer
from ocr_grpc_client.messages import PageFinished, TextDelta, TextRetract


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
