"""The request of OpenAI's chat endpoint: its documents, and what was said beside them."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from ocr_grpc.errors import InvalidOption
from ocr_grpc.rpc.compatibility.ocr_body import ImageUrl
from ocr_grpc.rpc.compatibility.request import Body, NamedDocument, ReadRequest, parse
from ocr_grpc.rpc.errors import DocumentMissing

MAX_DOCUMENTS = 32
TEXT_TYPES = ("text", "refusal")


class File(Body):
    """A file in the request."""

    filename: str | None = None
    file_data: str | None = Field(default=None, repr=False)


class Part(Body):
    """A part of a message: text, which is ignored unless an engine takes prompts, or a document."""

    type: str
    text: Any = Field(default=None, repr=False)
    refusal: Any = Field(default=None, repr=False)
    image_url: str | ImageUrl | None = Field(default=None, repr=False)
    file: File | None = None


class Message(Body):
    """A message of the conversation."""

    # What earlier answers hold comes back with the next question.
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"name", "annotations", "reasoning", "reasoning_content"}
    )
    role: str
    content: str | list[Part] | None = Field(default=None, repr=False)


class StreamOptions(Body):
    """What a stream brings beside the text."""

    ignored: ClassVar[frozenset[str]] = frozenset({"include_obfuscation", "continuous_usage_stats"})
    include_usage: bool | None = None


class TextFormat(Body):
    """The form of the answer: text, and nothing else."""

    type: Literal["text"]


class ChatBody(Body):
    """The whole request."""

    # What steers how a language model picks its next word; there is nothing to pick here.
    ignored: ClassVar[frozenset[str]] = frozenset(
        {
            "frequency_penalty",
            "max_completion_tokens",
            "max_tokens",
            "metadata",
            "min_p",
            "parallel_tool_calls",
            "presence_penalty",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning_effort",
            "repetition_penalty",
            "safety_identifier",
            "seed",
            "service_tier",
            "skip_special_tokens",
            "store",
            "temperature",
            "tool_choice",
            "top_k",
            "top_p",
            "user",
            "verbosity",
        }
    )
    model: str | None = None
    messages: list[Message] = Field(repr=False)
    n: Literal[1] | None = None
    response_format: TextFormat | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    modalities: list[Literal["text"]] | None = None


def parse_chat(body: bytes) -> ReadRequest:
    """Return what is asked for. Blocks for as long as the body is large.

    Raises:
        MalformedRequest: it is no JSON.
        InvalidOption: a field cannot be honoured.
        DocumentMissing: no message has a document.
    """
    asked = parse(ChatBody, body)
    documents = list(_documents(asked.messages))
    if not documents:
        raise DocumentMissing(
            "No message has a part `image_url` or `file`: this is an OCR service and reads "
            "documents.",
            field="messages",
        )
    if len(documents) > MAX_DOCUMENTS:
        raise InvalidOption(
            f"A conversation has at most {MAX_DOCUMENTS} documents.",
            field="messages",
            maximum=MAX_DOCUMENTS,
        )
    options = asked.stream_options
    return ReadRequest(
        asked.model or "",
        documents,
        stream=bool(asked.stream),
        include_usage=bool(options and options.include_usage),
        prompt="\n".join(_words(asked.messages)),
    )


def _words(messages: list[Message]) -> Iterator[str]:
    """Yield what the user says beside documents."""
    for message in messages:
        if message.role != "user":
            continue
        if isinstance(message.content, str):
            yield message.content
        for part in message.content if isinstance(message.content, list) else []:
            if part.type == "text" and isinstance(part.text, str):
                yield part.text


def _documents(messages: list[Message]) -> Iterator[NamedDocument]:
    for number, message in enumerate(messages):
        parts = message.content if isinstance(message.content, list) else []
        for index, part in enumerate(parts):
            path = f"messages.{number}.content.{index}"
            if part.type == "image_url" and part.image_url:
                image = part.image_url
                url = image.url if isinstance(image, ImageUrl) else image
                yield NamedDocument(url, f"{path}.image_url.url")
            elif part.type == "file" and part.file and part.file.file_data:
                yield _file(part.file.file_data, part.file.filename or "", path)
            elif part.type not in TEXT_TYPES:
                raise InvalidOption(
                    "A part is a `text`, an `image_url` or a `file` with its `file_data`.",
                    field=path,
                )


def _file(content: str, name: str, path: str) -> NamedDocument:
    # As documented it is a `data:` URI, but many send the Base64 alone.
    return NamedDocument(content, f"{path}.file.file_data", name, is_bare=":" not in content[:10])
