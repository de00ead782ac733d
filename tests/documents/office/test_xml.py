"""XML of strangers declares nothing, and nothing is fetched for it."""

import pytest

from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.protocol import ReaderFailure

ENTITY = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l0 "ha">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + "]><a>&l9;</a>"
)
FILE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
BARE = '<!DOCTYPE a PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://127.0.0.1:9/a.dtd"><a/>'


def declared(text: str, encoding: str) -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)


def test_parts_are_parsed_in_any_encoding():
    for encoding in ("utf-8", "utf-16", "iso-8859-1"):
        assert xml.parse(declared("<a>ä</a>", encoding)).text == "ä"


@pytest.mark.parametrize("text", [ENTITY, LAUGHS, FILE, BARE], ids=["entity", "laughs", "file", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "koi8-r"])
def test_a_doctype_is_refused_in_any_encoding(text: str, encoding: str):
    with pytest.raises(ReaderFailure, match="doctype"):
        xml.parse(declared(text, encoding))


@pytest.mark.parametrize("text", [ENTITY, LAUGHS, FILE], ids=["entity", "laughs", "file"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_xhtml_may_have_a_doctype_but_none_that_declares_something(text: str, encoding: str):
    assert xml.parse_xhtml(BARE.encode()).tag == "a"
    with pytest.raises(ReaderFailure, match="doctype"):
        xml.parse_xhtml(declared(text, encoding))


def test_a_doctype_behind_many_comments_is_found_piece_by_piece():
    part = b"<!-- long -->" * 10_000 + ENTITY.encode()
    pieces = [part[n : n + 100] for n in range(0, len(part), 100)]
    with pytest.raises(ReaderFailure, match="doctype"):
        list(xml.without_doctype(pieces))
    assert b"".join(xml.without_doctype([b"<!-- a -->", b"<a", b"/>"])) == b"<!-- a --><a/>"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"text",
        b'<?xml version="1.0" encoding="iTF-8"?><a/>',
        b"<a>" * 5000 + b"</a>" * 5000,
        b"\xff\xfe<\0a\0",
        b"\0",
    ],
    ids=["empty", "open", "crossed", "text", "encoding", "deep", "cut", "zero"],
)
def test_what_is_damaged_or_nested_too_deeply_is_told(content: bytes):
    for parse in (xml.parse, xml.parse_xhtml):
        with pytest.raises(ReaderFailure, match="corrupt"):
            parse(content)
