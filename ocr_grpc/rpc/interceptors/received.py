"""Requests between grpc and their handlers: decoded with a reason if they cannot be, and let go."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError

from ocr_grpc.rpc.errors import MalformedRequest


class Received:
    """A request on its way to its handler.

    grpc keeps what the deserializer returned until the call is over; this gives the message away,
    so that a large document is not held in memory while it is being read.
    """

    def __init__(self, message: Any) -> None:
        self._message = message

    def take(self) -> Any:
        """Return the message, once.

        Raises:
            MalformedRequest: the bytes were no message.
        """
        message, self._message = self._message, None
        if isinstance(message, Exception):
            raise message
        return message


def decoding(deserialize: Callable[[bytes], Any] | None, streaming: bool) -> Any:
    """Return a deserializer that answers undecodable bytes with a reason."""

    def decode(data: bytes) -> Any:
        try:
            return deserialize(data) if deserialize else data
        except DecodeError:
            return MalformedRequest()

    def decode_part(data: bytes) -> Any:
        message = decode(data)
        if isinstance(message, MalformedRequest):
            raise message
        return message

    def decode_whole(data: bytes) -> Received:
        return Received(decode(data))

    return decode_part if streaming else decode_whole
