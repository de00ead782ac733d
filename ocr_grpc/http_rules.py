"""What the annotations `google.api.http` of the protos say: how each RPC is called over HTTP."""

from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import MethodDescriptor

_HTTP: Any = annotations_pb2.http  # its stubs have no type that `Extensions` takes


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """One way to call an RPC over HTTP.

    Attributes:
        method: the HTTP method, such as `GET`.
        path: a template, such as `/v1/keys/{key_id}`.
        body: the field of the request that is the body; `*`: all that the path does not hold;
            empty: there is none.
        response_body: the field of the answer that is the body. Empty: the whole message.
    """

    method: str
    path: str
    body: str
    response_body: str


def bindings_of(method: MethodDescriptor) -> tuple[HttpBinding, ...]:
    """Return the binding of an RPC, then its additional ones; none without an annotation.

    Raises:
        ValueError: a binding has no path.
    """
    options = method.GetOptions()
    if not options.HasExtension(_HTTP):
        return ()
    rule: HttpRule = options.Extensions[_HTTP]
    return tuple(_binding(each) for each in (rule, *rule.additional_bindings))


def _binding(rule: HttpRule) -> HttpBinding:
    pattern = rule.WhichOneof("pattern")
    if pattern is None:
        raise ValueError("a google.api.http option without a path")
    if pattern == "custom":
        method, path = rule.custom.kind, rule.custom.path
    else:
        method, path = pattern, str(getattr(rule, pattern))
    return HttpBinding(method.upper(), path, rule.body, rule.response_body)
