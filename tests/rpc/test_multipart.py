import random

import pytest

from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.rpc.multipart import MAX_OTHER_BYTES, MAX_PARTS, MAX_VALUE_BYTES, Form, boundary_of

CONTENT = random.Random(1).randbytes(100_000) + b"\r\n--edge\r\r\n--edgy--\r\n" * 50


def part(name: str, value: bytes, more: str = "", *headers: str) -> bytes:
    head = [f'Content-Disposition: form-data; name="{name}"{more}', *headers]
    return b"--edges\r\n" + "\r\n".join(head).encode() + b"\r\n\r\n" + value + b"\r\n"


def file(content: bytes = CONTENT, name: str = "scan.pdf") -> bytes:
    return part("file", content, f'; filename="{name}"', "Content-Type: application/pdf")


def parsed(body: bytes, piece_bytes: int = 4096) -> tuple[Form, bytes]:
    form, content = Form(b"edges"), bytearray()
    for start in range(0, len(body), piece_bytes):
        for piece in form.feed(body[start : start + piece_bytes]):
            content += piece
    form.end()
    return form, bytes(content)


END = b"--edges--\r\n"


@pytest.mark.parametrize("piece_bytes", [1, 7, 64, 4096, 10**6])
def test_the_file_comes_out_as_it_went_in_however_it_is_cut(piece_bytes):
    body = part("mode", b"auto") + file() + part("prompt", "Größe".encode()) + END
    form, content = parsed(body, piece_bytes)
    assert content == CONTENT
    assert form.file_name == "scan.pdf"
    assert form.fields == {"mode": ["auto"], "prompt": ["Größe"]}


def test_a_field_may_come_more_than_once():
    form, _ = parsed(part("languages", b"de") + file() + part("languages", b"fr") + END)
    assert form.fields == {"languages": ["de", "fr"]}


def test_names_of_files_are_utf_8():
    assert parsed(file(name="Rechnung für März.pdf") + END)[0].file_name == "Rechnung für März.pdf"


def test_what_stands_before_and_after_the_form_is_nothing():
    assert parsed(b"\r\n" + file() + END + b"epilogue")[1] == CONTENT


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "UPLOAD_TRUNCATED"),
        (file(), "UPLOAD_TRUNCATED"),
        (file() + b"--edges-", "UPLOAD_TRUNCATED"),
        (file()[:60], "UPLOAD_TRUNCATED"),
        (END, "DOCUMENT_MISSING"),
        (part("prompt", b"x") + END, "DOCUMENT_MISSING"),
        (file() + file() + END, "INVALID_OPTION"),
        (part("prompt", b"\xff") + file() + END, "INVALID_OPTION"),
        (part("prompt", b"x" * (MAX_VALUE_BYTES + 1)) + file() + END, "INVALID_OPTION"),
        (b"%PDF-1.7 no form at all", "MALFORMED_REQUEST"),
        (b"--other\r\n", "MALFORMED_REQUEST"),
        (b"--edges\r\n\r\nno header\r\n" + END, "MALFORMED_REQUEST"),
        (b"--edges\r\nContent-Type: a/b\r\n\r\nx\r\n" + END, "MALFORMED_REQUEST"),
        (b"--edges\r\nbad header\r\n\r\nx\r\n" + END, "MALFORMED_REQUEST"),
        (b"--edges\r\nX: " + b"x" * 100_000, "MALFORMED_REQUEST"),
        (b"--edges\r\n" + b"X: y\r\n" * 100, "MALFORMED_REQUEST"),
        (part("a", b"") * (MAX_PARTS + 1), "MALFORMED_REQUEST"),
        (file() + END + b"x" * (MAX_OTHER_BYTES + 1), "MALFORMED_REQUEST"),
        (b"\r\n" * MAX_OTHER_BYTES, "MALFORMED_REQUEST"),
        (
            part("file", b"aGk=", '; filename="a"', "Content-Transfer-Encoding: base64") + END,
            "MALFORMED_REQUEST",
        ),
    ],
)
@pytest.mark.parametrize("piece_bytes", [4096, 10**7])
def test_a_form_that_is_not_exactly_right_is_refused(body, reason, piece_bytes):
    with pytest.raises(OcrError) as refused:
        parsed(body, piece_bytes)
    assert refused.value.reason == reason


def test_a_refusal_does_not_repeat_what_is_in_a_field():
    with pytest.raises(InvalidOption) as refused:
        parsed(part("password", b"secret" * MAX_VALUE_BYTES))
    assert refused.value.field == "password"
    assert "secret" not in refused.value.message + str(refused.value.metadata)


def test_only_a_form_is_taken_for_one():
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
    assert boundary_of("Multipart/Form-Data;boundary=x") == b"x"
    for other in ("", "application/pdf", "multipart/mixed; boundary=x", "text/plain; boundary=x"):
        assert boundary_of(other) is None
    with pytest.raises(OcrError, match="boundary"):
        boundary_of("multipart/form-data")
    with pytest.raises(OcrError, match="too long"):
        Form(b"x" * 1000)
