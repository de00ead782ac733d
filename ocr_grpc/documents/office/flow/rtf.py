"""RTF: made simple enough for pandoc, which knows one code page and no pictures. Child only."""

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office.flow.flow import Flow, FlowPages, open_flow
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.office.flow.rtf_rewriter import Rewriter
from ocr_grpc.documents.office.flow.rtf_tables import without_word
from ocr_grpc.documents.office.flow.tree import Blocks
from ocr_grpc.documents.office.flow.typed_lists import with_typed_lists


def open_rtf(opening: Opening) -> FlowPages:
    """Open an RTF document.

    Raises:
        ReaderFailure: it is damaged.
    """
    opening.file.seek(0)
    marks = Marks()
    rewriter = Rewriter(opening.file.read(), marks)
    content = rewriter.rewritten()

    def made(blocks: Blocks) -> Blocks:
        if rewriter.tables.separated:
            blocks = without_word(blocks, marks.nothing)
        return with_typed_lists(blocks)

    flow = Flow(content, "rtf", marks, pictures=rewriter.pictures, raw=made)
    return open_flow(opening, DocumentKind.RTF, flow)
