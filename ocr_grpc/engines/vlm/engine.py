"""The vision-language engine: pages in, text with blocks out, while the model still writes."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import replace

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.vlm.circuit import FAILURES, PAUSE_SECONDS, Circuit
from ocr_grpc.engines.vlm.dialect import Dialect
from ocr_grpc.engines.vlm.errors import UpstreamUnavailable, VisionFailed
from ocr_grpc.engines.vlm.failures import known_as_down
from ocr_grpc.engines.vlm.fitting import check_fits
from ocr_grpc.engines.vlm.parts import VisionDone, VisionPart, VisionRead
from ocr_grpc.engines.vlm.profile import BoxSpace, Profile
from ocr_grpc.engines.vlm.reading import PageReading
from ocr_grpc.engines.vlm.requests import harmless
from ocr_grpc.engines.vlm.served import Served, ServedModel
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.engines.vlm.upstream import Upstream
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.engines.vlm.watch import CallOutcome, Unwatched, VisionWatch
from ocr_grpc.fairness import FairSlots
from ocr_grpc.model import TextFormat

NAME = "vlm"
ENCODERS = 2
"""Threads that encode pages. The model takes seconds over what costs one of them a tenth."""
NOT_FOUND = "404"


class VisionEngine:
    """Reads pages by a model behind a server that speaks OpenAI's protocol.

    For use in one event loop. `read` may be called as often as one likes at once: so many pages as
    the settings say are with the server, the others wait for their turns.
    """

    def __init__(
        self,
        settings: VisionSettings,
        *,
        failures: int = FAILURES,
        pause_seconds: float = PAUSE_SECONDS,
        watch: VisionWatch | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            settings: where the server is and how it is asked.
            failures: pages that fail one after the other until the server is left alone.
            pause_seconds: for so long, until one page tries whether it is back.
            watch: is told what becomes of calls.

        Raises:
            ValueError: `llm_profile` names no profile; the message names those there are.
        """
        self._settings = settings
        self._watch = watch or Unwatched()
        self._circuit = Circuit(failures, pause_seconds, self._watch.breaker)
        self._upstream = Upstream(settings, self._circuit, self._watch)
        self._served = Served(settings, self._upstream)
        self._dialect = Dialect()
        self._slots = FairSlots(settings.llm_concurrency)
        self._encoders = ThreadPoolExecutor(ENCODERS, thread_name_prefix="vlm-encoder")

    @property
    def description(self) -> EngineDescription:
        """Return what the engine is; its model is empty until the server told."""
        return self._described(self._served.model, self._served.profile)

    @property
    def ready_workers(self) -> int:
        """Return how many pages the server may be given at once; 0 while it is down."""
        if self._served.model is None or not self._circuit.admits:
            return 0
        return self._slots.capacity if self._circuit.closed else 1

    def supports(self, text_format: TextFormat) -> bool:
        """Return whether the model writes text of this form."""
        return text_format in _formats(self._served.profile)

    async def start(self) -> None:
        """Begin to ask the server what it serves; it need not be up."""
        self._served.ask()

    async def close(self) -> None:
        """Hang up all calls and end what runs beside them."""
        await self._served.close()
        await self._upstream.close()
        self._encoders.shutdown(wait=False, cancel_futures=True)

    async def read(self, read: VisionRead) -> AsyncGenerator[VisionPart, None]:
        """Wait for a turn, then yield the text of a page as the model writes it.

        The time a page may take begins with its turn. Closing the generator hangs up.

        Raises:
            VisionFailed: the model did not read the page; `spent` is what that took. Whatever was
                yielded is void.
        """
        if read.page.blank:
            form = self._served.profile.ladder(read.text_format, "")[0].text_format
            yield VisionDone(Spent(), form)
            return
        if not self._circuit.admits:
            self._watch.called(CallOutcome.BREAKER.value)
            raise known_as_down().error
        await self._served.current()
        turn = self._slots.slot(read.caller, read.priority, read.weight, read.extraction_id)
        async with turn, aclosing(self._in_turn(read)) as parts:
            async for part in parts:
                yield part

    async def _in_turn(self, read: VisionRead) -> AsyncGenerator[VisionPart, None]:
        """Yield the text of a page; once more if the server has another model by now."""
        now = asyncio.get_running_loop().time
        deadline = now() + read.timeout_seconds
        model, spent, begun = await self._served.current(), Spent(), False
        for last in (False, True):
            left = replace(read, timeout_seconds=deadline - now())
            try:
                async with aclosing(self._by(model, left).parts()) as parts:
                    async for part in parts:
                        begun = True
                        if isinstance(part, VisionDone):
                            engine = self._described(model, model.profile)
                            part = replace(part, spent=spent + part.spent, engine=engine)
                        yield part
                return
            except VisionFailed as failed:
                failed.spent = spent = spent + failed.spent
                if failed.metadata.get("status") != NOT_FOUND:
                    raise
                self._served.gone(model)
                if begun or last:
                    raise
                model = await self._instead_of(model, failed)

    async def _instead_of(self, gone: ServedModel, failed: VisionFailed) -> ServedModel:
        """Return what the server serves now; raise what failed if that is nothing else."""
        with suppress(UpstreamUnavailable):
            model = await self._served.current()
            if model != gone:
                return model
        raise failed

    def _by(self, model: ServedModel, read: VisionRead) -> PageReading:
        """Return the reading of a page by this model.

        Raises:
            UpstreamRefused: it cannot do what is asked, which nobody could know before.
        """
        settings, profile = self._settings, model.profile
        check_fits(read, self._described(model, profile), _formats(profile))
        # Of white space or special tokens alone nothing is left, which is as good as no prompt.
        asked = harmless(read.prompt, profile.prompt_tokens).strip()
        return PageReading(
            read,
            model,
            asked or settings.llm_prompt.strip(),
            settings.llm_retries,
            self._upstream,
            self._dialect,
            self._encoders,
        )

    def _described(self, model: ServedModel | None, profile: Profile) -> EngineDescription:
        return EngineDescription(
            name=NAME,
            model=model.name if model else "",
            model_version=profile.name,
            backend=model.backend if model else "",
            precision="",
            languages=tuple(sorted(profile.languages)),
            takes_prompt=self._settings.llm_caller_prompts and profile.takes_prompt,
            gives_blocks=profile.boxes is not BoxSpace.NONE,
            writes_markdown=TextFormat.MARKDOWN in _formats(profile),
        )


def _formats(profile: Profile) -> set[TextFormat]:
    return {rung.text_format for rung in (*profile.markdown, *profile.plain)}
