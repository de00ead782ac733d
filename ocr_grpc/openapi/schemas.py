"""Messages and enums as JSON schemas, in the form in which the sidecar writes and reads them.

In answers every field without presence is there, zero or not; `optional` ones, messages and members
of a `oneof` are left out when unset. In requests everything may be left out. A message that travels
both ways therefore has two schemas, the second with `Input` behind its name.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from ocr_grpc.openapi.comments import Comments
from ocr_grpc.openapi.well_known import ERROR_SCHEMAS, WELL_KNOWN

JsonObject = dict[str, Any]
Direction = Literal["request", "answer"]

INT32: JsonObject = {"type": "integer", "format": "int32"}
INT64: JsonObject = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
SCALARS: Mapping[int, JsonObject] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT32: INT32,
    FieldDescriptor.TYPE_INT64: INT64,
    FieldDescriptor.TYPE_STRING: {"type": "string"},
}
"""The scalar types this contract uses; another one needs its line here."""


class Schemas:
    """The schemas of all messages that are spoken of, each under one name.

    Args:
        comments: of the protos.
        answers: messages that answers are made of; what they consist of counts too.
        in_path: by the full name of a request: its fields that stand in the path, not in the body.
    """

    def __init__(
        self,
        comments: Comments,
        answers: Iterable[Descriptor],
        in_path: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._comments = comments
        self._in_path = in_path
        self._components: dict[str, JsonObject] = {}
        self._names: dict[str, str] = {}
        self._answers: frozenset[str] = frozenset()
        for message in answers:
            self.message(message, "answer")
        self._answers = frozenset(self._components)

    @property
    def components(self) -> dict[str, JsonObject]:
        """Return all schemas that can be referred to, by their names, sorted."""
        for name in ERROR_SCHEMAS:
            self._claim(name, f"google.rpc.{name}")
        return dict(sorted({**self._components, **ERROR_SCHEMAS}.items()))

    def message(self, message: Descriptor, direction: Direction) -> JsonObject:
        """Return a schema of a message, mostly a reference."""
        known = WELL_KNOWN.get(message.full_name)
        if known is not None:
            return dict(known)
        name = self._name(message, direction)
        if name not in self._components:
            self._components[name] = {}  # first, as messages may contain themselves
            self._components[name] = self._object(message, direction)
        return {"$ref": f"#/components/schemas/{name}"}

    def field(self, field: FieldDescriptor, direction: Direction) -> JsonObject:
        """Return a schema of a field, with its comment."""
        schema = self._value(field, direction)
        if field.is_repeated and not _is_map(field):
            schema = {"type": "array", "items": schema}
        if field.name.endswith("password"):
            schema["format"] = "password"
        comment = self._comments.get(field.full_name)
        return {**schema, "description": comment} if comment else schema

    def _object(self, message: Descriptor, direction: Direction) -> JsonObject:
        left_out = self._in_path.get(message.full_name, ()) if direction == "request" else ()
        fields = [field for field in message.fields if field.name not in left_out]
        schema: JsonObject = {"type": "object"}
        comment = self._described(message, direction)
        if comment:
            schema["description"] = comment
        if fields:
            schema["properties"] = {field.name: self.field(field, direction) for field in fields}
        required = [field.name for field in fields if not field.has_presence]
        if direction == "answer" and required:
            schema["required"] = required
        return schema

    def _described(self, message: Descriptor, direction: Direction) -> str:
        paragraphs = [self._comments.get(message.full_name, "")]
        for oneof in message.oneofs:
            members = [field.name for field in oneof.fields]
            # An `optional` field is a oneof of its own in the descriptor.
            if len(members) > 1:
                count = "Exactly one" if direction == "answer" else "At most one"
                names = ", ".join(f"`{name}`" for name in members)
                paragraphs.append(f"{count} of these is there: {names}.")
        return "\n\n".join(filter(None, paragraphs))

    def _value(self, field: FieldDescriptor, direction: Direction) -> JsonObject:
        message = field.message_type
        if message is not None and message.GetOptions().map_entry:
            value = message.fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._value(value, direction)}
        if message is not None:
            return self.message(message, direction)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        return dict(SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor) -> JsonObject:
        name = self._claim(enum.name, enum.full_name)
        values = [value.name for value in enum.values]
        meanings = (
            f"- `{value}`: {self._comments.get(f'{enum.full_name}.{value}', '')}"
            for value in values
        )
        comment = self._comments.get(enum.full_name, "")
        self._components[name] = {
            "type": "string",
            "enum": values,
            "description": "\n".join((comment, "", *meanings)),
        }
        return {"$ref": f"#/components/schemas/{name}"}

    def _name(self, message: Descriptor, direction: Direction) -> str:
        both = direction == "request" and message.name in self._answers
        return self._claim(f"{message.name}Input" if both else message.name, message.full_name)

    def _claim(self, name: str, full_name: str) -> str:
        if self._names.setdefault(name, full_name) != full_name:
            raise ValueError(f"{name} would be both {self._names[name]} and {full_name}")
        return name


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
