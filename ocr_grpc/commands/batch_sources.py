"""The files that a batch is made of, and what the texts that come of them are called."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.commands.tables import note


@dataclass(frozen=True)
class Source:
    """A file that is to be read.

    Attributes:
        path: where it lies.
        name: its path below the folder that was given, or its name alone. Never absolute, no `..`.
        size_bytes: 1 or more.
    """

    path: Path
    name: PurePosixPath
    size_bytes: int

    @property
    def file_name(self) -> str:
        """The name as the server gets it: text, whatever bytes the file system has."""
        return os.fsencode(self.path.name).decode(errors="replace")


def find_sources(given: Sequence[str], recursive: bool) -> list[Source]:
    """Return the files that are given and those in the folders given, in the order of names.

    Hidden files in folders are left out, and empty files everywhere.

    Args:
        given: files and folders.
        recursive: whether folders in folders are looked into. Links to folders never are.

    Raises:
        CommandFailed: one is not there, cannot be read, or nothing is left.
    """
    sources: list[Source] = []
    for path, name in _found(given, recursive):
        try:
            size_bytes = path.stat().st_size
        except OSError as error:
            raise CommandFailed(f"{path}: {error.strerror}") from None
        if size_bytes:
            sources.append(Source(path, PurePosixPath(name.as_posix()), size_bytes))
        else:
            note(f"{path} is empty and was left out.")
    if not sources:
        hint = "" if recursive else " --recursive looks into folders in folders."
        raise CommandFailed(f"No file was found.{hint}")
    return sources


def text_names(names: Iterable[PurePosixPath], ending: str) -> list[PurePosixPath]:
    """Return for each source's name that of its text, all of them different.

    `a/scan.pdf` becomes `a/scan.txt`, and `a/scan.pdf.txt` where there is an `a/scan.png` too.
    """
    names = list(names)
    short = [name.with_suffix(ending) for name in names]
    times = Counter(short)
    taken: set[PurePosixPath] = set()
    found: list[PurePosixPath] = []
    for name, wanted in zip(names, short, strict=True):
        choices = _choices(name, wanted if times[wanted] == 1 else None, ending)
        found.append(next(choice for choice in choices if choice not in taken))
        taken.add(found[-1])
    return found


def _choices(
    name: PurePosixPath, short: PurePosixPath | None, ending: str
) -> Iterator[PurePosixPath]:
    if short:
        yield short
    yield name.with_name(name.name + ending)
    number = 2
    while True:
        yield name.with_name(f"{name.name}-{number}{ending}")
        number += 1


def _found(given: Sequence[str], recursive: bool) -> Iterator[tuple[Path, Path]]:
    for each in given:
        path = Path(each)
        if path.is_dir():
            for file in _files_in(path, recursive):
                yield file, file.relative_to(path)
        else:
            yield path, Path(path.name)


def _files_in(folder: Path, recursive: bool) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise CommandFailed(f"{error.filename}: {error.strerror}")

    for where, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(files):
            file = Path(where) / name
            if not name.startswith(".") and file.is_file():  # no sockets, no pipes, no dead links
                yield file
