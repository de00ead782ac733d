"""What callers are told about each format."""

from dataclasses import dataclass

from ocr_grpc.documents.document import DocumentKind


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        media_types: the preferred one first.
        text_layer: whether its pages can carry text of their own.
    """

    media_types: tuple[str, ...]
    text_layer: bool = False


FORMATS = {
    DocumentKind.PDF: Format(("application/pdf",), text_layer=True),
    DocumentKind.PNG: Format(("image/png",)),
    DocumentKind.JPEG: Format(("image/jpeg",)),
    DocumentKind.WEBP: Format(("image/webp",)),
    DocumentKind.TIFF: Format(("image/tiff",)),
    DocumentKind.BMP: Format(("image/bmp", "image/x-ms-bmp")),
    DocumentKind.GIF: Format(("image/gif",)),
}
