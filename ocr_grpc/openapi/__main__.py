"""`python -m ocr_grpc.openapi` writes the generated files; with `--check` it only compares them."""

import json
import sys
from pathlib import Path

from ocr_grpc.openapi.archive import protos_archive
from ocr_grpc.openapi.comments import read_comments
from ocr_grpc.openapi.document import openapi_document
from ocr_grpc.rpc.access import SERVICES

WEB = Path(__file__).parents[1] / "web"


def generated() -> dict[Path, bytes]:
    """Return what is generated, by where it belongs."""
    document = openapi_document(SERVICES, read_comments())
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return {WEB / "openapi.json": text.encode(), WEB / "protos.zip": protos_archive()}


def stale() -> list[Path]:
    """Return the files that are missing, or not what the protos give."""
    return [
        path
        for path, content in generated().items()
        if not path.is_file() or path.read_bytes() != content
    ]


def main(arguments: list[str]) -> int:
    """Write the files, or check them; return the exit status."""
    if arguments == ["--check"]:
        for path in (old := stale()):
            print(f"{path.name} is not what protos/ gives: run `make openapi`", file=sys.stderr)
        return bool(old)
    if arguments:
        print("usage: python -m ocr_grpc.openapi [--check]", file=sys.stderr)
        return 2
    WEB.mkdir(exist_ok=True)
    for path, content in generated().items():
        path.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
