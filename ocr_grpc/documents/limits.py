"""How much of everything one document may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The bounds every document is held to; `settings.py` fills them in.

    Attributes:
        max_document_bytes: a longer file is refused before anybody opens it.
        max_pages: a document with more pages, or frames, is refused when opened.
        max_page_pixels: a PDF page with more is rendered at a lower dpi, an image is refused.
        max_archive_members: a zip container (DOCX, EPUB, …) with more is refused.
        max_archive_bytes: the same for what all its members have unpacked.
        max_archive_ratio: the same for a member's size over that of its packed form; members under
            1 MiB unpacked are let off.
        max_pictures_per_page: more on a page of a structured document are left out.
        open_seconds: wall time to open a document in a reader.
        page_seconds: wall time for one page call, its re-opening not included.
        reader_memory_bytes: address space of one reader process, program code included.
        leases_per_reader: a reader is replaced after so many, so that leaks of the parsers and
            whatever a hostile file left behind do not live for ever.
        contended_lease_seconds: how long a document may keep a reader while others wait; a page
            under way is finished first.
    """

    max_document_bytes: int = 512 * 1024 * 1024
    max_pages: int = 10_000
    max_page_pixels: int = 100_000_000
    max_archive_members: int = 10_000
    max_archive_bytes: int = 1024 * 1024 * 1024
    max_archive_ratio: int = 200
    max_pictures_per_page: int = 50
    open_seconds: float = 30.0
    page_seconds: float = 30.0
    reader_memory_bytes: int = 2 * 1024 * 1024 * 1024
    leases_per_reader: int = 200
    contended_lease_seconds: float = 2.0

    @property
    def spool_file_bytes(self) -> int:
        """The most bytes a spool file can need: three channels of the largest page."""
        return 3 * self.max_page_pixels
