"""`ocr-grpc inspect`: says what documents are and what reading them would cost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ocr_grpc.commands.accounts_client import connected
from ocr_grpc.commands.document_options import Dpi, ModeName, Pages, Password, mode_named
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.options import Address, Output
from ocr_grpc.commands.tables import Form, note, print_json, print_rows
from ocr_grpc.extraction.options import Mode
from ocr_grpc.rpc.options_mapping import mode_to_proto
from ocr_grpc.v1 import document_pb2, options_pb2
from ocr_grpc.v1 import ocr_service_pb2 as pb

INSPECT_SECONDS = 300.0

COLUMNS = ("page", "size", "dpi", "own text", "turned", "pictures", "remarks")


def inspect(
    file: Annotated[str, typer.Argument(help="File to look at.")],
    address: Address = "",
    mode: ModeName = Mode.AUTO.value,
    pages: Pages = "",
    dpi: Dpi = 0,
    password: Password = "",
    output: Output = Form.TABLE,
) -> None:
    """Say what a document is and what reading it would cost."""
    options = options_pb2.ExtractOptions(
        mode=mode_to_proto(mode_named(mode)), pages=pages, dpi=dpi, password=password
    )
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}") from None
    request = pb.InspectRequest(options=options, content=content, file_name=Path(file).name)
    with connected(address) as server:
        try:
            response = server.ask(server.ocr.Inspect, request, INSPECT_SECONDS)
        except CommandFailed as failure:
            if failure.reason != "RESOURCE_EXHAUSTED":  # without a reason of ours: grpc's own
                raise
            raise CommandFailed(
                f"{file}: the server inspects documents inside one message only, and this one is "
                "larger than it takes (MAX_INLINE_BYTES).",
                failure.reason,
            ) from None
    if output is Form.JSON:
        print_json(response)
        return
    print_rows(COLUMNS, (_row(page) for page in response.pages))
    kind = document_pb2.DocumentKind.Name(response.kind).removeprefix("DOCUMENT_KIND_")
    note(
        f"{kind.lower()}, {response.size_bytes} bytes, {response.document_page_count} pages; "
        f"reading costs {response.cost_pages}."
    )


def _row(page: document_pb2.PageInspection) -> tuple[str, ...]:
    size = f"{page.width_px} × {page.height_px} px" if page.width_px else ""
    return (
        str(page.page_number),
        size,
        f"{page.dpi:.0f}" if page.dpi else "",
        f"{page.text_layer_share:.0%}",
        f"{page.rotation_degrees}°" if page.rotation_degrees else "",
        str(page.picture_count or ""),
        ", ".join(_remarks(page)),
    )


def _remarks(page: document_pb2.PageInspection) -> Iterator[str]:
    if page.blank:
        yield "blank"
    if page.reason:
        yield page.reason
    elif page.text_layer_rejected:
        yield f"own text: {page.text_layer_rejected}"
