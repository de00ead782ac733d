"""`ocr-grpc extract`: sends files to a server and prints their text while it arrives."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import grpc
import grpc.aio
import typer
from google.api.httpbody_pb2 import HttpBody

from ocr_grpc.commands.addresses import find_server
from ocr_grpc.commands.calls import error_text
from ocr_grpc.commands.channels import open_async_channel
from ocr_grpc.commands.credentials import Credentials, credentials_for
from ocr_grpc.commands.document_options import (
    Dpi,
    EngineName,
    Languages,
    ModeName,
    NoCache,
    Pages,
    Password,
    Prompt,
    SkipPictures,
    TextFormatName,
    Words,
    mode_named,
    named,
    text_format_named,
)
from ocr_grpc.commands.ended_call import EndedCall
from ocr_grpc.commands.options import Address
from ocr_grpc.commands.output import Output, Printer, make_printer
from ocr_grpc.commands.progress import Progress
from ocr_grpc.extraction.options import Mode, Quality
from ocr_grpc.rpc.options_mapping import mode_to_proto, quality_to_proto
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub

if TYPE_CHECKING:  # a type of the stub file alone
    from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceAsyncStub

CHUNK_BYTES = 256 * 1024

CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 64 * 1024 * 1024)]


class ExitCode(IntEnum):
    """What the command tells the shell."""

    OK = 0
    DOCUMENT_FAILED = 1
    USAGE = 2
    PAGES_FAILED = 3


def extract(
    files: Annotated[list[str], typer.Argument(help="Files to read; - is standard input.")],
    address: Address = "",
    mode: ModeName = Mode.AUTO.value,
    pages: Pages = "",
    dpi: Dpi = 0,
    language: Languages = None,
    engine: EngineName = "",
    prompt: Prompt = "",
    quality: Annotated[
        str, typer.Option(help="final, or draft-then-final: two readings of each page.")
    ] = Quality.FINAL.value,
    words: Words = False,
    text_format: TextFormatName = "",
    skip_pictures: SkipPictures = False,
    no_cache: NoCache = False,
    password: Password = "",
    output: Annotated[Output, typer.Option(help="What to print.")] = Output.TEXT,
    timeout: Annotated[float, typer.Option(help="Seconds for each file; 0: no limit.")] = 0,
) -> None:
    """Read documents and print their text as it is recognized.

    Exit code 0: all was read. 1: a document failed. 3: some pages failed, the rest was printed.
    """
    options = options_pb2.ExtractOptions(
        mode=mode_to_proto(mode_named(mode)),
        pages=pages,
        dpi=dpi,
        languages=language or [],
        engine=engine,
        prompt=prompt,
        quality=quality_to_proto(named(Quality, quality, "QUALITY_")),
        words=words,
        password=password,
        text_format=text_format_named(text_format),
        skip_pictures=skip_pictures,
        skip_cache=no_cache,
    )
    try:
        code = asyncio.run(_extract_all(files, address, options, output, timeout or None))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our text has enough of it
        raise typer.Exit(ExitCode.DOCUMENT_FAILED) from None
    raise typer.Exit(code)


async def _extract_all(
    files: list[str],
    address: str,
    options: options_pb2.ExtractOptions,
    output: Output,
    timeout: float | None,
) -> ExitCode:
    worst = ExitCode.OK
    server = find_server(address)
    credentials = credentials_for(server)
    async with open_async_channel(server, CHANNEL_OPTIONS) as channel:
        stub: OcrServiceAsyncStub = OcrServiceStub(channel)
        with make_printer(output, sys.stdout, options) as printer:
            for file in files:
                code = await _extract_one(stub, credentials, file, options, printer, timeout)
                worst = code if worst is ExitCode.OK or code is ExitCode.DOCUMENT_FAILED else worst
    return worst


async def _extract_one(
    stub: "OcrServiceAsyncStub",
    credentials: Credentials,
    file: str,
    options: options_pb2.ExtractOptions,
    printer: Printer,
    timeout: float | None,
) -> ExitCode:
    try:
        source = sys.stdin.buffer if file == "-" else _opened(file)
    except OSError as error:
        typer.echo(f"ocr-grpc: {file}: {error.strerror}", err=True)
        return ExitCode.DOCUMENT_FAILED
    failed_pages = 0
    with source, Progress(file) as progress:
        # For each file anew: a token may run out while the one before is read.
        credential = await asyncio.to_thread(credentials.find)
        call = stub.UploadExtract(
            _requests(source, file, options),
            timeout=timeout,
            metadata=credential.metadata if credential else None,
        )
        ended = EndedCall(call)
        try:
            async for response in call:
                printer.event(response)
                progress.event(response)
                if response.HasField("finished"):
                    failed_pages = response.finished.pages_failed
        except grpc.aio.AioRpcError as error:
            progress.close()
            printer.end()
            typer.echo(f"ocr-grpc: {file}: {error_text(ended.error(error))}", err=True)
            return ExitCode.DOCUMENT_FAILED
        printer.end()
    return ExitCode.PAGES_FAILED if failed_pages else ExitCode.OK


def _opened(file: str) -> BinaryIO:
    return Path(file).open("rb")


async def _requests(
    source: BinaryIO, file: str, options: options_pb2.ExtractOptions
) -> AsyncGenerator[pb.UploadExtractRequest, None]:
    name = "" if file == "-" else Path(file).name
    yield pb.UploadExtractRequest(options=options, file_name=name)
    while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
        yield pb.UploadExtractRequest(content=HttpBody(data=chunk))
