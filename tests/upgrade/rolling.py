"""Restarts every process in turn under load, and looks whether anything was lost.

    python -m tests.upgrade.rolling --rounds 5

prints what was called, what went wrong, and a verdict; it ends with 1 if anything did. Streams that
outlast a server, and the shipped Python client (`make -C clients/python build`), take part.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ocr_grpc.v1 import access_pb2, usage_service_pb2
from tests.people import ADMIN_PASSWORD, House, Metadata
from tests.sidecar.envoys import sidecar
from tests.upgrade.callers import Call, NativeCalls, RestCalls, Seen, channel_to_all, repeat
from tests.upgrade.fleet import Fleet, make_fleet
from tests.upgrade.long_callers import LongCalls
from tests.upgrade.resuming_callers import ResumingCalls
from tests.upgrade.shipped_client import built, shipped_client

SETTINGS = {
    "AUTH_ENABLED": "true",
    "BOOTSTRAP_PASS": ADMIN_PASSWORD,
    "SECRET_KEY": "a secret that all processes of this installation have",
    "ANONYMOUS_CALLS_PER_MINUTE": "0",
    "USER_CALLS_PER_MINUTE": "0",
    "USER_PAGES_PER_MONTH": "0",
    "USER_CONCURRENT_STREAMS": "0",
    # Two health checks of Envoy, which are two seconds apart.
    "SHUTDOWN_DELAY_SECONDS": "4",
    # Longer than plain streams take here, and less long than those that can be resumed.
    "SHUTDOWN_GRACE_SECONDS": "3",
}
SCOPES = (access_pb2.SCOPE_OCR, access_pb2.SCOPE_BATCHES, access_pb2.SCOPE_USAGE)
CALM_SECONDS = 1.0
"""Of load before the first restart, and after the last."""


@dataclass
class Verdict:
    """What a run showed.

    Attributes:
        seen: how calls ended.
        charged: pages in the caller's quota.
        rows: pages in the rows of the ledger.
        reserved: pages that are still held back.
    """

    seen: Seen
    charged: int
    rows: int
    reserved: int
    restarts: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        found = [f"{kind}: {end} ({count})" for (kind, end), count in self.seen.wrong.items()]
        if not self.seen.wrong and not self.seen.pages == self.charged == self.rows:
            found.append(
                f"{self.seen.pages} pages delivered, {self.charged} charged, {self.rows} in rows"
            )
        if self.reserved:
            found.append(f"{self.reserved} pages are still reserved")
        return found


async def roll(
    folder: Path,
    urls: dict[str, str],
    rounds: int,
    own_workers: bool = False,
    at_once: int = 1,
    long: bool = False,
    **settings: str,
) -> Verdict:
    """Restart everything so often, under load.

    Args:
        folder: for what the processes keep.
        urls: `DATABASE_URL` and `REDIS_URL`.
        rounds: how often each process is restarted.
        own_workers: whether workers and engine machines are processes of their own.
        at_once: how many callers make each kind of call.
        long: also with streams that outlast a server, and with the shipped Python client.
        settings: of all processes, beside and over those above.
    """
    (folder / "blobs").mkdir()
    common = SETTINGS | urls | {"BLOB_URL": f"file://{folder}/blobs"} | settings
    async with AsyncExitStack() as stack:
        fleet = make_fleet(folder, common, own_workers)
        stack.push_async_callback(fleet.close)
        await fleet.start()
        home = House(await stack.enter_async_context(channel_to_all(fleet.addresses)))
        envoy = await stack.enter_async_context(sidecar(*fleet.addresses))
        _, user = await home.register("ann")
        _, key = await home.key(user, *SCOPES)
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{envoy.port}", timeout=60, trust_env=False
        )
        await stack.enter_async_context(client)
        client.headers["authorization"] = user[0][1]
        seen = Seen()
        calls = NativeCalls(home, key, user, seen).all() | RestCalls(client).all()
        resuming = ResumingCalls(fleet.addresses, key, seen)
        stack.push_async_callback(resuming.close)
        calls |= resuming.all()
        if long:
            slow = LongCalls(fleet.addresses, client, key, seen)
            stack.push_async_callback(slow.close)
            calls |= slow.all()
        shipped = shipped_client(folder / "client", fleet.addresses, key, seen)
        async with shipped if long else nullcontext(), under_load(seen, calls, at_once):
            await asyncio.sleep(CALM_SECONDS)
            for _ in range(rounds):
                await fleet.restart_each()
            await asyncio.sleep(CALM_SECONDS)
        return await judged(home, user, seen, fleet)


@asynccontextmanager
async def under_load(seen: Seen, calls: dict[str, Call], at_once: int) -> AsyncIterator[None]:
    """Make every kind of call while the block runs, and let all of them end."""
    async with asyncio.TaskGroup() as tasks:
        for kind, call in calls.items():
            for _ in range(at_once):
                tasks.create_task(repeat(seen, kind, call))
        try:
            yield
        finally:
            seen.over.set()


async def judged(home: House, user: Metadata, seen: Seen, fleet: Fleet) -> Verdict:
    """Compare what was delivered with the ledger."""
    async with asyncio.timeout(60):
        while True:
            request = usage_service_pb2.GetUsageSummaryRequest()
            quota = (await home.usage.GetUsageSummary(request, metadata=user)).quota
            if not quota.reserved_pages:
                break
            await asyncio.sleep(0.2)
    rows, token = 0, ""
    while True:
        asking = usage_service_pb2.ListUsageRequest(page_size=500, page_token=token)
        page = await home.usage.ListUsage(asking, metadata=user)
        rows += sum(record.usage.pages for record in page.records)
        token = page.next_page_token
        if not token:
            break
    return Verdict(seen, quota.used_pages, rows, quota.reserved_pages, fleet.said)


def main() -> None:
    """Run it on a PostgreSQL and a Valkey of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", action="store_true", help="with workers and engine machines")
    parser.add_argument("--callers", type=int, default=1, help="for each kind of call")
    parser.add_argument("settings", nargs="*", help="of the processes, NAME=VALUE")
    wanted = parser.parse_args()
    settings = dict(each.split("=", 1) for each in wanted.settings)
    if not built():
        parser.error("The Python client is missing; `make -C clients/python build` makes it.")
    from tests.upgrade.servers import installation

    with tempfile.TemporaryDirectory(prefix="ocr-roll-") as folder, installation() as urls:
        kinds = {"own_workers": wanted.workers, "at_once": wanted.callers, "long": True}
        verdict = asyncio.run(roll(Path(folder), urls, wanted.rounds, **kinds, **settings))
    report(verdict)
    sys.exit(1 if verdict.wrong else 0)


def report(verdict: Verdict) -> None:
    """Print what was called, and the verdict."""
    for (kind, end), count in sorted(verdict.seen.ends.items()):
        print(f"{count:7,}  {kind:25} {end}")
    print(
        f"{len(verdict.restarts)} restarts; {verdict.seen.resumed} streams went on elsewhere, "
        f"{verdict.seen.repeated} were cut off and sent again"
    )
    print(
        f"pages: {verdict.seen.pages:,} delivered, {verdict.charged:,} charged, "
        f"{verdict.rows:,} in the ledger"
    )
    print("\n".join(verdict.wrong) or "nothing was lost")


if __name__ == "__main__":
    main()
