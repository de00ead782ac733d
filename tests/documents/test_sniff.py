import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.errors import UnknownFormat
from ocr_grpc.documents.sniff import sniff
from tests.documents.samples import encoded, paper, written


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_an_image_is_known_by_its_first_bytes(kind: str):
    assert sniff(encoded(paper(), kind)[:1024]) is DocumentKind[kind]


def test_a_big_tiff_is_a_tiff():
    assert sniff(encoded(paper(), "TIFF", big_tiff=True)[:1024]) is DocumentKind.TIFF


def test_a_pdf_header_may_come_late():
    assert sniff(written("x")[:1024]) is DocumentKind.PDF
    assert sniff((b"\r\n" * 400 + written("x"))[:1024]) is DocumentKind.PDF


def test_a_pdf_header_after_the_first_kilobyte_does_not_count():
    with pytest.raises(UnknownFormat):
        sniff((b" " * 1020 + written("x"))[:1024])


def test_a_picture_that_mentions_pdf_stays_a_picture():
    assert sniff(b"\xff\xd8\xff\xe0 a comment: %PDF-1.7") is DocumentKind.JPEG


@pytest.mark.parametrize(
    "head",
    [
        b"hello",
        b"BMW and other cars, a list that begins like a bitmap",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"PK\x03\x04 a zip",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\0",
    ],
)
def test_anything_else_is_refused_with_the_names_of_what_is_read(head: bytes):
    with pytest.raises(UnknownFormat, match="PDF, PNG, JPEG, WEBP, TIFF, BMP, GIF"):
        sniff(head)
