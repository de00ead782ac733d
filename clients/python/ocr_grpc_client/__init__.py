"""A client of ocr_grpc, the OCR service that streams recognized text over gRPC."""

from .assembler import Assembler, Document, Page
from .client import OcrClient
from .credentials import Tokens
from .errors import FieldViolation, OcrError, QuotaViolation
from .extraction import ExtractEvent
from .messages import (
    BatchPriority,
    ExtractOptions,
    Mode,
    NewBatchDocument,
    PageOutcome,
    Quality,
    ResultFormat,
    TextFormat,
)
from .sources import Source
from .sync import SyncOcrClient

__all__ = [
    "Assembler",
    "BatchPriority",
    "Document",
    "ExtractEvent",
    "ExtractOptions",
    "FieldViolation",
    "Mode",
    "NewBatchDocument",
    "OcrClient",
    "OcrError",
    "Page",
    "PageOutcome",
    "Quality",
    "QuotaViolation",
    "ResultFormat",
    "Source",
    "SyncOcrClient",
    "TextFormat",
    "Tokens",
]
