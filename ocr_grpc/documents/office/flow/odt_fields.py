"""What pandoc drops from OpenDocument texts with all that is in it: renamed, unwrapped. Child only.

Source: OpenDocument 1.3, part 3, sections 5.3.6 (numbered paragraphs), 6.4 (ruby), 7 (fields) and
8 (indexes).
"""

from ocr_grpc.documents.office.archives import xml

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_FIELDS = tuple(
    f"{_TEXT}{name}"
    for name in (
        *("date", "time", "page-number", "page-continuation", "page-variable-get", "chapter"),
        *("author-name", "author-initials", "file-name", "template-name", "sheet-name"),
        *(f"sender-{part}" for part in ("firstname", "lastname", "initials", "title", "position")),
        *(f"sender-{part}" for part in ("email", "phone-private", "phone-work", "fax", "company")),
        *(f"sender-{part}" for part in ("street", "city", "postal-code", "country")),
        "sender-state-or-province",
        *("variable-set", "variable-get", "variable-input", "user-field-get", "user-field-input"),
        *("expression", "text-input", "placeholder", "conditional-text", "hidden-text"),
        *("drop-down", "measure", "table-formula", "dde-connection", "execute-macro"),
        *("title", "subject", "keywords", "description", "user-defined", "creator"),
        *("initial-creator", "creation-date", "creation-time", "printed-by", "print-date"),
        *("print-time", "modification-date", "modification-time"),
        *("editing-cycles", "editing-duration"),
        *(f"{of}-count" for of in ("page", "paragraph", "word", "character", "table", "image")),
        *("object-count", "database-name", "database-display", "database-row-number"),
        *("sequence-ref", "note-ref", "meta", "meta-field", "ruby", "ruby-base"),
    )
)
_INDEXES = tuple(
    f"{_TEXT}{name}"
    for name in (
        *("table-of-content", "illustration-index", "table-index", "object-index", "user-index"),
        *("alphabetical-index", "bibliography"),
    )
)
_WRAPPERS = (f"{_TEXT}index-body", f"{_TEXT}index-title", f"{_TEXT}numbered-paragraph")


def unwrap(root: xml.Element) -> None:
    """Make words of fields and furigana, and paragraphs of indexes and numbered paragraphs."""
    for reading in list(root.iter(f"{_TEXT}ruby-text")):
        reading.text = None
        for inner in list(reading):
            reading.remove(inner)
    for element in list(root.iterdescendants(*_FIELDS)):
        if not _is_hidden(element):
            element.tag = f"{_TEXT}span"
    # From the outside in, so that whatever is nested moves once.
    for wrapper in list(root.iterdescendants(*_INDEXES, *_WRAPPERS)):
        for inner in list(wrapper):
            # The other parts of an index say how it is made.
            if wrapper.tag not in _INDEXES or inner.tag == f"{_TEXT}index-body":
                wrapper.addprevious(inner)
        parent = wrapper.getparent()
        if parent is not None:
            parent.remove(wrapper)


def _is_hidden(field: xml.Element) -> bool:
    return field.get(f"{_TEXT}display") == "none" or field.get(f"{_TEXT}is-hidden") == "true"
