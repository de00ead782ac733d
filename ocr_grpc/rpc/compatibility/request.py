"""What both interfaces are asked for, once their JSON is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError, from_json

from ocr_grpc.errors import InvalidOption
from ocr_grpc.rpc.errors import MalformedRequest

MAX_FIELD_CHARS = 200
MAX_VALUES = 200_000
"""Values in one JSON body. Small ones take many times their size in memory."""

MAX_ERRORS = 100
"""Wrong values of which the deepest is named. Each costs far more memory than it has."""

NOTHING: tuple[object, ...] = (None, False, "", [], {})
"""What a field may hold that asks for nothing."""


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A document that a request brings, or says where it is."""

    url: str = field(repr=False)
    field_path: str
    """Where it stood, such as `document.document_url`."""
    file_name: str = ""
    is_bare: bool = False
    """Whether it is Base64 alone, without the head of a `data:` URI."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Documents to be read one after another."""

    model: str
    documents: list[NamedDocument]
    pages: str = ""
    stream: bool = False
    include_usage: bool = False
    prompt: str = field(default="", repr=False)
    """What was said beside the documents."""


class Body(BaseModel):
    """A JSON object of which some fields are honoured, some ignored, and all others refused."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    ignored: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _has_nothing_else(self) -> "Body":
        extra: Mapping[str, Any] = self.model_extra or {}
        for name, value in extra.items():
            if name not in self.ignored and value not in NOTHING:
                raise PydanticCustomError(
                    "unsupported",
                    "This server does not know `{name}` here, or cannot do what it asks for.",
                    {"name": name[:MAX_FIELD_CHARS]},
                )
        return self


AnyBody = TypeVar("AnyBody", bound=Body)


def parse(kind: type[AnyBody], body: bytes) -> AnyBody:
    """Return the JSON of a request. Blocks for as long as the body is large.

    Raises:
        MalformedRequest: it is no JSON.
        InvalidOption: a field has a value that it cannot have.
    """
    # Base64 has none of these, so they tell how many values there are, without reading them.
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise MalformedRequest(
            f"The body has more than {MAX_VALUES} values. Send documents in Base64."
        )
    try:
        # Not by the model itself, which would copy every document once more.
        value = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise MalformedRequest("The body is no JSON.") from None
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        if error.error_count() > MAX_ERRORS:
            raise InvalidOption("Most of the body is not as it should be.", field="body") from None
        # The deepest: where a value may be one of several things, that is what it was meant to be.
        worst = max(
            error.errors(include_url=False, include_input=False, include_context=True),
            key=lambda each: len(each["loc"]),
        )
    parts = [str(part) for part in worst["loc"] if str(part).replace("_", "").isalnum()]
    if name := worst.get("ctx", {}).get("name"):
        parts.append(str(name))
    path = ".".join(part for part in parts if part not in ("str", "list", "int"))
    raise InvalidOption(f"{path or 'body'}: {worst['msg']}"[:500], field=path[:MAX_FIELD_CHARS])
