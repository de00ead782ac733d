"""What a reader process of each family loads before the sandbox closes. Child only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.formats import Family

Opener = Callable[[Opening], Any]
"""Opens a document as an `OpenFile` of the family."""


def opener_of(family: Family) -> Opener:
    """Load the libraries of a family and return what opens its documents."""
    # Imported here: a reader for PDF has no use for an HTML parser, and less to be attacked by.
    if family is Family.PAGES:
        from ocr_grpc.documents import drawn

        drawn.warm_up()
        return drawn.open_drawn
    from ocr_grpc.documents.office import written

    written.warm_up()
    return written.open_written


def programs_of(family: Family) -> list[Path]:
    """Return the programs that readers of a family may start."""
    if family is Family.PAGES:
        return []
    from ocr_grpc.documents.office.flow import pandoc

    return [pandoc.program().resolve()]
