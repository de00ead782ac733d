"""Writes stubs for grpcio from the descriptors of the contract.

    python scripts/make_stubs.py DESCRIPTORS OUTPUT

betterproto2 writes stubs too: asynchronous ones for grpclib, which knows neither service configs
nor retries, and synchronous ones without deadlines and metadata. Ours are typed the same way and
hand every call to one object that has the channel, the credentials and the errors: `GrpcCaller`.
"""

import re
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

HEADER = '''"""Stubs of the services. Written by scripts/make_stubs.py; do not edit."""

# ruff: noqa
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from typing import Protocol, TypeVar

from betterproto2 import Message

from .grpc.health.v1 import *
from .ocr_grpc.v1 import *

Metadata = tuple[tuple[str, str], ...]
Response = TypeVar("Response", bound=Message)

'''

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
SERVICE, METHOD = 6, 2  # field numbers of FileDescriptorProto and ServiceDescriptorProto


def comments_of(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Return the comments before things, by the path of the thing."""
    return {
        tuple(place.path): "\n".join(
            line.removeprefix(" ").rstrip() for line in place.leading_comments.strip().splitlines()
        )
        for place in file.source_code_info.location
    }


def snake(name: str) -> str:
    """Return the name of a method as Python has it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def docstring(comment: str, indent: str) -> str:
    """Return a docstring of a comment's lines."""
    lines = comment.replace("\\", "\\\\").splitlines()
    if len(lines) == 1:
        return f'{indent}"""{lines[0]}"""\n'
    body = "\n".join(f"{indent}{line}".rstrip() for line in lines[1:])
    return f'{indent}"""{lines[0]}\n{body}\n{indent}"""\n'


def types(method: MethodDescriptorProto, iterable: str) -> tuple[str, str, str]:
    """Return the name of the kind of call, and the types of its request and response."""
    kind = KINDS[2 * method.client_streaming + method.server_streaming]
    request = method.input_type.rpartition(".")[2]
    response = method.output_type.rpartition(".")[2]
    return kind, f"{iterable}[{request}]" if method.client_streaming else request, response


def method_of(path: str, method: MethodDescriptorProto, comment: str, is_async: bool) -> str:
    """Return one method of a stub."""
    kind, request, response = types(method, "AsyncIterable" if is_async else "Iterable")
    define, answer = "def", response
    call = f"self._caller.{kind}("
    if method.server_streaming:
        answer = (
            f"AsyncGenerator[{response}, None]"
            if is_async
            else f"Generator[{response}, None, None]"
        )
    elif is_async:
        define, call = "async def", f"await {call}"
    return (
        f"    {define} {snake(method.name)}(\n"
        f"        self, request: {request}, *,\n"
        f"        timeout: float | None = None, metadata: Metadata = (),\n"
        f"    ) -> {answer}:\n"
        f"{docstring(comment, ' ' * 8)}"
        f'        return {call}"{path}/{method.name}", request, {response}, timeout, metadata)\n'
    )


def service_of(
    package: str,
    service: ServiceDescriptorProto,
    place: tuple[int, ...],
    comments: dict[tuple[int, ...], str],
    is_async: bool,
) -> str:
    """Return the stub of a service."""
    name, caller = ("Stub", "Caller") if is_async else ("SyncStub", "SyncCaller")
    methods = [
        method_of(f"/{package}.{service.name}", method, comments[(*place, METHOD, index)], is_async)
        for index, method in enumerate(service.method)
    ]
    return (
        f"\nclass {service.name}{name}:\n"
        f"{docstring(comments[place], '    ')}\n"
        f"    def __init__(self, caller: {caller}) -> None:\n"
        f"        self._caller = caller\n\n" + "\n".join(methods)
    )


def caller_of(is_async: bool) -> str:
    """Return the protocol of the object that calls are handed to."""
    lines = []
    for kind in KINDS:
        streams_in, streams_out = kind.startswith("stream"), kind.endswith("stream")
        iterable = "AsyncIterable" if is_async else "Iterable"
        request = f"{iterable}[Message]" if streams_in else "Message"
        define, answer = ("async def" if is_async else "def"), "Response"
        if streams_out:
            define = "def"
            answer = (
                "AsyncGenerator[Response, None]" if is_async else "Generator[Response, None, None]"
            )
        lines.append(
            f"    {define} {kind}(\n"
            f"        self, path: str, request: {request}, response: type[Response],\n"
            f"        timeout: float | None, metadata: Metadata, /,\n"
            f"    ) -> {answer}: ...\n"
        )
    name = "Caller" if is_async else "SyncCaller"
    return f'\nclass {name}(Protocol):\n    """Makes calls, by their kind."""\n\n' + "\n".join(
        lines
    )


def main(descriptors: Path, output: Path) -> None:
    """Write the stubs of all services in a file of descriptors."""
    files = FileDescriptorSet.FromString(descriptors.read_bytes()).file
    parts, names = [], []
    for is_async in (True, False):
        parts.append(caller_of(is_async))
        for file in files:
            comments = comments_of(file)
            for index, service in enumerate(file.service):
                parts.append(
                    service_of(file.package, service, (SERVICE, index), comments, is_async)
                )
                names.append(service.name + ("Stub" if is_async else "SyncStub"))
    exported = "".join(f'    "{name}",\n' for name in sorted(names))
    output.write_text(f"{HEADER}__all__ = (\n{exported})\n\n" + "\n".join(parts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
