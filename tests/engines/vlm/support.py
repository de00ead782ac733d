"""Reads pages by a vision engine, and puts together what it says."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr

from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.engines.vlm.engine import VisionEngine
from ocr_grpc.engines.vlm.errors import VisionFailed
from ocr_grpc.engines.vlm.parts import Piece, TakeBack, VisionDone, VisionPart, VisionRead
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.model import Block, PageGeometry, RenderedPage
from tests.engines.vlm.server import Answer, ModelServer, serving

KEY = "sk-a-key-that-nobody-may-see"
PATIENCE_SECONDS = 60.0
SOON_SECONDS = 0.5
"""A patience that runs out within the test, where something is to hang."""


@dataclass
class Outcome:
    """What a page gave.

    Attributes:
        shown: the text a client had after each part.
        error: what the read failed with.
    """

    text: str = ""
    blocks: list[Block] = field(default_factory=list)
    parts: list[VisionPart] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    done: VisionDone | None = None
    error: VisionFailed | None = None

    def take(self, part: VisionPart) -> None:
        assert self.done is None, "Nothing follows the end."
        self.parts.append(part)
        if isinstance(part, Piece):
            self.text += part.text
            self.blocks += part.blocks
        elif isinstance(part, TakeBack):
            assert part.offset < len(self.text) or self.blocks
            self.text = self.text[: part.offset]
            self.blocks = [block for block in self.blocks if block.offset < part.offset]
        else:
            self.done = part
        self.shown.append(self.text)

    @property
    def taken_back(self) -> list[int]:
        return [part.offset for part in self.parts if isinstance(part, TakeBack)]


@asynccontextmanager
async def engine_for(
    server: ModelServer | str, *, failures: int = 5, pause_seconds: float = 3600, **settings: Any
) -> AsyncGenerator[VisionEngine]:
    """Run an engine before a server; it is patient, and does not try again by itself."""
    values = {
        "llm_base_url": server if isinstance(server, str) else server.url,
        "llm_api_key": SecretStr(KEY),
        "llm_first_token_seconds": PATIENCE_SECONDS,
        "llm_idle_seconds": PATIENCE_SECONDS,
        "llm_retries": 0,
    }
    engine = VisionEngine(
        VisionSettings(**values | settings), failures=failures, pause_seconds=pause_seconds
    )
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def page(folder: Path, width_px: int = 400, height_px: int = 560, **changes: Any) -> RenderedPage:
    """Make a grey page with something on it."""
    pixels = np.full((height_px, width_px), 255, np.uint8)
    pixels[40:60, 40:300] = 0
    path = folder / "page.raw"
    pixels.tofile(path)
    geometry = PageGeometry(width_px, height_px, 144)
    return RenderedPage(**{"path": path, "geometry": geometry, "channels": 1} | changes)


def a_read(folder: Path, **changes: Any) -> VisionRead:
    values: dict[str, Any] = {
        "page": changes.pop("page", None) or page(folder),
        "options": ReadOptions(),
        "prompt": "",
        "text_format": None,
        "caller": "ann",
        "extraction_id": "x1",
        "page_number": 1,
        "timeout_seconds": PATIENCE_SECONDS,
    }
    return VisionRead(**values | changes)


async def outcome(engine: VisionEngine, read: VisionRead, so_far: Outcome | None = None) -> Outcome:
    """Read a page to its end, good or bad; `so_far` can be looked at meanwhile."""
    so_far = so_far or Outcome()
    try:
        async with aclosing(engine.read(read)) as parts:
            async for part in parts:
                so_far.take(part)
    except VisionFailed as error:
        so_far.error = error
    return so_far


async def read_from(
    folder: Path, *answers: Answer, model: str = "some-model", **settings: Any
) -> tuple[Outcome, ModelServer]:
    """Read one page from a server that answers so; return the outcome and the server."""
    served = serving(*answers, model=model)
    async with served as server, engine_for(server, **settings) as vlm:
        return await outcome(vlm, a_read(folder)), server


async def until(event: asyncio.Event) -> None:
    """Wait for what the server notices."""
    async with asyncio.timeout(30):
        await event.wait()


async def until_ready(engine: VisionEngine) -> None:
    """Wait until pages can be read."""
    async with asyncio.timeout(30):
        while not engine.ready_workers:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.02)
