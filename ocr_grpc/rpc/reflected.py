"""What server reflection knows."""

from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor


class ReflectedPool:
    """The descriptors of this process, with RPCs found by their names too.

    Protobuf's own pool does not do that (grpc/grpc#34743), and tools ask for RPCs: `grpcurl
    describe`, and ghz before each run.
    """

    def __init__(self) -> None:
        self._pool: Any = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, name: str) -> FileDescriptor:  # noqa: N802 - protobuf's name
        """Return the file that declares a message, a service, an RPC, ….

        Raises:
            KeyError: none does.
        """
        try:
            return self._pool.FindFileContainingSymbol(name)
        except KeyError:
            return self._pool.FindMethodByName(name).containing_service.file
