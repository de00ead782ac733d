"""The request of Mistral's OCR endpoint."""

import re
from typing import ClassVar

from pydantic import Field

from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.options import MAX_PAGES_CHARS
from ocr_grpc.rpc.compatibility.request import Body, NamedDocument, ReadRequest, parse
from ocr_grpc.rpc.errors import DocumentMissing

_PAGES = re.compile(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", re.ASCII)


class ImageUrl(Body):
    """An image, where its URL is in an object."""

    ignored: ClassVar[frozenset[str]] = frozenset({"detail"})
    url: str = Field(repr=False)


class OcrDocument(Body):
    """Where the document is."""

    type: str = ""
    document_url: str | None = Field(default=None, repr=False)
    document_name: str | None = None
    image_url: str | ImageUrl | None = Field(default=None, repr=False)


class OcrBody(Body):
    """The whole request."""

    # Clients send some of these by default, and without extracted images they change nothing.
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"id", "include_image_base64", "image_limit", "image_min_size", "include_blocks"}
    )
    model: str | None = None
    document: OcrDocument
    pages: list[int] | str | None = None


def parse_ocr(body: bytes) -> ReadRequest:
    """Return what is asked for. Blocks for as long as the body is large.

    Raises:
        MalformedRequest: it is no JSON.
        InvalidOption: a field cannot be honoured.
        DocumentMissing: there is no URL.
    """
    asked = parse(OcrBody, body)
    return ReadRequest(asked.model or "", [_named(asked.document)], _pages(asked.pages))


def _named(document: OcrDocument) -> NamedDocument:
    image = document.image_url
    image_url = image.url if isinstance(image, ImageUrl) else image
    if document.document_url and image_url:
        raise InvalidOption("One document at a time.", field="document")
    name = document.document_name or ""
    if document.document_url:
        return NamedDocument(document.document_url, "document.document_url", name)
    if image_url:
        return NamedDocument(image_url, "document.image_url", name)
    raise DocumentMissing(
        "`document` has a `document_url` or an `image_url`; files are not kept here.",
        field="document",
    )


def _pages(pages: list[int] | str | None) -> str:
    """Return pages that are counted from 0 as the option, which counts them from 1.

    Raises:
        InvalidOption: they are written in another way.
    """
    if not pages:
        return ""
    text = pages if isinstance(pages, str) else ",".join(map(str, pages))
    ranges = [_PAGES.fullmatch(part) for part in text[: MAX_PAGES_CHARS + 1].split(",")]
    if len(text) > MAX_PAGES_CHARS or not all(ranges):
        raise InvalidOption(
            "Pages are numbers and ranges such as 0,2-4, counted from 0.", field="pages"
        )
    return ",".join(
        "-".join(str(int(number) + 1) for number in match.groups() if number)
        for match in ranges
        if match
    )
