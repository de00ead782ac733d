"""Takes a form (multipart/form-data, RFC 7578) apart while it arrives."""

import logging

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ocr_grpc.errors import InvalidOption
from ocr_grpc.rpc.errors import DocumentMissing, MalformedRequest, UploadTruncated

FORM_TYPE = b"multipart/form-data"
FILE_FIELD = "file"

MAX_PARTS = 64
MAX_VALUE_BYTES = 16 * 1024
MAX_HEADERS = 16
MAX_NAME_CHARS = 64
MAX_OTHER_BYTES = 1024 * 1024
"""All that is not the file: fields, headers, boundaries, and what stands around them."""

_PLAIN_ENCODINGS = ("", "binary", "8bit", "7bit")

# It warns of every form that is not well made, which is the caller's business alone.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary of a form; None for any other type of content.

    Raises:
        MalformedRequest: a form says none.
    """
    kind, options = parse_options_header(content_type)
    if kind != FORM_TYPE:
        return None
    boundary = options.get(b"boundary")
    if not boundary:
        raise MalformedRequest("The content type of the form says no boundary.")
    return boundary


class Form:
    """One form in progress. Holds its fields, and of the file only the piece at hand."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, list[str]] = {}
        """The values of each field so far, in their order."""
        self.file_name = ""
        """What the caller calls the file, once it began."""
        self._file_pieces: list[bytes] = []
        self._has_file = False
        self._in_file = False
        self._complete = False
        self._part_count = 0
        self._other_bytes = 0
        self._header_name = self._header_value = b""
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._value = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_header_name,
                    "on_header_value": self._add_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._add,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
                max_header_count=MAX_HEADERS,
            )
        except FormParserError:
            raise MalformedRequest("The boundary of the form is too long.") from None

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of the body, and return what of the file was in it.

        Raises:
            MalformedRequest: it is no form, or larger beside the file than any needs to be.
            InvalidOption: there are two files.
        """
        self._file_pieces = []
        try:
            self._parser.write(piece)
        except FormParserError:
            # Not its text, which repeats what is in the form.
            raise MalformedRequest("The body is no well-formed multipart/form-data.") from None
        self._other_bytes += len(piece) - sum(map(len, self._file_pieces))
        if self._other_bytes > MAX_OTHER_BYTES:
            raise MalformedRequest(
                f"A form has at most {MAX_OTHER_BYTES} bytes beside the file.",
            )
        return self._file_pieces

    def end(self) -> None:
        """Say that there is no more.

        Raises:
            UploadTruncated: the form does not end here.
            DocumentMissing: it has no file.
        """
        if not self._complete:
            raise UploadTruncated("The form ends without its last boundary.")
        if not self._has_file:
            raise DocumentMissing(f"The form has no field `{FILE_FIELD}`.", field=FILE_FIELD)

    def _begin_part(self) -> None:
        self._part_count += 1
        if self._part_count > MAX_PARTS:
            raise MalformedRequest(f"A form has at most {MAX_PARTS} fields.")
        self._headers, self._name, self._in_file = {}, "", False
        self._header_name = self._header_value = b""
        self._value = bytearray()

    # The parser bounds the length of a header and their number.

    def _add_header_name(self, piece: bytes, start: int, end: int) -> None:
        self._header_name += piece[start:end]

    def _add_header_value(self, piece: bytes, start: int, end: int) -> None:
        self._header_value += piece[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _end_headers(self) -> None:
        # Latin-1 keeps every byte; names are UTF-8, as browsers write them.
        disposition, options = parse_options_header(
            self._headers.get(b"content-disposition", b"").decode("latin-1")
        )
        if disposition != b"form-data" or b"name" not in options:
            raise MalformedRequest("A part of the form does not say which field it is.")
        encoding = self._headers.get(b"content-transfer-encoding", b"").decode("latin-1")
        if encoding.strip().lower() not in _PLAIN_ENCODINGS:
            raise MalformedRequest("Fields of a form are sent as they are, without an encoding.")
        self._name = options[b"name"].decode(errors="replace")
        if self._name == FILE_FIELD:
            if self._has_file:
                raise InvalidOption("A form has one file only.", field=FILE_FIELD)
            self._has_file = self._in_file = True
            self.file_name = options.get(b"filename", b"").decode(errors="replace")

    def _add(self, piece: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._file_pieces.append(piece[start:end])
            return
        self._value += piece[start:end]
        if len(self._value) > MAX_VALUE_BYTES:
            raise InvalidOption(
                f"A field of a form has at most {MAX_VALUE_BYTES} bytes.",
                field=self._name[:MAX_NAME_CHARS],
            )

    def _end_part(self) -> None:
        if not self._in_file:
            try:
                value = self._value.decode()
            except UnicodeDecodeError:
                raise InvalidOption(
                    "A field of a form is text in UTF-8.", field=self._name[:MAX_NAME_CHARS]
                ) from None
            self.fields.setdefault(self._name, []).append(value)

    def _end(self) -> None:
        self._complete = True
