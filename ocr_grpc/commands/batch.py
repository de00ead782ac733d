"""`ocr-grpc batch`: many documents that are read in the background."""

import asyncio
import re
from json import dumps, loads
from pathlib import Path
from typing import Annotated

import typer

from ocr_grpc.commands.accounts_client import Connection, connected, note_if_cut
from ocr_grpc.commands.batch_create import create_batch
from ocr_grpc.commands.batch_link import linked
from ocr_grpc.commands.batch_progress import EventLines, batch_view, say_how_it_ended
from ocr_grpc.commands.batch_results import TO_STDOUT, Format, save
from ocr_grpc.commands.batch_table import (
    BATCH_COLUMNS,
    DOCUMENT_COLUMNS,
    batch_fields,
    batch_row,
    document_row,
)
from ocr_grpc.commands.batch_watching import batch_of, exit_code, watch
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.options import MAX_INT32, Address, Limit
from ocr_grpc.commands.tables import note, print_fields, print_json, print_rows, to_json
from ocr_grpc.v1 import batch_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

batch = typer.Typer(
    help="Read many documents in the background, and watch them.",
    no_args_is_help=True,
    add_completion=False,
)
batch.command("create")(create_batch)

BatchId = Annotated[str, typer.Argument(help="Id of the batch.", metavar="BATCH_ID")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

PLACE = re.compile(r"[1-9][0-9]{0,4}")
"""A document's place in its batch; ids are longer."""


@batch.command("watch")
def watch_batch(
    batch_id: BatchId,
    after: Annotated[
        int, typer.Option(min=0, max=MAX_INT32, help="Number of the last event known.")
    ] = 0,
    address: Address = "",
    json: Annotated[
        bool, typer.Option("--json", help="Print every event as a line of JSON.")
    ] = False,
) -> None:
    """Show a batch until it has ended: a bar on a terminal, else a line for each document.

    Goes on by itself when the connection breaks. Exit code 0: all was read. 3: some documents or
    pages were not. 1: it was cancelled or deleted, or the server is away for too long.
    """
    try:
        ended = asyncio.run(_watch(address, batch_id, after, json))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(exit_code([ended]))


@batch.command("list")
def list_batches(limit: Limit = 100, address: Address = "", json: Json = False) -> None:
    """List batches, the newest first."""
    with connected(address) as connection:
        request = pb.ListBatchesRequest()
        answer = connection.list(connection.batches.ListBatches, request, "batches", limit)
    if json:
        print_json(answer)
        return
    print_rows(BATCH_COLUMNS, map(batch_row, answer.batches))
    note_if_cut(answer)


@batch.command("show")
def show_batch(
    batch_id: BatchId, limit: Limit = 1_000, address: Address = "", json: Json = False
) -> None:
    """Show a batch and its documents."""
    with connected(address) as connection:
        request = pb.GetBatchRequest(batch_id=batch_id)
        answer = connection.ask(connection.batches.GetBatch, request)
        documents = _documents(connection, batch_id, limit)
    if json:
        whole = {**loads(to_json(answer)), **loads(to_json(documents))}
        typer.echo(dumps(whole, ensure_ascii=False, indent=2))
        return
    print_fields(batch_fields(answer.batch))
    print_rows(DOCUMENT_COLUMNS, map(document_row, documents.documents))
    note_if_cut(documents)


@batch.command("cancel")
def cancel_batch(batch_id: BatchId, address: Address = "", json: Json = False) -> None:
    """End a batch. What was read until then stays."""
    with connected(address) as connection:
        request = pb.CancelBatchRequest(batch_id=batch_id)
        answer = connection.ask(connection.batches.CancelBatch, request)
    say_how_it_ended(answer.batch)
    if json:
        print_json(answer)


@batch.command("delete")
def delete_batch(batch_id: BatchId, address: Address = "") -> None:
    """Delete a batch with its results and files; one under way is cancelled first."""
    with connected(address) as connection:
        request = pb.DeleteBatchRequest(batch_id=batch_id)
        connection.ask(connection.batches.DeleteBatch, request)
    note(f"Batch {batch_id} is deleted.")


@batch.command("download")
def download_batch(
    batch_id: BatchId,
    document: Annotated[
        str, typer.Option(help="One document: its number in the batch, or its id.")
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, - for standard output; default: BATCH_ID.zip, or for one "
            "document standard output.",
        ),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="What is there, though it has not ended.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    address: Address = "",
) -> None:
    """Fetch the results: a zip archive of the batch, or one document."""
    target = output or (TO_STDOUT if document else Path(f"{Path(batch_id).name}.zip"))
    try:
        asyncio.run(_download(address, batch_id, document, form, target, partial, force))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if target != TO_STDOUT:
        note(f"{target} was written.")


async def _watch(address: str, batch_id: str, after: int, json: bool) -> batch_pb2.Batch:
    async with linked(address) as link:
        known = {batch_id: (await batch_of(link, batch_id, at_once=True)).progress}
        if json:
            return await watch(link, batch_id, EventLines(), after)
        with batch_view(known) as view:
            ended = await watch(link, batch_id, view, after)
    say_how_it_ended(ended)
    return ended


async def _download(
    address: str,
    batch_id: str,
    document: str,
    form: Format,
    target: Path,
    partial: bool,
    force: bool,
) -> None:
    if PLACE.fullmatch(document):
        document = await asyncio.to_thread(_document_at, address, batch_id, int(document))
    async with linked(address) as link:
        await batch_of(link, batch_id, at_once=True)
        request = pb.DownloadBatchRequest(batch_id=batch_id, format=form.proto, partial=partial)
        method = link.batches.DownloadBatch
        if document:
            request = pb.DownloadBatchDocumentRequest(
                batch_id=batch_id, document_id=document, format=form.proto, partial=partial
            )
            method = link.batches.DownloadBatchDocument
        await save(link, method, request, target, force=force)


def _document_at(address: str, batch_id: str, number: int) -> str:
    with connected(address) as connection:
        documents = _documents(connection, batch_id, number).documents
    for document in documents:
        if document.number == number:
            return document.document_id
    raise CommandFailed(f"The batch has no document {number}.", "DOCUMENT_NOT_FOUND")


def _documents(connection: Connection, batch_id: str, limit: int) -> pb.ListBatchDocumentsResponse:
    request = pb.ListBatchDocumentsRequest(batch_id=batch_id)
    method = connection.batches.ListBatchDocuments
    return connection.list(method, request, "documents", limit)
