import io
import zipfile

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.sniff import Sniffed, sniff
from tests.documents.samples import encoded, paper, written

PDF = Sniffed(Family.PAGES, DocumentKind.PDF)
TO_BE_FOUND_OUT = Sniffed(Family.OFFICE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_an_image_is_known_by_its_first_bytes(kind: str):
    assert sniff(encoded(paper(), kind)[:1024]) == Sniffed(Family.PAGES, DocumentKind[kind])


def test_a_big_tiff_is_a_tiff():
    assert sniff(encoded(paper(), "TIFF", big_tiff=True)[:1024]).kind is DocumentKind.TIFF


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", DocumentKind.HEIC),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", DocumentKind.AVIF),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", DocumentKind.AVIF),
        (b"\0\0\0\x0cjP  \r\n\x87\n", DocumentKind.JPEG_2000),
        (b"\xff\x4f\xff\x51\0", DocumentKind.JPEG_2000),
    ],
)
def test_newer_pictures_are_known_as_well(head: bytes, kind: DocumentKind):
    assert sniff(head) == Sniffed(Family.PAGES, kind)


def test_a_film_in_the_same_container_is_no_picture():
    assert sniff(b"\0\0\0\x18ftypisom\0\0\0\0mp41isom") == TO_BE_FOUND_OUT


@pytest.mark.parametrize(
    "junk",
    [
        b"\r\n" * 400,
        b"\xef\xbb\xbf",
        b"\0" * 128,
        b"an old file system's header\0\0\0\x81\x82",
        b"Content-Type: application/pdf\r\nContent-Length: 1234\r\n\r\n",
        b"<b>Warning</b>: Undefined variable $x in /srv/www/print.php on line 3<br>\n",
    ],
)
def test_a_pdf_header_may_come_late(junk: bytes):
    assert sniff(written("x")[:1024]) == PDF
    assert sniff((junk + written("x"))[:1024]) == PDF


def test_a_pdf_header_after_the_first_kilobyte_does_not_count():
    assert sniff((b" " * 1020 + written("x"))[:1024]) == TO_BE_FOUND_OUT


def archive_of_a_pdf() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.pdf", written("x"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "head",
    [
        archive_of_a_pdf()[:1024],
        b"A PDF begins with %PDF-1.7 and ends with %%EOF.",
        b"# How to tell\n\n%PDF-1.7\n\nis what its first line says.",
        b"<!DOCTYPE html><pre>\n%PDF-1.7\n</pre>",
        b"{\\rtf1 The header is\n%PDF-1.7\n1 0 obj}",
    ],
)
def test_an_archive_or_a_text_that_has_a_pdf_in_it_is_none(head: bytes):
    assert sniff(head).family is Family.OFFICE


def test_a_picture_that_mentions_pdf_stays_a_picture():
    assert sniff(b"\xff\xd8\xff\xe0 a comment: %PDF-1.7").kind is DocumentKind.JPEG


@pytest.mark.parametrize(
    "head",
    [
        b"hello",
        b"BMW and other cars, a list that begins like a bitmap",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"PK\x03\x04 a zip",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\0",
    ],
)
def test_what_anything_else_is_the_reader_for_text_finds_out(head: bytes):
    assert sniff(head) == TO_BE_FOUND_OUT


def test_rich_text_says_what_it_is():
    assert sniff(b"{\\rtf1\\ansi hello}") == Sniffed(Family.OFFICE, DocumentKind.RTF)
