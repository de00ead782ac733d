"""What members of a container are, by name and by first bytes. Child only."""

import re

SNIFFED_BYTES = 512
"""How much of a member `is_archive` looks at; a tar header has its mark at 257."""

_MARKUP = (".xml", ".rels", ".vml", ".rdf")
_BOOK_MARKUP = (*_MARKUP, ".xhtml", ".html", ".htm", ".opf", ".ncx")
_MAGIC = (
    b"PK\3\4",
    b"PK\5\6",
    b"PK\7\x08",
    b"\x1f\x8b\x08",  # gzip
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"MSCF\0\0\0\0",
)
_TAR = b"ustar"
_TAR_PLACE = 257
_UNREAD_MARKUP = re.compile(
    r"customXml/.*|(word|xl|ppt)/(activeX|ctrlProps|embeddings|externalLinks)/.*"
    # OpenOffice declares a DOCTYPE in its macros to this day, and leaves empty files behind.
    r"|(Basic|Dialogs|Scripts|Configurations2)/.*",
    re.IGNORECASE,
)
"""Markup of office documents that is no part of what they show."""
_EMBEDDED = re.compile(
    # Office: workbooks behind charts, documents inside of documents, data models, controls.
    r"(.*/)?(embeddings|activeX|ctrlProps|printerSettings|externalLinks|fonts|model|customData)/.*"
    r"|customXml/.*|(.*/)?vbaProject\w*\.bin"
    # OpenDocument: the same.
    r"|(Object|ObjectReplacements)\b[^/]*(/.*)?|(Basic|Fonts|Scripts)/.*"
    # Pictures and fonts that are packed by themselves.
    r"|.*\.(emz|wmz|svgz|ttf|otf|odttf|fntdata|woff2?)",
    re.IGNORECASE,
)
"""Where the files of other programs are kept. None of them is ever opened."""


def is_read(name: str, *, book: bool) -> bool:
    """Return whether a member of a document, or of a `book`, is markup that readers parse."""
    lower = name.lower()
    if book:
        return lower.endswith(_BOOK_MARKUP)
    # Relations are parsed even where what they belong to is not.
    unread = _UNREAD_MARKUP.fullmatch(name) and not lower.endswith(".rels")
    return lower.endswith(_MARKUP) and not unread


def may_be_archive(name: str) -> bool:
    """Return whether a member stands where office programs put files that are archives."""
    return not name.lower().endswith(_BOOK_MARKUP) and _EMBEDDED.fullmatch(name) is not None


def is_archive(beginning: bytes) -> bool:
    """Return whether a member that begins with `beginning` is packed itself."""
    return beginning.startswith(_MAGIC) or beginning.startswith(_TAR, _TAR_PLACE)
