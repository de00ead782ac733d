"""Prints the text of a document while it is read.

    python -m ocr_grpc_client [--address HOST:PORT] [--key KEY] FILE

The address and the key may be in the environment, as OCR_ADDRESS and OCR_API_KEY, instead. A key in
the arguments can be seen by everybody on the machine.
"""

import argparse
import io
import os
import sys
from typing import TextIO

from . import Assembler, ExtractEvent, OcrError, Page, PageOutcome, SyncOcrClient


class Printer:
    """Prints pages in their order, each as it grows.

    What was printed cannot be taken back: if a page turns out to say something else, it is printed
    again when it has ended.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._assembler = Assembler()
        self._number = 0  # how many pages were printed to their end
        self._printed = ""  # of the page after those

    @property
    def failed(self) -> list[Page]:
        """The pages that could not be read."""
        pages = self._assembler.document.pages
        return [page for page in pages if page.outcome is PageOutcome.FAILED]

    def add(self, event: ExtractEvent) -> None:
        """Print what an event brings."""
        self._assembler.add(event)
        pages = self._assembler.document.pages
        while self._number < len(pages):
            page = pages[self._number]
            if page.number > self._number + 1:
                return  # those before it have not begun
            if page.text.startswith(self._printed):
                self._write(page.text[len(self._printed) :])
            elif page.outcome:
                self._write(f"\n\n{page.text}")
            if not page.outcome:
                return
            self._write("\n" if page.text else "")
            self._number, self._printed = self._number + 1, ""

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
        self._printed += text


def main() -> int:
    """Run the command; return its exit code, 1 if anything could not be read."""
    options = _arguments()
    printer = Printer(sys.stdout)
    try:
        with SyncOcrClient(
            options.address, api_key=options.key, tls=options.tls, ca_file=options.ca_file
        ) as client:
            # Unbuffered: a read that waits has no lock that the end of the program needs.
            stdin = io.FileIO(0, closefd=False)
            for event in client.extract(stdin if options.file == "-" else options.file):
                printer.add(event)
    except (OcrError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for page in printer.failed:
        print(f"Page {page.number}: {page.reason}: {page.message}", file=sys.stderr)
    return 1 if printer.failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ocr-extract", description="Print the text of a document while it is read."
    )
    address = os.environ.get("OCR_ADDRESS", "127.0.0.1:50051")
    parser.add_argument("--address", default=address, help="host:port; or set OCR_ADDRESS")
    key = os.environ.get("OCR_API_KEY", "")
    parser.add_argument("--key", default=key, help="an API key; or set OCR_API_KEY")
    parser.add_argument("--tls", action="store_true", help="connect by TLS")
    parser.add_argument(
        "--ca-file", help="authorities to check the server's certificate by, in PEM"
    )
    parser.add_argument("file", metavar="FILE", help="the document; - for standard input")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
