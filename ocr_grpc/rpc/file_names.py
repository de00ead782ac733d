"""What a file may be called."""

from ocr_grpc.rpc.errors import InvalidFileName

MAX_FILE_NAME_CHARS = 255


def check_file_name(file_name: str, kept: bool = True) -> None:
    """Refuse a name that is no name, or, if it is kept, one that no row can hold.

    Raises:
        InvalidFileName: it is too long, or has a NUL in it.
    """
    if len(file_name) > MAX_FILE_NAME_CHARS or (kept and "\0" in file_name):
        raise InvalidFileName(
            f"A file name has at most {MAX_FILE_NAME_CHARS} characters, and no NUL.",
            field="file_name",
        )
