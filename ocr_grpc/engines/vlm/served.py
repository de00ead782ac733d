"""Which model the server serves, found out beside everything else and kept up to date."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from ocr_grpc.engines.vlm.chunks import ListedModel
from ocr_grpc.engines.vlm.errors import UpstreamUnavailable
from ocr_grpc.engines.vlm.failures import CallFailed, backoff_seconds
from ocr_grpc.engines.vlm.profile import Profile
from ocr_grpc.engines.vlm.profiles import profile_for
from ocr_grpc.engines.vlm.upstream import LIST_SECONDS, Upstream
from ocr_grpc.engines.vlm.vision_settings import VisionSettings

UNTOLD_BACKEND = "openai-compatible"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The model in use.

    Attributes:
        name: what it is served as.
        context_tokens: 0 if neither the operator nor the server says.
        backend: what serves it, with its version if that is known.
    """

    name: str
    profile: Profile
    context_tokens: int
    backend: str = UNTOLD_BACKEND


class Served:
    """Knows the model in use; asks the server until it does.

    The server may come up after us, and may come back with another model.
    """

    def __init__(self, settings: VisionSettings, upstream: Upstream) -> None:
        """Know what the settings tell.

        Raises:
            ValueError: there is no profile of that name.
        """
        self._settings = settings
        self._upstream = upstream
        self._asking: asyncio.Task[None] | None = None
        self._asked_once = asyncio.Event()
        self._complained = False
        self._named = self._with(settings.llm_model)
        self.model: ServedModel | None = self._named if settings.llm_model else None

    @property
    def profile(self) -> Profile:
        """Return how the model is asked; a guess as long as it is not known."""
        return (self.model or self._named).profile

    def ask(self) -> None:
        """Begin to ask the server, unless that is under way. Needs a running event loop."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_until_told())

    async def close(self) -> None:
        """Stop asking."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def current(self) -> ServedModel:
        """Return the model in use; waits for the first answer of the server at most.

        Raises:
            UpstreamUnavailable: it is not known yet.
        """
        if self.model is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(2 * LIST_SECONDS):
                    await self._asked_once.wait()
        if self.model is None:
            raise UpstreamUnavailable(
                "The model's server has not told which model it serves. "
                "Check that it runs, or set LLM_MODEL."
            )
        return self.model

    def gone(self, model: ServedModel) -> None:
        """Note that the server knows this model no more: it may have another by now."""
        if self.model == model and not self._settings.llm_model:
            self.model = None
            self._asked_once.clear()
            self.ask()

    async def _ask_until_told(self) -> None:
        tries = 0
        while not await self._asked():
            tries += 1
            await asyncio.sleep(backoff_seconds(tries))

    async def _asked(self) -> bool:
        """Ask once; return whether there is no more to learn. It fails in no way."""
        try:
            listed = await self._upstream.models()
            if model := self._chosen(listed):
                self._complained = False
                version = await self._upstream.version()
                self.model = replace(model, backend=f"vllm {version}" if version else model.backend)
                log.info(
                    "llm_model",
                    name=model.name,
                    profile=model.profile.name,
                    backend=self.model.backend,
                )
            else:
                self._complain("It lists no model.")
        except CallFailed as failure:
            self._complain(failure.error.message)
            # A server without such a list serves all the same, if it is told the name.
            return failure.status in (404, 405) and self.model is not None
        except Exception:
            # Nobody waits for this task: without this it would end unseen, and all pages wait.
            log.exception("llm_asking_failed")
            return False
        finally:
            self._asked_once.set()
        return self.model is not None

    def _chosen(self, listed: list[ListedModel]) -> ServedModel | None:
        wanted = self._settings.llm_model
        found = [model for model in listed if model.name == wanted or not wanted]
        if not found:
            return self.model
        return self._with(found[0].name, found[0].context_tokens)

    def _with(self, name: str, context_tokens: int = 0) -> ServedModel:
        return ServedModel(
            name,
            profile_for(name, self._settings.llm_profile),
            self._settings.llm_context_tokens or context_tokens,
        )

    def _complain(self, why: str) -> None:
        if not self._complained:
            log.warning("llm_not_asked", reason=why)
        self._complained = True
