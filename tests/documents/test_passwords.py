"""Encrypted PDFs: which passwords open them, and what is said of those that do not."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from reportlab.lib import pdfencrypt
from reportlab.pdfgen.canvas import Canvas

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.pdf import open_pdf
from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.conftest import opening
from tests.documents.encrypted import AES_128, AES_256
from tests.documents.samples import drawn


@pytest.fixture
def words(tmp_path: Path):
    """Open a PDF with a password and return the lines of its page."""
    with ExitStack() as stack:

        def read(content: bytes, password: str) -> list[str]:
            (tmp_path / "document").write_bytes(content)
            file = stack.enter_context((tmp_path / "document").open("rb"))
            pdf = open_pdf(opening(file, DocumentKind.PDF, password=password))
            stack.callback(pdf.close)
            return [line[0] for line in pdf.text_layer(0, 72)["lines"]]

        yield read


def rc4(user: str, owner: str, bits: int) -> bytes:
    def page(canvas: Canvas) -> None:
        canvas.drawString(99, 99, "Secret")

    locked = pdfencrypt.StandardEncryption(user, owner, strength=bits)
    return drawn(page, encrypt=locked)


FILES = [
    pytest.param(rc4("pässwörd", "owner", 40), id="RC4 of 40 bits"),
    pytest.param(rc4("pässwörd", "owner", 128), id="RC4 of 128 bits"),
    pytest.param(AES_128, id="AES of 128 bits"),
    pytest.param(AES_256, id="AES of 256 bits"),
]


# Before AES-256 passwords were in Latin-1, since then in UTF-8; callers always send UTF-8.
@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("password", ["pässwörd", "owner"])
def test_either_password_opens(words, content: bytes, password: str):
    assert words(content, password) == ["Secret"]


@pytest.mark.parametrize("content", FILES)
def test_no_password_is_not_a_wrong_one(words, content: bytes):
    for password, failure in (("", Failure.PASSWORD), ("guess", Failure.WRONG_PASSWORD)):
        with pytest.raises(ReaderFailure) as refused:
            words(content, password)
        assert refused.value.code is failure


@pytest.mark.parametrize("password", ["", "owner"])
def test_a_file_that_only_forbids_changes_needs_no_password(words, password: str):
    assert words(rc4("", "owner", 128), password) == ["Secret"]


def test_a_password_for_a_file_without_one_does_no_harm(words):
    assert words(drawn(lambda canvas: canvas.drawString(99, 99, "Open")), "secret") == ["Open"]
