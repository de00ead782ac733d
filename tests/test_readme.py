"""What the README promises about errors is what the program has."""

import re
from collections.abc import Iterator
from pathlib import Path

from ocr_grpc.errors import OcrError
from ocr_grpc.rpc.status import CODES, code_of

README = (Path(__file__).parent.parent / "README.md").read_text()


def kinds_of(base: type[OcrError]) -> Iterator[type[OcrError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def leaves() -> set[type[OcrError]]:
    return {kind for kind in kinds_of(OcrError) if not kind.__subclasses__()}


def test_every_reason_stands_beside_its_code():
    listed: dict[str, set[str]] = {}
    for codes, reasons in re.findall(r"^\| `([A-Z_]+)`[^|]*\| (.*) \|$", README, re.MULTILINE):
        listed.setdefault(codes, set()).update(re.findall(r"`([A-Z_]+)`", reasons))
    missing = []
    for kind in leaves():
        error = kind.__new__(kind)
        code = code_of(error).name
        if kind.reason not in listed.get(code, set()):
            missing.append((code, kind.reason, kind.__name__))
    assert not missing


def test_every_error_has_a_status():
    for kind in kinds_of(OcrError):
        assert any(base in CODES for base in kind.__mro__), kind
