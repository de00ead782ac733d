"""Decides by its first bytes what a document is; its name never does."""

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.errors import UnknownFormat

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
)
_BMP_HEADER_BYTES = frozenset((12, 40, 52, 56, 64, 108, 124))


def sniff(head: bytes) -> DocumentKind:
    """Return the kind of the document that begins with `head`.

    Args:
        head: its first `SNIFFED_BYTES`, or all of it if it is shorter; not empty.

    Raises:
        UnknownFormat: it is none of the formats this service reads.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return DocumentKind.WEBP
    # Two letters prove nothing; the size of the header that follows does.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES:
        return DocumentKind.BMP
    if b"%PDF-" in head[:SNIFFED_BYTES]:
        return DocumentKind.PDF
    names = ", ".join(kind.name for kind in DocumentKind)
    raise UnknownFormat(
        f"The content is of no known format. Send one of: {names}.", formats=names.lower()
    )
