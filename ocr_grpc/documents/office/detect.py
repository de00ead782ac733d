"""Tells what a document is whose first bytes do not: containers and texts. Child only.

What is in it decides. The ending of its name is believed only where texts are told from texts.
"""

import re

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import encodings, ole
from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.archives.archive import MANIFEST, Archive
from ocr_grpc.documents.office.sheets import separated
from ocr_grpc.documents.protocol import Failure, ReaderFailure

_SAMPLE_BYTES = 256 * 1024
_CONTENT_TYPES = "[Content_Types].xml"
_OPEN_XML = (
    (re.compile(r"(wordprocessingml|ms-word)\b.*\.main\+xml"), DocumentKind.DOCX),
    (re.compile(r"(spreadsheetml|ms-excel)\b(?!.*binary).*\.main\+xml"), DocumentKind.XLSX),
    (re.compile(r"(presentationml|ms-powerpoint)\b.*\.main\+xml"), DocumentKind.PPTX),
)
"""Templates, slide shows and documents with macros differ from others in their main part's type."""
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_MIME_TYPES = {
    "application/epub+zip": DocumentKind.EPUB,
    f"{_OPEN_DOCUMENT}text": DocumentKind.ODT,
    f"{_OPEN_DOCUMENT}text-template": DocumentKind.ODT,
    f"{_OPEN_DOCUMENT}spreadsheet": DocumentKind.ODS,
    f"{_OPEN_DOCUMENT}spreadsheet-template": DocumentKind.ODS,
}
_BOOK_ENCRYPTION = "META-INF/encryption.xml"
_CHAPTER = (".xhtml", ".html", ".htm", ".xml", ".opf")

_HTML_START = re.compile(r"<(!doctype\s+html|html|head|body)\b", re.I)
_HTML_TAG = re.compile(
    r"</?(a|abbr|article|b|blockquote|br|center|code|div|em|font|form|h[1-6]|header|hr|i|img|li|link"
    r"|main|meta|nav|ol|p|pre|section|small|span|strong|style|table|tbody|td|th|title|tr|ul)\b",
    re.I,
)
_HTML_HEAD = 4096
_MAX_COMMENTS = 5
_SOME_TAGS = 3
_MARKDOWN_ENDINGS = frozenset(("md", "markdown", "mdown", "mkd"))
_HEADING = re.compile(r"(?:\A|\n\n)(#{1,6}) \S[^\n]*(?=\n\n|\n?\Z)")
_LIST = re.compile(r"^ {0,3}(?:[-*+]|\d+\.) \S", re.M)
_MARKS = (
    re.compile(r"\[[^\[\]\n]{1,200}\]\([^()\s]{1,500}\)"),  # a link
    re.compile(r"^(```|~~~)", re.M),  # a fence
    re.compile(r"^\|?[ \t]*:?-{3,}:?[ \t]*\|", re.M),  # a table's second row
    re.compile(r"\*\*\S[^*\n]{0,200}\*\*"),  # bold
)


def detect(opening: Opening, archive: Archive | None) -> DocumentKind:
    """Return what a document is.

    Args:
        opening: the document, its `kind` None.
        archive: the document as a container, if it begins like one.

    Raises:
        ReaderFailure: UNKNOWN_FORMAT; ENCRYPTED; CORRUPT.
    """
    if opening.kind is not None:
        return opening.kind
    if archive is not None:
        return _contained(archive)
    opening.file.seek(0)
    sample = opening.file.read(_SAMPLE_BYTES + 1)
    if sample.startswith(ole.MAGIC):
        return _in_ole(ole.stream_names(opening.file))
    opening.file.seek(0)
    return _written(encodings.decode(_whole_lines(sample)), opening.name_ending)


def _contained(archive: Archive) -> DocumentKind:
    if _CONTENT_TYPES in archive:
        return _open_xml(archive)
    if "mimetype" in archive:
        kind = _MIME_TYPES.get(archive.read("mimetype").decode("latin-1").strip())
        if kind is DocumentKind.EPUB:
            _refuse_encrypted_book(archive)
        elif kind is not None:
            _refuse_encrypted(archive)
        if kind is not None:
            return kind
    raise ReaderFailure(Failure.UNKNOWN_FORMAT)


