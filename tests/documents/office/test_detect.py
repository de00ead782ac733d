"""What a document is, its content tells; its name only tells texts from texts."""

import io
import random
import sys
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet, OpenDocumentText

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.detect import detect
from ocr_grpc.documents.protocol import ReaderFailure
from tests.documents.conftest import opening
from tests.documents.office.archive_samples import CONTENT_TYPES, WORD, open_xml, zipped
from tests.documents.office.ole_samples import compound_file

CONTAINER = b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"/>'


def kind_of(content: bytes, ending: str = "") -> DocumentKind:
    asked = opening(io.BytesIO(content), None, ending)
    archive = Archive(asked.file, asked.limits) if content.startswith(b"PK") else None
    return detect(asked, archive)


def saved(document) -> bytes:
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def workbook_of_1997() -> bytes:
    workbook = xlwt.Workbook()
    workbook.add_sheet("one")
    return saved(workbook)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (saved(docx.Document()), DocumentKind.DOCX),
        (saved(openpyxl.Workbook()), DocumentKind.XLSX),
        (saved(pptx.Presentation()), DocumentKind.PPTX),
        (saved(OpenDocumentText()), DocumentKind.ODT),
        (saved(OpenDocumentSpreadsheet()), DocumentKind.ODS),
        (workbook_of_1997(), DocumentKind.XLS),
        (zipped({"mimetype": b"application/epub+zip"}), DocumentKind.EPUB),
    ],
    ids=["docx", "xlsx", "pptx", "odt", "ods", "xls", "epub"],
)
def test_real_documents_are_told_whatever_their_name(content: bytes, kind: DocumentKind):
    for ending in ("", "csv", "docx", "html"):
        assert kind_of(content, ending) is kind


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("vnd.ms-word.document.macroEnabled.main+xml", DocumentKind.DOCX),
        ("vnd.ms-word.template.macroEnabledTemplate.main+xml", DocumentKind.DOCX),
        (
            "vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
            DocumentKind.DOCX,
        ),
        ("vnd.ms-excel.sheet.macroEnabled.main+xml", DocumentKind.XLSX),
        (
            "vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",
            DocumentKind.PPTX,
        ),
        ("vnd.ms-powerpoint.presentation.macroEnabled.main+xml", DocumentKind.PPTX),
    ],
)
def test_templates_shows_and_macros_are_documents_too(content_type: str, kind: DocumentKind):
    assert kind_of(open_xml(content_type, "main.xml")) is kind


@pytest.mark.parametrize(
    "content",
    [
        open_xml("vnd.ms-excel.sheet.binary.macroEnabled.main", "xl/workbook.bin"),
        open_xml("vnd.openxmlformats-package.core-properties+xml", "docProps/core.xml"),
        zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0", "A.class": b"\xca\xfe"}),
        zipped({"notes.txt": b"hello"}),
        zipped({"mimetype": b"application/vnd.oasis.opendocument.graphics"}),
        compound_file(["WordDocument", "1Table"]),
        compound_file(["WordDocument", "Workbook"]),
        compound_file(["PowerPoint Document"]),
        compound_file(["__properties_version1.0"]),
    ],
    ids=["xlsb", "no main part", "jar", "zip", "odg", "doc", "doc with xls", "ppt", "msg"],
)
def test_other_containers_are_of_no_known_format(content: bytes):
    with pytest.raises(ReaderFailure, match="unknown_format"):
        kind_of(content)


def test_a_main_part_that_is_not_there_makes_no_document():
    types = CONTENT_TYPES.format(part="main.xml", content_type=WORD).encode()
    with pytest.raises(ReaderFailure, match="unknown_format"):
        kind_of(zipped({"[Content_Types].xml": types}))


def test_encrypted_documents_are_told():
    manifest = (
        b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        b"<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
        b"</manifest:manifest>"
    )
    mimetype = b"application/vnd.oasis.opendocument.text"
    cipher = (
        b'<encryption><CipherData><CipherReference URI="OEBPS/a.xhtml"/></CipherData></encryption>'
    )
    for content in (
        compound_file(["EncryptionInfo", "EncryptedPackage"]),
        zipped({"mimetype": mimetype, "META-INF/manifest.xml": manifest}),
        zipped({"mimetype": b"application/epub+zip", "META-INF/encryption.xml": cipher}),
    ):
        with pytest.raises(ReaderFailure, match="encrypted"):
            kind_of(content)


