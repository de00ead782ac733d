"""Reads options from the fields of a form, by their names in the proto."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from ocr_grpc.errors import InvalidOption
from ocr_grpc.rpc.multipart import MAX_NAME_CHARS
from ocr_grpc.v1 import options_pb2

PREFIX = "options."

_BOOLEANS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}

Fields = Mapping[str, list[str]]


def merged_options(first: options_pb2.ExtractOptions, fields: Fields) -> options_pb2.ExtractOptions:
    """Return the options of the first message together with those of a form.

    Args:
        first: what the query said.
        fields: values by name, with or without `options.` before it. Empty ones say nothing, as
            browsers send them for empty inputs.

    Raises:
        InvalidOption: a field is not known, has a value it cannot have, or contradicts the query.
    """
    merged = options_pb2.ExtractOptions()
    merged.CopyFrom(first)
    values: dict[str, list[str]] = {}
    for written, given in fields.items():
        name = written.removeprefix(PREFIX)
        if name not in options_pb2.ExtractOptions.DESCRIPTOR.fields_by_name:
            raise InvalidOption(
                "The form has a field that is no option; `file` is the document.",
                field=written[:MAX_NAME_CHARS],
            )
        values.setdefault(name, []).extend(value for value in given if value)
    for name, given in values.items():
        if given:
            _set(merged, options_pb2.ExtractOptions.DESCRIPTOR.fields_by_name[name], given)
    return merged


def single_value(fields: Fields, name: str, given: str) -> str:
    """Return the value of a field that the query may have `given` too.

    Raises:
        InvalidOption: they differ.
    """
    values = {value for value in (given, *fields.get(name, [])) if value}
    if len(values) > 1:
        raise _contradiction(name)
    return values.pop() if values else ""


def single_flag(fields: Fields, name: str, given: bool) -> bool:
    """Return whether the form or the query says yes, where the query cannot say no.

    Raises:
        InvalidOption: what the form says is neither true nor false, or it says both.
    """
    words = {value.strip().lower() for value in fields.get(name, []) if value}
    if not words <= _BOOLEANS.keys():
        raise InvalidOption(f"`{name}` is true or false.", field=name)
    flags = {_BOOLEANS[word] for word in words}
    if len(flags) > 1 or (given and False in flags):
        raise _contradiction(name)
    return given or True in flags


def _set(options: options_pb2.ExtractOptions, field: FieldDescriptor, values: list[str]) -> None:
    name, known = field.name, getattr(options, field.name)
    if field.is_repeated:
        parts = [part.strip() for value in values for part in value.split(",") if part.strip()]
        if known and list(known) != parts:
            raise _contradiction(name)
        if not known:
            known.extend(parts)
        return
    if len(set(values)) > 1:
        raise _contradiction(name)
    value = _parsed(field, values[0])
    if known and known != value:
        raise _contradiction(name)
    try:
        setattr(options, name, value)
    except ValueError:
        raise _unfit(field, "a number of 32 bits") from None


def _parsed(field: FieldDescriptor, text: str) -> Any:
    if field.enum_type:
        return _enum_value(field, field.enum_type, text)
    if field.type == FieldDescriptor.TYPE_BOOL:
        value = _BOOLEANS.get(text.strip().lower())
        if value is None:
            raise _unfit(field, "true or false")
        return value
    if field.type == FieldDescriptor.TYPE_INT32:
        if not text.strip().removeprefix("-").isdecimal() or len(text) > MAX_NAME_CHARS:
            raise _unfit(field, "a whole number")
        return int(text)
    return text


def _enum_value(field: FieldDescriptor, enum: EnumDescriptor, text: str) -> int:
    """Return the number of `MODE_FORCE_OCR`, which may be written `force-ocr` too."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    name = text.strip().upper().replace("-", "_")
    value = enum.values_by_name.get(name) or enum.values_by_name.get(prefix + name)
    if value is None:
        known = ", ".join(each.name for each in enum.values if each.number)
        raise _unfit(field, f"one of {known}")
    return value.number


def _unfit(field: FieldDescriptor, wanted: str) -> InvalidOption:
    return InvalidOption(f"`{field.name}` is {wanted}.", field=PREFIX + field.name)


def _contradiction(name: str) -> InvalidOption:
    return InvalidOption(f"`{name}` is given twice, with different values.", field=name)
