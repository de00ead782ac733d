"""`ocr-grpc engine` as a process: who gets in, and what becomes of pages when it goes."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ocr_grpc.engines.errors import WorkerLost
from ocr_grpc.engines.link import Link
from ocr_grpc.engines.page_read import ReadBegan
from ocr_grpc.internal.v1 import engine_service_pb2 as pb
from ocr_grpc.internal.v1.engine_service_pb2_grpc import EngineServiceStub
from ocr_grpc.settings import Settings
from ocr_grpc.v1 import ocr_service_pb2 as pb_public
from ocr_grpc.wiring.engine_machine import check_guard
from ocr_grpc.wiring.errors import CannotServe
from tests.certificates import Authority
from tests.engines.machines import (
    BLACK,
    PLAIN,
    machine,
    page,
    pool,
    read,
    read_at_last,
    until,
    whiten,
)
from tests.processes import COMMAND, engine_machine, environment, free_ports
from tests.support import collect, image_pdf, picture, running, serving, text_of

TOKEN = "a shared secret of thirty-two characters"


@dataclass
class Guarded:
    """A machine that asks for a token and for a certificate."""

    port: int
    link: Link
    stranger: tuple[Path, Path]
    other_authority: Path
    log: Path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    authority, other = Authority(folder / "authority"), Authority(folder / "other")
    chain, key = authority.issue("machine", "localhost")
    settings = {"TLS_CERT_FILE": str(chain), "TLS_KEY_FILE": str(key), "ENGINE_TOKEN": TOKEN}
    settings["ENGINE_CA_FILE"] = str(authority.certificate)
    link = Link(True, TOKEN, authority.certificate, *authority.issue("server", "server"))
    with engine_machine(folder, **settings) as (_, address):
        port = int(address.rpartition(":")[2])
        yield Guarded(
            port,
            link,
            other.issue("stranger", "server"),
            other.certificate,
            folder / "engine.log",
        )


async def test_pages_go_over_tls_in_both_directions_checked(guarded, folder):
    async with pool(folder, guarded.port, link=guarded.link) as server:
        assert len(await read(server, page(folder, size=(1500, 1500)))) == 5


async def trouble(guarded: Guarded, folder: Path, link: Link, host: str = "localhost") -> str:
    """Return why a server cannot use the machine."""
    async with pool(folder, guarded.port, link=link, host=host, start=False) as server:
        await until(lambda: server.troubles)
        assert not server.ready_workers
        return server.troubles[0]


@pytest.mark.parametrize("token", ["", TOKEN + "x", TOKEN[:-1]])
async def test_a_server_without_the_token_is_refused(guarded, folder, token):
    told = await trouble(guarded, folder, replace(guarded.link, token=token))
    assert "ENGINE_TOKEN" in told
    assert TOKEN[:-1] not in told + guarded.log.read_text()


async def test_no_method_of_the_engine_answers_without_the_token(guarded):
    async with secure_channel(guarded) as channel:
        stub = EngineServiceStub(channel)
        calls = [
            stub.Describe(pb.DescribeRequest()),
            stub.Watch(pb.WatchRequest()).read(),
            stub.Read(iter([pb.ReadRequest()])).read(),
        ]
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_health_answers_whoever_is_let_in_by_tls(guarded):
    async with secure_channel(guarded) as channel:
        request = health_pb2.HealthCheckRequest(service="ocr_grpc.internal.v1.EngineService")
        answer = await health_pb2_grpc.HealthStub(channel).Check(request)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def secure_channel(guarded: Guarded) -> grpc.aio.Channel:
    link = guarded.link
    files = (link.authority, link.key, link.certificate)
    credentials = grpc.ssl_channel_credentials(*(file.read_bytes() for file in files))
    return grpc.aio.secure_channel(f"localhost:{guarded.port}", credentials)


async def test_a_server_without_a_certificate_that_is_known_is_refused(guarded, folder):
    nothing = replace(guarded.link, certificate=None, key=None)
    chain, key = guarded.stranger
    for link in (nothing, replace(guarded.link, certificate=chain, key=key)):
        assert "ENGINE_CERT_FILE" in await trouble(guarded, folder, link)


async def test_a_machine_that_nobody_vouches_for_is_not_used(guarded, folder):
    told = await trouble(guarded, folder, replace(guarded.link, authority=guarded.other_authority))
    assert "ENGINE_CA_FILE" in told


async def test_a_machine_under_another_name_is_not_used(guarded, folder):
    told = await trouble(guarded, folder, guarded.link, host="127.0.0.1")
    assert "TLS" in told


async def test_plain_text_gets_nowhere(guarded, folder):
    assert "ENGINE_TLS" in await trouble(guarded, folder, PLAIN)


async def test_a_machine_that_is_told_to_stop_ends_its_pages_first(folder):
    (here, there) = free_ports(2)
    with engine_machine(folder, here, ENGINE="hang") as (leaving, _):
        async with pool(folder, here, there, engine="hang", silence_seconds=7) as server:
            held = asyncio.create_task(read(server, page(folder, BLACK)))
            await until(lambda: files(folder))
            leaving.send_signal(signal.SIGTERM)
            await until(lambda: not server.ready_workers)
            # Nobody is there for this one, until another machine joins.
            waiting = asyncio.create_task(read(server, page(folder)))
            with engine_machine(folder, there, "there.log", ENGINE="hang") as (frozen, _):
                assert len(await waiting) == 5
                assert not held.done()
                whiten(files(folder)[0])
                assert len(await held) == 5
                assert await asyncio.to_thread(leaving.wait, 60) == 0
                await freeze(server, frozen, folder)


async def freeze(server, frozen: subprocess.Popen, folder: Path) -> None:
    """Stop a machine in the middle of a page, without a word."""
    parts = server.parts(page(folder, BLACK))
    assert isinstance(await anext(parts), ReadBegan)
    frozen.send_signal(signal.SIGSTOP)
    with pytest.raises(WorkerLost) as lost:
        [part async for part in parts]
    assert not lost.value.began  # the page is not to blame
    frozen.send_signal(signal.SIGCONT)
    assert len(await read_at_last(server, page(folder))) == 5


async def test_a_server_without_workers_has_its_documents_read_elsewhere(folder, tmp_path):
    document = pb_public.StreamExtractRequest(content=image_pdf([picture()] * 6))
    async with machine(folder) as there:
        settings = {"engine_workers": -1, "engine_tls": False}
        settings["engine_endpoints"] = f"localhost:{there.port}"
        async with serving(tmp_path, **settings) as stub:
            events = await collect(stub.StreamExtract(document))
    assert events[-1].finished.pages_ok == 6
    for number in range(1, 7):
        assert text_of(events, number).count("null line") == 4


async def test_endpoints_that_are_none_keep_a_server_from_starting(tmp_path):
    with pytest.raises(CannotServe, match=r"ENGINE_ENDPOINTS: 'engines' is not host:port"):
        async with running(tmp_path, engine_endpoints="localhost:1,engines"):
            pass


def files(folder: Path) -> list[Path]:
    return list((folder / "data" / "spool").glob("*/page-*"))


def settings(**values) -> Settings:
    return Settings(_env_file=None, **values)


FILES = {"tls_cert_file": Path("chain.pem"), "tls_key_file": Path("key.pem")}
CA = {"engine_ca_file": Path("ca.pem")}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"engine_host": "::1"},
        {"engine_host": "0.0.0.0", "engine_tls": False, "engine_token": TOKEN},
        {"engine_host": "10.0.0.1", "engine_token": TOKEN} | FILES,
        {"engine_host": "::"} | FILES | CA,
    ],
)
def test_a_guarded_machine_may_start(values):
    check_guard(settings(**values))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"engine_host": "0.0.0.0", "engine_token": TOKEN}, "TLS_CERT_FILE"),
        ({"engine_host": "0.0.0.0", "engine_tls": False}, "ENGINE_TOKEN"),
        ({"engine_host": "10.0.0.1"} | FILES, "ENGINE_TOKEN"),
        ({"engine_host": "example.com"} | FILES, "ENGINE_TOKEN"),
        (CA, "ENGINE_CA_FILE"),
        ({"engine_tls": False} | FILES | CA, "ENGINE_CA_FILE"),
    ],
)
def test_a_machine_that_anybody_could_use_does_not_start(values, named):
    with pytest.raises(CannotServe, match=named):
        check_guard(settings(**values))


def test_the_command_names_what_is_missing(tmp_path):
    run = subprocess.run(
        [COMMAND, "engine"],
        env=environment(tmp_path, ENGINE_HOST="0.0.0.0", ENGINE_TLS="false"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert "set ENGINE_TOKEN" in run.stderr
