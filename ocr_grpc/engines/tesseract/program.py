"""The program `tesseract`: where it is, what it can do, and how it is run and stopped."""

import os
import re
import select
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from ocr_grpc.engines.engine import Cancellation, ReadCancelled

MAX_OUTPUT_BYTES = 64 * 1024 * 1024
"""A hundred times what the densest page becomes."""

_LOOK_SECONDS = 0.05
"""How long a cancellation may go unnoticed."""
_CHUNK_BYTES = 64 * 1024
_ASK_SECONDS = 10.0


class TesseractFailed(Exception):
    """The program ended with an error. Its own words may quote the page and are not kept."""


class _Never:
    """A cancellation that does not come."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


def find_tesseract(binary: Path | None = None) -> Path | None:
    """Return where the program is, None if this machine has none.

    Args:
        binary: the program to use; None: the one on the PATH.

    Raises:
        FileNotFoundError: `binary` is no program; naming the setting.
    """
    found = shutil.which(binary or "tesseract")
    if found is None and binary:
        raise FileNotFoundError(f"TESSERACT_BINARY={binary} is no program that can be run.")
    return Path(found).absolute() if found else None


@dataclass(frozen=True, slots=True)
class Tesseract:
    """The program and what it said about itself."""

    path: Path
    version: str
    trained: tuple[str, ...]
    """The trained data that it has, in its own names such as `chi_sim`."""

    @classmethod
    def ask(cls, path: Path) -> "Tesseract":
        """Ask the program what it is; takes some tenths of a second.

        Raises:
            TesseractFailed: it does not answer as Tesseract does.
        """
        # Which of the two streams it answers on differs between versions.
        version = re.search(r"^tesseract v?(\S+)", _run(path, ["--version"]), re.MULTILINE)
        if version is None:
            raise TesseractFailed(f"{path} does not say which version of Tesseract it is.")
        listed = _run(path, ["--list-langs"]).splitlines()
        trained = sorted(line.strip() for line in listed if re.fullmatch(r"[\w/]+\s*", line))
        return cls(path, version[1], tuple(trained))

    def read(self, image: BinaryIO, arguments: list[str], cancellation: Cancellation) -> str:
        """Return what the program writes about an image.

        Args:
            image: an open file that Leptonica can decode.
            arguments: those after `stdin stdout`.
            cancellation: kills the program.

        Raises:
            ReadCancelled: within a tenth of a second after `cancellation` was set.
            TesseractFailed: it ended with an error, or wrote far too much.
        """
        return _run(self.path, ["stdin", "stdout", *arguments], image, cancellation)


def _run(
    path: Path,
    arguments: list[str],
    image: BinaryIO | None = None,
    cancellation: Cancellation | None = None,
) -> str:
    launcher = [sys.executable, "-I", "-m", "ocr_grpc.engines.tesseract.child", str(os.getpid())]
    with subprocess.Popen(  # noqa: S603 - our own words, and no shell
        [*launcher, str(path), *arguments],
        stdin=image or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        # Of a page it says nothing worth knowing; else its answer may be there.
        stderr=subprocess.DEVNULL if image else subprocess.STDOUT,
        env=_environment(),
        cwd="/",
        start_new_session=True,
    ) as process:
        try:
            deadline = None if image else monotonic() + _ASK_SECONDS
            answer = _answer(process, cancellation or _Never(), deadline)
        finally:
            process.kill()  # does nothing to one that ended by itself, and was waited for
    return answer


def _answer(
    process: "subprocess.Popen[bytes]", cancellation: Cancellation, deadline: float | None
) -> str:
    if process.stdout is None:
        raise ValueError("its stdout is no pipe")
    answer = bytearray()
    while True:
        if cancellation.is_set():
            raise ReadCancelled
        if deadline is not None and monotonic() > deadline:
            raise TesseractFailed("Tesseract did not answer.")
        if not select.select([process.stdout], [], [], _LOOK_SECONDS)[0]:
            continue
        piece = os.read(process.stdout.fileno(), _CHUNK_BYTES)
        if not piece:
            break
        answer += piece
        if len(answer) > MAX_OUTPUT_BYTES:
            raise TesseractFailed("Tesseract wrote far more than a page can hold.")
    while process.poll() is None:  # it closed its stdout and has a moment to end
        if cancellation.wait(_LOOK_SECONDS):
            raise ReadCancelled
    if process.returncode:
        raise TesseractFailed(f"Tesseract ended with exit code {process.returncode}.")
    return answer.decode(errors="replace")


def _environment() -> dict[str, str]:
    kept = [name for name in ("TESSDATA_PREFIX", "LD_LIBRARY_PATH") if os.environ.get(name)]
    # More threads than one only get in each other's way, and in that of the other workers.
    ours = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}
    return ours | {name: os.environ[name] for name in kept}