def _open_xml(archive: Archive) -> DocumentKind:
    for element in xml.parse(archive.read(_CONTENT_TYPES)).iter("{*}Override", "{*}Default"):
        part = element.get("PartName", "").lstrip("/")
        if part and part not in archive:
            continue
        for content_type, kind in _OPEN_XML:
            if content_type.search(element.get("ContentType", "")):
                return kind
    raise ReaderFailure(Failure.UNKNOWN_FORMAT)


def _refuse_encrypted(archive: Archive) -> None:
    if MANIFEST in archive:
        manifest = xml.parse_xhtml(archive.read(MANIFEST))
        if next(manifest.iter("{*}encryption-data"), None) is not None:
            raise ReaderFailure(Failure.ENCRYPTED)


def _refuse_encrypted_book(archive: Archive) -> None:
    """Refuse a book whose chapters are encrypted; fonts often are, and nobody misses them."""
    if _BOOK_ENCRYPTION in archive:
        for reference in xml.parse(archive.read(_BOOK_ENCRYPTION)).iter("{*}CipherReference"):
            if reference.get("URI", "").lower().endswith(_CHAPTER):
                raise ReaderFailure(Failure.ENCRYPTED)


def _in_ole(names: frozenset[str]) -> DocumentKind:
    if "EncryptedPackage" in names:
        raise ReaderFailure(Failure.ENCRYPTED)
    # A document of Word may have one embedded, but not beside its own text.
    if names & {"Workbook", "Book"} and "WordDocument" not in names:
        return DocumentKind.XLS
    raise ReaderFailure(Failure.UNKNOWN_FORMAT)


def _whole_lines(sample: bytes) -> bytes:
    """Cut a sample where no letter is cut in two, whatever the encoding."""
    if len(sample) <= _SAMPLE_BYTES:
        return sample
    if b"\0" in sample:
        return sample[:_SAMPLE_BYTES]
    end = max(sample.rfind(b"\n"), sample.rfind(b" "))
    return sample[: end + 1] if end >= 0 else sample


def _written(text: str, ending: str) -> DocumentKind:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _HTML_START.match(_after_comments(text)):
        return DocumentKind.HTML
    if ending in _MARKDOWN_ENDINGS:
        return DocumentKind.MARKDOWN
    if _has_tags(text):
        return DocumentKind.HTML
    if ending in separated.ENDINGS:
        delimiter = separated.delimiter_of(text, sure=False)
        return DocumentKind.TSV if delimiter == "\t" else DocumentKind.CSV
    if _is_markdown(text):
        return DocumentKind.MARKDOWN
    if not ending or ending == "txt":
        delimiter = separated.delimiter_of(text, sure=True)
        if delimiter is not None:
            return DocumentKind.TSV if delimiter == "\t" else DocumentKind.CSV
    return DocumentKind.TEXT


def _after_comments(text: str) -> str:
    """Return the text from where its XML declaration and comments at the beginning end."""
    text = text.lstrip()
    for opened, closed in (("<?xml", "?>"), *[("<!--", "-->")] * _MAX_COMMENTS):
        if text.startswith(opened):
            text = text[text.find(closed) + len(closed) :].lstrip() if closed in text else ""
    return text


def _has_tags(text: str) -> bool:
    """Return whether a text is a piece of HTML, without what a page begins with."""
    head = text[:_HTML_HEAD].lstrip()
    tags = _HTML_TAG.findall(head)
    return _HTML_TAG.match(head) is not None and len(tags) >= _SOME_TAGS and "</" in head


def _is_markdown(text: str) -> bool:
    headings = _HEADING.findall(text)
    if headings and any(mark.search(text) for mark in _MARKS):
        return True
    # `# name` and `- name` alone may as well be a file of settings.
    return any(len(signs) > 1 for signs in headings) and len(_LIST.findall(text)) > 1
