"""The services as Envoy's transcoder wants them: one set with everything they mention."""

from collections.abc import Iterable

from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc import error_details_pb2

ALWAYS = (error_details_pb2.DESCRIPTOR,)
"""Details of errors travel as `Any`, so no message mentions them; unknown ones are not printed."""


def descriptor_set(services: Iterable[ServiceDescriptor]) -> bytes:
    """Return a serialized `FileDescriptorSet`, every file after those it imports."""
    files: dict[str, FileDescriptorProto] = {}
    for file in (*(service.file for service in services), *ALWAYS):
        _add(file, files)
    return FileDescriptorSet(file=files.values()).SerializeToString(deterministic=True)


def _add(file: FileDescriptor, files: dict[str, FileDescriptorProto]) -> None:
    if file.name in files:
        return
    for imported in file.dependencies:
        _add(imported, files)
    message = FileDescriptorProto()
    file.CopyToProto(message)
    files[file.name] = message
