"""Opens documents whose pages are drawn: PDF and images. Child only."""

from ocr_grpc.documents import images, pdf
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import DrawnFile, Opening


def warm_up() -> None:
    """Load what a first page would load, before the sandbox closes."""
    pdf.warm_up()
    images.warm_up()


def open_drawn(opening: Opening) -> DrawnFile:
    """Open a PDF or an image; its first bytes have told which.

    Raises:
        ReaderFailure: it cannot be opened.
    """
    if opening.kind is DocumentKind.PDF:
        return pdf.open_pdf(opening)
    return images.open_image(opening)
