"""XML of strangers: no DOCTYPE, so no entities; nothing is fetched. Child only."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any
from xml.parsers import expat

from lxml import etree

from ocr_grpc.documents.protocol import Failure, ReaderFailure

Element = etree._Element  # pyright: ignore[reportPrivateUsage] - the only name of the type

_RELATIONSHIPS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)


class _RootReached(Exception):
    """The first element begins: a DOCTYPE cannot come any more."""


def parse(content: bytes) -> Element:
    """Return the root of a part.

    libxml2 bounds the depth (256) and the length of texts (10 MB) as long as it is not told that
    the tree is huge.

    Raises:
        ReaderFailure: DOCTYPE; CORRUPT if it is not well-formed, or nested too deeply.
    """
    return _parse(content, lenient=False)


def parse_xhtml(content: bytes) -> Element:
    """Return the root of a part that may have a DOCTYPE, as XHTML does, but declares nothing in it.

    Raises:
        ReaderFailure: as `parse`.
    """
    return _parse(content, lenient=True)


def without_doctype(chunks: Iterable[bytes], *, lenient: bool = False) -> Iterator[bytes]:
    """Pass on the pieces of a part, unless it has a DOCTYPE.

    Args:
        chunks: the part, in pieces.
        lenient: lets those pass that declare nothing, as in XHTML, and text that is no XML.

    Raises:
        ReaderFailure: DOCTYPE; CORRUPT if it is no XML up to its first element.
    """
    prolog = _Prolog(lenient=lenient)
    for chunk in chunks:
        prolog.feed(chunk)
        yield chunk
    prolog.end()


def _parse(content: bytes, *, lenient: bool) -> Element:
    for _ in without_doctype([content], lenient=lenient):
        pass
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, LookupError, ValueError) as error:
        raise ReaderFailure(Failure.CORRUPT) from error
    # In encodings that expat does not know, only libxml2 sees what is declared.
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and (not lenient or next(declared.iterentities(), None) is not None):
        raise ReaderFailure(Failure.DOCTYPE)
    return root


class _Prolog:
    """What comes before the first element, in whatever encoding."""

    def __init__(self, *, lenient: bool) -> None:
        self._lenient = lenient
        self._over = False
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._root

    def feed(self, chunk: bytes) -> None:
        if not self._over:
            try:
                self._parser.Parse(chunk, False)
            except _RootReached:
                self._over = True
            except (expat.ExpatError, ValueError, LookupError) as error:
                # HTML is not always XML; whoever reads it as HTML knows no entities.
                if not self._lenient:
                    raise ReaderFailure(Failure.CORRUPT) from error
                if b"<!ENTITY" in chunk:
                    raise ReaderFailure(Failure.DOCTYPE) from error
                self._over = True

    def end(self) -> None:
        if not self._over:
            # expat may have put off looking at the last bytes. An empty part is no harm.
            with contextlib.suppress(expat.ExpatError, _RootReached):
                self._parser.Parse(b"", True)

    def _root(self, *_: Any) -> None:
        raise _RootReached

    def _doctype(self, _name: str, _system: object, _public: object, internal_subset: bool) -> None:
        if internal_subset or not self._lenient:
            raise ReaderFailure(Failure.DOCTYPE)


def relation_id(element: Element, name: str) -> str:
    """Return an attribute that names a relation, such as `r:embed`, in either namespace of Office.

    Empty if there is none.
    """
    found = (element.get(f"{{{space}}}{name}") for space in _RELATIONSHIPS)
    return next((value for value in found if value), "")
