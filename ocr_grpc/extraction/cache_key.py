"""What makes two extractions the same: all that their events depend on, and for whom they are."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path, PurePath

from pydantic import TypeAdapter

from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.extraction.engine_choice import ChosenEngines
from ocr_grpc.extraction.options import ExtractOptions, parse_ranges
from ocr_grpc.extraction.order import Order
from ocr_grpc.store.sealing import Seal

READING_VERSION = 1
"""Raised with every change after which pages are read, or kept, in another way."""

RELEASE = version("ocr-grpc")

EVERYBODY = "*"
"""Stands for the account where accounts share; no user has this id."""

_options = TypeAdapter(ExtractOptions)

EngineIdentity = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class KeyMaker:
    """Makes keys.

    Attributes:
        seal: marks them, so that a key tells neither document nor password.
        limits: the settings that change what is read, in any form that is the same on all servers.
        shared: whether accounts share what was read.
    """

    seal: Seal
    limits: str
    shared: bool

    async def key(self, order: Order, choice: ChosenEngines) -> bytes:
        """Return 32 bytes that are the same for extractions with the same events."""
        document = order.document
        parts = (
            f"{READING_VERSION} {RELEASE}",
            EVERYBODY if self.shared else order.owner,
            (document.sha256 or await _digest(document)).hex(),
            PurePath(order.file_name).suffix.lower(),  # all of a name that readers are told
            self.limits,
            repr([identity(engine) for engine in _engines(choice)]),
            repr(choice.drafts),
            _canonical(order.options),
        )
        # Each with its length before it: no two lists of parts are written alike.
        return self.seal.mark("".join(f"{len(part)}:{part}" for part in parts).encode())


def identity(engine: EngineDescription) -> EngineIdentity:
    """Return what makes an engine another one."""
    return (engine.name, engine.model, engine.model_version, engine.backend, engine.precision)


def identities(choice: ChosenEngines) -> frozenset[EngineIdentity]:
    """Return what may read the images of an extraction as its key says it."""
    return frozenset(identity(engine) for engine in _engines(choice))


def _engines(choice: ChosenEngines) -> Iterator[EngineDescription]:
    for engine in (choice.lines, choice.vision):
        if engine:
            yield engine.description


def _canonical(options: ExtractOptions) -> str:
    """Return options so that those that mean the same are written alike.

    An option that is added later counts by itself. The engines chosen stand for the one named.
    """
    alike = replace(options, engine="", skip_cache=False, pages=_pages(options.pages))
    return _options.dump_json(alike, exclude_defaults=True).decode()


def _pages(text: str) -> str:
    """Return pages so that `1,2,3` is written as `1-3`."""
    merged: list[tuple[int, int | None]] = []
    for low, high in sorted(parse_ranges(text), key=lambda bounds: bounds[0]):
        if merged and ((last := merged[-1])[1] is None or low <= last[1] + 1):
            ends = (last[1], high)
            merged[-1] = (last[0], None if None in ends else max(end or 0 for end in ends))
        else:
            merged.append((low, high))
    return ",".join(f"{low}-{high or ''}" for low, high in merged if (low, high) != (1, None))


async def _digest(document: SpooledDocument) -> bytes:
    def digest(path: Path) -> bytes:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    return await asyncio.to_thread(digest, document.path)
