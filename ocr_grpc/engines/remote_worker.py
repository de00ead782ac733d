"""One engine machine: connects to it, hears how busy it is, and connects again when it is lost."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import monotonic

import grpc
import grpc.aio
import structlog

from ocr_grpc.engines.client import EngineClient
from ocr_grpc.engines.deadlines import ON_ANOTHER_MACHINE
from ocr_grpc.engines.endpoints import Machine
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.errors import PageDropped, WorkerLost
from ocr_grpc.engines.link import Link
from ocr_grpc.engines.load import SPARE_PAGES, Load
from ocr_grpc.engines.page_read import PageRead, ReadBegan, ReadTimes
from ocr_grpc.engines.rest import Rest
from ocr_grpc.model import Line

log = structlog.get_logger()

CONNECT_SECONDS = 10.0
LEAST_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 10.0

NOBODY = Load(0)

HINTS = {
    grpc.StatusCode.UNAUTHENTICATED: "It does not take our ENGINE_TOKEN.",
    grpc.StatusCode.PERMISSION_DENIED: "It does not take our ENGINE_TOKEN.",
    grpc.StatusCode.UNIMPLEMENTED: "No `ocr-grpc engine` of this version answers there.",
}
UNREACHABLE = "It cannot be reached, or ended the connection."
UNEXPECTED = "Something unexpected happened; the log tells what."
CLOSED = (
    "It closes the connection: one side speaks TLS (ENGINE_TLS) and the other does not, or it asks "
    "for a certificate (ENGINE_CERT_FILE) that another authority vouches for."
)
TLS_HINT = (
    "TLS with it fails: ENGINE_CA_FILE must vouch for its certificate, which must be for the name "
    "in ENGINE_ENDPOINTS. ENGINE_TLS=false is for machines without TLS."
)


class _Unfit(Exception):
    """The machine reads with another engine; the text says with which."""


class RemoteWorker:
    """Speaks to one machine while it is there."""

    def __init__(
        self,
        machine: Machine,
        link: Link,
        silence_seconds: float,
        may_join: Callable[[EngineDescription], str],
        on_change: Callable[[], None],
    ) -> None:
        """Make a worker; `run` connects it.

        Args:
            machine: where it is.
            link: how to connect.
            silence_seconds: how long it may say nothing of its load until it passes for lost.
            may_join: returns why a machine with that engine must not be used; empty if it may.
            on_change: called when it comes, goes, or has another load.
        """
        self.machine = machine
        self.in_flight = 0
        self.description: EngineDescription | None = None
        """What its engine is, from when it joined until it is gone."""
        self._link = link
        self._silence_seconds = silence_seconds
        self._may_join = may_join
        self._on_change = on_change
        self._client: EngineClient | None = None
        self._load = NOBODY
        self._others = 0
        self._rest = Rest()
        self.retired = False
        """Whether it is given no more pages, for good."""
        self.trouble = ""
        """Why it is not there; empty while it is, or was not asked yet."""

    @property
    def slots(self) -> int:
        """Return how many pages it reads at a time; 0 while it is not there, or is leaving."""
        return 0 if self.retired or self._load.draining else self._load.slots

    @property
    def capacity(self) -> int:
        """Return how many pages it may be given: one more, which is there when another ends."""
        return self.slots + SPARE_PAGES if self.slots else 0

    @property
    def has_room(self) -> bool:
        """Return whether it may be asked to take a page now.

        Pages of others do not count here: it must hear that we have pages too, to give us a share.
        """
        return self.in_flight < self.capacity and not self._rest.needed

    @property
    def crowding(self) -> tuple[float, int]:
        """Return the pages it has for each that it reads at a time; rather this machine's own."""
        return (self._others + self.in_flight) / max(1, self._load.slots), 1

    def refused(self) -> None:
        """Give it no page for a moment: it said that it takes none."""
        self._rest.begin()

    def retire(self) -> None:
        """Give it no more pages."""
        self.retired = True
        self._on_change()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause_seconds = LEAST_PAUSE_SECONDS
        while True:
            began = monotonic()
            try:
                await self._try_once()
            except Exception:
                # Nobody waits for this task: it would end unseen, and the machine with it.
                if self.trouble != UNEXPECTED:
                    log.exception("engine_machine_failed", machine=str(self.machine))
                self.trouble = UNEXPECTED
            steady = monotonic() - began > STEADY_SECONDS
            pause_seconds = (
                LEAST_PAUSE_SECONDS if steady else min(MAX_PAUSE_SECONDS, 2 * pause_seconds)
            )
            # Not all servers of a fleet at once, when a machine is back.
            await asyncio.sleep(random.uniform(0.5, 1) * pause_seconds)  # noqa: S311

    async def read(self, page: PageRead) -> AsyncGenerator[ReadBegan | list[Line] | ReadTimes]:
        """Yield what the machine reads; see `EngineClient.read`."""
        client = self._client
        if client is None:
            raise WorkerLost("It went away just before its turn.")
        try:
            async with aclosing(client.read(page)) as parts:
                async for part in parts:
                    yield part
        except PageDropped:
            raise
        except WorkerLost as lost:
            self._rest.begin()
            # Not the page's fault: one that kills engines is dropped, and the machine stays.
            raise WorkerLost(str(lost)) from None

    async def _try_once(self) -> None:
        """Stay connected for as long as that goes well, and tell why it ended."""
        try:
            await self._run_once()
            self._tell(UNREACHABLE)
        except grpc.aio.AioRpcError as error:
            self._tell(_reason(error, was_there=self._load is not NOBODY))
        except _Unfit as unfit:
            self._tell(str(unfit))
        except TimeoutError:
            self._tell(f"It said nothing for {self._silence_seconds:g} s.")
        except OSError as error:
            self._tell(f"{error.filename}: {error.strerror}.")
        finally:
            await self._leave()

    async def _run_once(self) -> None:
        address = await asyncio.to_thread(self._link.address, self.machine)
        client = self._client = EngineClient(address, ON_ANOTHER_MACHINE, shares_spool=False)
        description = await client.describe(CONNECT_SECONDS, wait=False)
        if refusal := self._may_join(description):
            raise _Unfit(f"It is not used: {refusal}.")
        self.description = description
        async with aclosing(client.watch(self._silence_seconds)) as loads:
            async for load in loads:
                if self._load is NOBODY:
                    self.trouble = ""
                    log.info("engine_machine_joined", machine=str(self.machine), slots=load.slots)
                self._take(load)

    def _take(self, load: Load) -> None:
        if load.draining and not self._load.draining:
            log.info("engine_machine_leaves", machine=str(self.machine))
        self._others = max(0, load.admitted - self.in_flight)
        if load.admitted < load.capacity:
            self._rest.end()
        self._load = load
        self._on_change()

    async def _leave(self) -> None:
        """Let go of the machine; pages that it has are lost, and read again elsewhere."""
        client, self._client = self._client, None
        self._load, self._others = NOBODY, 0
        self.description = None
        self._rest.end()
        self._on_change()
        if client:
            await client.close()

    def _tell(self, trouble: str) -> None:
        """Log why it is not there: once, until that changes or it was there again."""
        if self._load.draining:
            log.info("engine_machine_left", machine=str(self.machine))
            trouble = UNREACHABLE
        elif trouble != self.trouble:
            log.error("engine_machine_absent", machine=str(self.machine), reason=trouble)
        self.trouble = trouble


def _reason(error: grpc.aio.AioRpcError, *, was_there: bool) -> str:
    """Return what went wrong, without what else the machine says: it may quote anything."""
    code = error.code()
    if code in HINTS:
        return HINTS[code]
    details = (error.details() or "").lower()
    if any(word in details for word in ("handshake", "ssl", "certificate", "tls", "verification")):
        return TLS_HINT
    if "socket closed" in details and not was_there:
        return CLOSED
    if code is grpc.StatusCode.UNAVAILABLE:
        return UNREACHABLE
    return f"It does not answer ({code.name})."
