"""The protos as an archive that compiles as it is, with protoc or buf."""

import io
import re
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from ocr_grpc.openapi.comments import IMPORTED_PROTOS, PROTOS, public_protos

SERVICE_CONFIG = "ocr_grpc/v1/service_config.json"
LICENSED_BY = "googleapis-common-protos"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o100644 << 16

IMPORT = re.compile(r'^import "(google/(?:api|rpc)/[a-z_/]+\.proto)";$', re.MULTILINE)


def protos_archive() -> bytes:
    """Return a zip archive of the public protos and of what they import, but for google.protobuf,
    and of the policy for retries and deadlines that clients of gRPC take.

    The bytes depend on the files alone. Nothing is compressed: compressors differ from one zlib to
    the next.
    """
    files = {path.relative_to(PROTOS).as_posix(): path.read_bytes() for path in public_protos()}
    wanted = [name for content in list(files.values()) for name in _imports(content)]
    # Errors carry them as `Any`, which no import tells.
    wanted.append("google/rpc/error_details.proto")
    while wanted:
        name = wanted.pop()
        if name not in files:
            files[name] = (IMPORTED_PROTOS / name).read_bytes()
            wanted += _imports(files[name])
    files["google/LICENSE"] = _licence()
    files[SERVICE_CONFIG] = (PROTOS / SERVICE_CONFIG).read_bytes()
    return _zipped(files)


def _imports(proto: bytes) -> list[str]:
    return IMPORT.findall(proto.decode())


def _licence() -> bytes:
    """Return the licence of Google's protos, which is to go with them."""
    for path in distribution(LICENSED_BY).files or ():
        if path.name == "LICENSE":
            return Path(str(path.locate())).read_bytes()
    raise FileNotFoundError(f"{LICENSED_BY} comes without its licence")


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.create_system = 3  # Unix, wherever it is made: else the mode means something else
            entry.external_attr = READABLE_FILE
            archive.writestr(entry, content)
    return buffer.getvalue()
