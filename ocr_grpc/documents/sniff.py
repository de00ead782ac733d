"""Decides by its first bytes who reads a document; its name never does."""

import re
from dataclasses import dataclass

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.formats import Family

SNIFFED_BYTES = 1024
"""How much of the beginning is looked at: a PDF's header may stand anywhere in it."""

_MAGIC: tuple[tuple[bytes, DocumentKind], ...] = (
    (b"%PDF-", DocumentKind.PDF),
    (b"\x89PNG\r\n\x1a\n", DocumentKind.PNG),
    (b"\xff\xd8\xff", DocumentKind.JPEG),
    (b"II*\0", DocumentKind.TIFF),
    (b"MM\0*", DocumentKind.TIFF),
    (b"II+\0", DocumentKind.TIFF),  # BigTIFF
    (b"MM\0+", DocumentKind.TIFF),
    (b"GIF87a", DocumentKind.GIF),
    (b"GIF89a", DocumentKind.GIF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", DocumentKind.JPEG_2000),
    (b"\xff\x4f\xff\x51", DocumentKind.JPEG_2000),  # a bare codestream
)
_CONTAINERS = (b"PK\3\4", b"PK\5\6", b"\xd0\xcf\x11\xe0", b"{\\rtf")
_BLANK = b" \t\r\n\f\0\xef\xbb\xbf"
_NOT_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
_PDF_BODY = re.compile(rb"[\r\n](?:%[\x80-\xff]{2}|\d+ \d+ obj\b)")
"""The comment that tells mail programs that it is binary, or a first object."""
_BMP_HEADER_BYTES = frozenset((12, 40, 52, 56, 64, 108, 124))


_BRANDS = {
    b"avif": DocumentKind.AVIF,
    b"avis": DocumentKind.AVIF,
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), DocumentKind.HEIC
    ),
}
"""The major brands of the container that HEIF and AVIF share with video files."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the first bytes of a document tell; `kind` is None if its reader has to find out."""

    family: Family
    kind: DocumentKind | None = None


def sniff(head: bytes) -> Sniffed:
    """Return what a document that begins with `head` is, or who will find out.

    Args:
        head: its first `SNIFFED_BYTES`, or all of it if it is shorter; not empty.
    """
    kind = _drawn(head)
    if kind is not None:
        return Sniffed(Family.PAGES, kind)
    # Containers must be looked into, and text must be read, to tell what they are.
    return Sniffed(Family.OFFICE, DocumentKind.RTF if head.startswith(b"{\\rtf") else None)


def _drawn(head: bytes) -> DocumentKind | None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return DocumentKind.WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        # `mif1` says "some picture": what comes after it says whether it is coded as AV1.
        brands = head[8 : int.from_bytes(head[:4], "big")]
        avif = b"avif" in brands or b"avis" in brands
        return DocumentKind.AVIF if avif else _BRANDS[head[8:12]]
    # Two letters prove nothing; the size of the header that follows does.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES:
        return DocumentKind.BMP
    return DocumentKind.PDF if _late_pdf(head) else None


def _late_pdf(head: bytes) -> bool:
    """Return whether a PDF begins behind other bytes, and not an archive or text that mentions it.

    Mail headers, warnings of a web server, or a header of its old file system come before many.
    """
    at = head.find(b"%PDF-", 0, SNIFFED_BYTES)
    if at < 0 or head.startswith(_CONTAINERS):
        return False
    before = head[:at]
    if not before.strip(_BLANK) or _NOT_TEXT.search(before):
        return True
    return before.endswith((b"\n", b"\r")) and _PDF_BODY.search(head, at) is not None
