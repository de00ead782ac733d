"""The comments of the protos, by the full names of what they are about."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import google.rpc.status_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

PROTOS = Path(__file__).parents[2] / "protos"
PACKAGE = "ocr_grpc/v1"

IMPORTED_PROTOS = Path(google.rpc.status_pb2.__file__).parents[2]
"""The folder in which `google/api` and `google/rpc` lie, with their protos."""

Comments = Mapping[str, str]
"""Full name of a service, method, message, field, enum or enum value: its comment as Markdown."""

Named = tuple[str, tuple[int, ...]]
"""A full name, and where protoc puts what it knows of the source (`SourceCodeInfo.Location`)."""


def public_protos() -> list[Path]:
    """Return the files of the public contract, sorted."""
    return sorted((PROTOS / PACKAGE).glob("*.proto"))


def read_comments() -> Comments:
    """Return all comments of the public contract.

    Raises:
        subprocess.CalledProcessError: protoc refuses the protos, or is not installed.
    """
    comments: dict[str, str] = {}
    for file in _compile().file:
        leading = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
        for name, path in _names(file):
            comments[name] = _as_markdown(leading.get(path, ""))
    return comments


def first_sentence(comment: str) -> str:
    """Return the first sentence of a comment, without its full stop."""
    return re.split(r"\.(?:\s|$)", comment, maxsplit=1)[0]


def after_first_sentence(comment: str) -> str:
    """Return a comment without its first sentence."""
    rest = re.split(r"\.(?:\s|$)", comment, maxsplit=1)[1:]
    return rest[0].strip() if rest else ""


def _compile() -> FileDescriptorSet:
    names = [path.relative_to(PROTOS).as_posix() for path in public_protos()]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "protos.binpb"
        includes = (f"-I{PROTOS}", f"-I{IMPORTED_PROTOS}")
        flags = ("--include_source_info", f"--descriptor_set_out={out}")
        # The compiler of the locked wheel, on files of this repository.
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "grpc_tools.protoc", *includes, *flags, *names], check=True
        )
        return FileDescriptorSet.FromString(out.read_bytes())


def _names(file: FileDescriptorProto) -> Iterator[Named]:
    """Yield everything in a file that can have a comment. The numbers are those of its fields."""
    for index, message in enumerate(file.message_type):
        yield from _in_message(message, file.package, (4, index))
    for index, enum in enumerate(file.enum_type):
        yield from _in_enum(enum, file.package, (5, index))
    for index, service in enumerate(file.service):
        yield from _in_service(service, file.package, (6, index))


def _in_message(message: DescriptorProto, scope: str, path: tuple[int, ...]) -> Iterator[Named]:
    name = f"{scope}.{message.name}"
    yield name, path
    for index, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*path, 2, index)
    for index, nested in enumerate(message.nested_type):
        yield from _in_message(nested, name, (*path, 3, index))
    for index, enum in enumerate(message.enum_type):
        yield from _in_enum(enum, name, (*path, 4, index))
    for index, oneof in enumerate(message.oneof_decl):
        yield f"{name}.{oneof.name}", (*path, 8, index)


def _in_enum(enum: EnumDescriptorProto, scope: str, path: tuple[int, ...]) -> Iterator[Named]:
    yield f"{scope}.{enum.name}", path
    for index, value in enumerate(enum.value):
        # Values live beside their enum, not inside of it; here they are filed under it.
        yield f"{scope}.{enum.name}.{value.name}", (*path, 2, index)


def _in_service(
    service: ServiceDescriptorProto, scope: str, path: tuple[int, ...]
) -> Iterator[Named]:
    name = f"{scope}.{service.name}"
    yield name, path
    for index, method in enumerate(service.method):
        yield f"{name}.{method.name}", (*path, 2, index)


def _as_markdown(comment: str) -> str:
    """Return a comment with each paragraph on one line."""
    lines = [line.strip() for line in comment.strip().split("\n")]
    paragraphs = "\n".join(lines).split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
