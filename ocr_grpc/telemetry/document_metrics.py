"""Counts documents, pages and what they cost, under names that users of earlier services know."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class DocumentMetrics:
    """The counters of what reads documents. Kinds and engines are few, so labels are bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        self.in_progress = Gauge(
            "ocr_in_progress", "Documents that are being read.", ["kind"], registry=registry
        )
        self.requests = Counter(
            "ocr_requests",
            "Documents that callers had read, by what they are; `unknown` could not be opened.",
            ["kind"],
            registry=registry,
        )
        self.images = Counter("image_requests", "Those that were images.", registry=registry)
        self.pdfs = Counter("pdf_requests", "Those that were PDF.", registry=registry)
        self.seconds = Histogram(
            "ocr_processing_seconds",
            "Seconds from a whole document's arrival to the end of its work.",
            ["kind"],
            buckets=SECONDS,
            registry=registry,
        )
        self.input_bytes = Counter(
            "ocr_input_bytes", "Bytes of documents.", ["kind"], registry=registry
        )
        self.first_text_seconds = Histogram(
            "ocr_first_text_seconds",
            "Seconds from a whole document's arrival to its first text.",
            ["kind"],
            buckets=SECONDS,
            registry=registry,
        )
        self.wait_seconds = Histogram(
            "ocr_queue_wait_seconds",
            "Seconds from the opening of a document to its first page.",
            buckets=SECONDS,
            registry=registry,
        )
        self.pages = Counter(
            "ocr_pages",
            "Pages that ended; `work` is call or batch, `engine` is empty for text layers.",
            ["outcome", "engine", "work"],
            registry=registry,
        )
        self.prompt_tokens = Counter(
            "prompt_tokens", "Tokens sent to language models.", registry=registry
        )
        self.completion_tokens = Counter(
            "completion_tokens", "Tokens that language models answered.", registry=registry
        )
        self.tokens = Counter("tokens", "Both together.", registry=registry)

    def spent(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count the tokens of a page."""
        self.prompt_tokens.inc(prompt_tokens)
        self.completion_tokens.inc(completion_tokens)
        self.tokens.inc(prompt_tokens + completion_tokens)
