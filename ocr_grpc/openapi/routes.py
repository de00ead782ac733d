"""What the protos say about HTTP: one route for each binding of each RPC."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor

from ocr_grpc.http_rules import bindings_of
from ocr_grpc.v1 import access_pb2

HTTP_BODY = HttpBody.DESCRIPTOR.full_name
WHOLE_BODY = "*"

VARIABLE = re.compile(r"{([a-z_.]+)(?:=\*)?}")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to call an RPC over HTTP.

    Attributes:
        method: the RPC.
        verb: the HTTP method, in lower case.
        path: with the names of its variables in braces.
        path_fields: fields of the request that the path holds.
        body: the field that is the body of the request; `*`: all that the path does not hold;
            empty: there is none.
        response_body: the field that is the body of the answer. Empty: the whole message.
        operation_id: names it in generated clients.
    """

    method: MethodDescriptor
    verb: str
    path: str
    path_fields: tuple[str, ...]
    body: str
    response_body: str
    operation_id: str

    @property
    def name(self) -> str:
        """Return what the RPC is called within the package, such as `OcrService.Extract`."""
        return f"{self.method.containing_service.name}.{self.method.name}"

    @property
    def access(self) -> access_pb2.Access:
        """Return what the RPC asks of its caller."""
        return self.method.GetOptions().Extensions[access_pb2.access]

    @property
    def query_fields(self) -> list[FieldDescriptor]:
        """Return the fields of the request that are neither in the path nor in the body."""
        if self.body == WHOLE_BODY:
            return []
        elsewhere = {*self.path_fields, self.body}
        return [field for field in self.method.input_type.fields if field.name not in elsewhere]

    @property
    def has_raw_request(self) -> bool:
        """Say whether the body of the request is bytes and not the JSON of a message."""
        return bool(self.body) and _is_raw(self.method.input_type.fields_by_name.get(self.body))

    @property
    def has_raw_answer(self) -> bool:
        """Say whether the body of the answer is bytes and not the JSON of a message."""
        return _is_raw(self.method.output_type.fields_by_name.get(self.response_body))


def routes_of(services: Iterable[ServiceDescriptor]) -> list[Route]:
    """Return the routes of all RPCs that have any, in the order of the protos."""
    return [
        route for service in services for method in service.methods for route in _routes(method)
    ]


def _routes(method: MethodDescriptor) -> Iterator[Route]:
    for number, binding in enumerate(bindings_of(method), start=1):
        # A variable over several segments has no counterpart in OpenAPI.
        if set("{*") & set(VARIABLE.sub("", binding.path)):
            raise ValueError(f"{binding.path}: only variables of one segment can be described")
        suffix = f"_{number}" if number > 1 else ""
        yield Route(
            method=method,
            verb=binding.method.lower(),
            path=VARIABLE.sub(r"{\1}", binding.path),
            path_fields=tuple(VARIABLE.findall(binding.path)),
            body=binding.body,
            response_body=binding.response_body,
            operation_id=f"{method.containing_service.name}_{method.name}{suffix}",
        )


def _is_raw(field: FieldDescriptor | None) -> bool:
    return (
        field is not None
        and field.message_type is not None
        and field.message_type.full_name == HTTP_BODY
    )