def test_a_book_with_fonts_that_are_encrypted_can_be_read():
    cipher = b'<encryption><CipherReference URI="fonts/a.otf"/></encryption>'
    book = {"mimetype": b"application/epub+zip", "META-INF/encryption.xml": cipher}
    assert kind_of(zipped(book)) is DocumentKind.EPUB


def test_a_directory_of_ole_that_bites_its_tail_or_is_cut_is_no_endless_one():
    whole = compound_file(["Workbook"])
    for content in (whole[:600], compound_file(["Workbook"], chain=1), whole[:100]):
        with pytest.raises(ReaderFailure, match="corrupt"):
            kind_of(content)
    with pytest.raises(ReaderFailure, match="unknown_format"):
        kind_of(compound_file(["A", "B"], sibling=1))


README = """# Name

Some words about [a thing](https://a.b/c).

- one
- two
"""
PROSE = """Dear Sir, dear Madam, good day,
we thank you, as always, for the letter,
which came, late but welcome, yesterday,
and remain, with regards, yours,
"""
TABLE = "name,age,town\nAnn,31,Bonn\nBob,44,Kiel\nCid,7,Ulm\n"


@pytest.mark.parametrize(
    ("text", "ending", "kind"),
    [
        ("<!DOCTYPE html>\n<html><body>a</body></html>", "", DocumentKind.HTML),
        ("\ufeff  <!-- a --><!-- b -->\n<HTML>", "csv", DocumentKind.HTML),
        ('<?xml version="1.0"?>\n<html xmlns="a"><p/></html>', "md", DocumentKind.HTML),
        ("<h1>a</h1><p>b</p>", "", DocumentKind.HTML),
        ('<p align="center">logo</p>\n\n# Name\n<p>more</p>', "md", DocumentKind.MARKDOWN),
        ("a < b and b > c, <p> is a tag", "", DocumentKind.TEXT),
        ('<?xml version="1.0"?><note><to>a</to></note>', "xml", DocumentKind.TEXT),
        ('{"a": [1, 2, 3],\n"b": [1, 2, 3],\n"c": [1, 2, 3]}', "json", DocumentKind.TEXT),
        (TABLE, "csv", DocumentKind.CSV),
        (TABLE, "", DocumentKind.CSV),
        (TABLE.replace(",", ";"), "", DocumentKind.CSV),
        (TABLE.replace(",", "\t"), "tsv", DocumentKind.TSV),
        (TABLE.replace(",", "\t"), "", DocumentKind.TSV),
        (TABLE, "md", DocumentKind.MARKDOWN),
        ("one\ntwo\n", "csv", DocumentKind.CSV),
        (PROSE, "", DocumentKind.TEXT),
        (PROSE, "txt", DocumentKind.TEXT),
        (README, "", DocumentKind.MARKDOWN),
        (README, "txt", DocumentKind.MARKDOWN),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", "", DocumentKind.TEXT),
        ("# a comment\n\nkey: 1\n\n- one\n- two\n", "yaml", DocumentKind.TEXT),
        ("#!/bin/sh\n# a comment\necho a\n", "sh", DocumentKind.TEXT),
        ("hello", "docx", DocumentKind.TEXT),
        ("hello", "md", DocumentKind.MARKDOWN),
    ],
)
def test_texts_are_told_by_their_content_and_then_by_their_name(
    text: str, ending: str, kind: DocumentKind
):
    assert kind_of(text.encode(), ending) is kind
    assert kind_of(text.replace("\n", "\r\n").encode("utf-16"), ending) is kind


def test_a_letter_that_the_sample_cuts_in_two_spoils_nothing():
    assert kind_of("ä".encode() * 200_000 + b"a") is DocumentKind.TEXT
    assert kind_of(("ä" * 99 + "\n").encode() * 5000) is DocumentKind.TEXT


def test_bytes_that_are_no_text_are_of_no_known_format():
    program = Path(sys.executable).read_bytes()[:100_000]
    for content in (program, random.Random(1).randbytes(5000), bytes(range(32)) * 10):
        for ending in ("", "csv", "md", "txt"):
            with pytest.raises(ReaderFailure, match="unknown_format"):
                kind_of(content, ending)


@pytest.mark.parametrize("sign", ["<!---->", "[", "[a](", "**a", "| ", "#", " ", "<p", "\n\n# a"])
def test_no_text_takes_long_to_look_at(sign: str):
    assert kind_of((sign * 300_000).encode(), "txt") in DocumentKind
