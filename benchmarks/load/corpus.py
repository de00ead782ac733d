"""The documents that callers have read: each kind of way through the service, all of them small."""

import io
from dataclasses import dataclass, field

from docx import Document as WordDocument

from benchmarks.documents import image_document, small_image, text_document
from ocr_grpc.v1 import options_pb2

MIB = 2**20

MODEL_TEXT = "The model has read this page."
"""What the model's server of the trials writes, whatever it is asked."""


@dataclass(frozen=True)
class LoadDocument:
    """A document as it is sent.

    Attributes:
        name: in histories.
        content: its bytes.
        file_name: what it is called.
        weight: how often it is chosen, beside others.
        engine: that reads it; empty for the usual one.
        in_pieces: whether it is so large that it is only uploaded.
    """

    name: str
    content: bytes
    file_name: str = ""
    weight: float = 1.0
    engine: str = ""
    in_pieces: bool = False

    def options(self, skip_cache: bool = True) -> options_pb2.ExtractOptions:
        """Return how it is to be read."""
        return options_pb2.ExtractOptions(engine=self.engine, skip_cache=skip_cache)


@dataclass(frozen=True)
class Corpus:
    """All documents, by name."""

    documents: dict[str, LoadDocument] = field(default_factory=dict[str, LoadDocument])

    def small(self) -> list[LoadDocument]:
        """Return those that fit into a message."""
        return [each for each in self.documents.values() if not each.in_pieces]


def corpus(*, with_model: bool) -> Corpus:
    """Return the documents of a trial.

    Args:
        with_model: whether the service has a vision-language model.
    """
    all_documents = [
        LoadDocument("text-3", text_document(3), "text.pdf", 6),
        LoadDocument("text-20", text_document(20), "long.pdf", 2),
        LoadDocument("image", small_image(), "image.png", 5),
        LoadDocument("scans-4", image_document(["invoice-en"] * 4, 50), "scans.pdf", 3),
        LoadDocument("word-3", _word(3), "letter.docx", 2),
        LoadDocument("broken", b"%PDF-1.7 broken", "broken.pdf", 1),
        LoadDocument("strange", b"\x7fELF\2\1\1" + bytes(range(40)) * 9, "strange", 1),
        LoadDocument("large", _large(8 * MIB), "large.pdf", 1, in_pieces=True),
    ]
    if with_model:
        all_documents.append(LoadDocument("model", small_image(), "m.png", 3, engine="vlm"))
    return Corpus({each.name: each for each in all_documents})


def _word(pages: int) -> bytes:
    document = WordDocument()
    for page in range(1, pages + 1):
        document.add_paragraph(f"A letter of {pages} pages, of which this is number {page}.")
        if page < pages:
            document.add_page_break()
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


def _large(size_bytes: int) -> bytes:
    """Return a PDF of one page with much after its end, which readers pass over."""
    return text_document(1) + b"%" + bytes(range(32, 127)) * (size_bytes // 95)
