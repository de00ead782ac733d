"""TLS on both ports of a real server: who gets in, the way from HTTP, and new certificates."""

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import grpc
import grpc.aio
import httpx
import pytest
from google.api.httpbody_pb2 import HttpBody

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from ocr_grpc.wiring.errors import CannotServe
from tests.certificates import Authority
from tests.processes import COMMAND, environment, free_ports, serve_http
from tests.sidecar.calls import curl
from tests.support import running

HOST = "ocr.example.com"
NAMED = [("grpc.ssl_target_name_override", HOST), ("grpc.use_local_subchannel_pool", 1)]


@dataclass
class Served:
    """A server with TLS on both ports.

    Attributes:
        folder: where it runs; `tls.crt` and `tls.key` in it are in use.
        ports: of gRPC, HTTP, the redirect and the metrics.
    """

    folder: Path
    authority: Authority
    grpc: int
    http: int
    redirect: int
    metrics: int

    def environment(self, **variables: str) -> dict[str, str]:
        ports = {"GRPC_PORT": self.grpc, "HTTP_PORT": self.http, "METRICS_PORT": self.metrics}
        named = {name: str(port) for name, port in ports.items()}
        return named | tls_settings(self.folder) | variables

    def channel(self, port: int) -> grpc.aio.Channel:
        credentials = grpc.ssl_channel_credentials(self.authority.certificate.read_bytes())
        return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=NAMED)

    def handshake(self, port: int, *protocols: str, **versions: ssl.TLSVersion) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_alpn_protocols(protocols or ["h2"])
        for name, version in versions.items():
            setattr(context, name, version)
        with (
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as secure,
        ):
            secure.shown = secure.getpeercert()["serialNumber"]
            secure.spoken = secure.selected_alpn_protocol()
            return secure

    def shown(self) -> tuple[str, str]:
        """Return the serial numbers of the certificates on both ports."""
        return self.handshake(self.grpc).shown, self.handshake(self.http).shown

    def put(self, chain: Path, key: Path) -> None:
        """Replace the certificate, as `mv` does it."""
        for source, name in ((chain, "tls.crt"), (key, "tls.key")):
            shutil.copy(source, self.folder / "new")
            (self.folder / "new").replace(self.folder / name)


def tls_settings(folder: Path) -> dict[str, str]:
    return {"TLS_CERT_FILE": str(folder / "tls.crt"), "TLS_KEY_FILE": str(folder / "tls.key")}


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder / "authority")
    server = Served(folder, authority, *free_ports(4))
    server.put(*authority.issue("first", HOST))
    redirect = {"HTTP_REDIRECT_PORT": str(server.redirect), "AUTH_ENABLED": "true"}
    with serve_http(folder, **server.environment(**redirect)) as (_, _, url):
        assert url == f"https://127.0.0.1:{server.http}"
        yield server


@pytest.fixture
def web(served) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=served.authority.certificate)
    with httpx.Client(verify=context, base_url=f"https://127.0.0.1:{served.http}") as client:
        client.headers["host"] = HOST
        yield client


def test_both_ports_speak_http_2_over_tls_and_http_one_too(served):
    assert served.handshake(served.grpc).spoken == "h2"
    assert served.handshake(served.http, "h2", "http/1.1").spoken == "h2"
    assert served.handshake(served.http, "http/1.1").spoken == "http/1.1"


def test_versions_before_1_2_are_refused(served):
    for port in (served.grpc, served.http):
        served.handshake(port, maximum_version=ssl.TLSVersion.TLSv1_2)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with (
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|EOF"),
        ):
            context.wrap_socket(plain, server_hostname=HOST)


async def test_grpc_in_plain_text_gets_nowhere(served):
    for port in (served.grpc, served.http):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await OcrServiceStub(channel).GetCapabilities(pb.GetCapabilitiesRequest())
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_plain_http_on_the_port_of_https_gets_nowhere(served):
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{served.http}/health")


async def test_grpc_and_rest_work_over_tls(served, web):
    for port in (served.grpc, served.http):
        async with served.channel(port) as channel:
            answer = await OcrServiceStub(channel).GetCapabilities(pb.GetCapabilitiesRequest())
            assert answer.formats
    answer = web.get("/v1/ocr/capabilities", extensions={"sni_hostname": HOST})
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_rest_works_in_both_versions_of_http(served, version):
    answer = curl(
        *(f"--http{version}", "--cacert", str(served.authority.certificate)),
        *("--resolve", f"{HOST}:{served.http}:127.0.0.1", "--write-out", "%{http_version}"),
        f"https://{HOST}:{served.http}/health",
    )
    assert answer.stdout.split() == ['{"status":"SERVING"}', version]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_plain_http_is_sent_on_to_https_as_it_was(served, method):
    url = f"http://127.0.0.1:{served.redirect}/v1/ocr:upload?options.dpi=300"
    answer = httpx.request(method, url, headers={"host": HOST})
    assert answer.status_code == 308
    expected = f"https://{HOST}:{served.http}/v1/ocr:upload?options.dpi=300"
    assert answer.headers["location"] == expected
    assert "strict-transport-security" not in answer.headers


def ran(served: Served, *words: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [COMMAND, *words],
        env=environment(served.folder, **served.environment(**variables)),
        cwd=served.folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_commands_on_the_machine_of_the_server_just_work(served):
    (served.folder / "hello.txt").write_text("hello over TLS")
    assert "local.key" in ran(served, "whoami").stdout
    run = ran(served, "extract", "hello.txt", "--address", f"localhost:{served.grpc}")
    assert (run.stdout, run.stderr) == ("hello over TLS\n", "")


def test_commands_check_the_certificate_of_any_other_server(served):
    key = {"OCR_API_KEY": "ocr_" + "x" * 38}
    address = f"https://localhost:{served.http}"
    assert "OCR_CA_FILE" in ran(served, "whoami", "--address", address, **key).stderr
    trusted = key | {"OCR_CA_FILE": str(served.authority.certificate)}
    said = ran(served, "whoami", "--address", address, **trusted).stderr
    assert "for another name" in said
    assert "unencrypted" not in said


async def held_open(go_on: asyncio.Event) -> AsyncIterator[pb.UploadExtractRequest]:
    yield pb.UploadExtractRequest(content=HttpBody(data=b"before and "))
    await go_on.wait()
    yield pb.UploadExtractRequest(content=HttpBody(data=b"after"))


async def upload(served: Served, port: int, go_on: asyncio.Event) -> str:
    key = (served.folder / "data" / "local.key").read_text().strip()
    async with served.channel(port) as channel:
        stub = OcrServiceStub(channel)
        call = stub.UploadExtract(held_open(go_on), metadata=[("x-api-key", key)], timeout=30)
        return "".join([event.delta.text async for event in call])


async def soon(condition: Callable[[], bool], seconds: float) -> float:
    began = time.monotonic()
    while not await asyncio.to_thread(condition):
        assert time.monotonic() - began < seconds, "It did not come true."
        await asyncio.sleep(0.05)
    return time.monotonic() - began


def expiry(served: Served) -> float:
    with urlopen(f"http://127.0.0.1:{served.metrics}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    name = "ocr_certificate_expiry_timestamp_seconds "
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


async def test_a_new_certificate_is_shown_on_both_ports_and_cuts_no_call(served):
    before = served.shown()
    assert before[0] == before[1]
    go_on = asyncio.Event()
    uploads = [
        asyncio.create_task(upload(served, port, go_on)) for port in (served.grpc, served.http)
    ]
    await asyncio.sleep(0.3)
    served.put(*served.authority.issue("second", HOST, days=90))
    await soon(lambda: before[0] not in served.shown(), seconds=3)
    after = served.shown()
    assert after[0] == after[1]
    assert expiry(served) == pytest.approx(time.time() + 90 * 86400, abs=600)
    go_on.set()
    assert await asyncio.gather(*uploads) == ["before and after"] * 2
    assert "local.key" in ran(served, "whoami").stdout


async def test_a_key_of_another_certificate_changes_nothing_and_is_told_of_once(served):
    before = served.shown()
    chain, _ = served.authority.issue("third", HOST)
    _, key = served.authority.issue("fourth", HOST)
    served.put(chain, key)
    log = served.folder / "serve.log"
    await soon(lambda: "certificate_refused" in log.read_text(), seconds=3)
    await asyncio.sleep(1.2)
    assert served.shown() == before
    told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    refused = [line for line in told if line["event"] == "certificate_refused"]
    assert len(refused) == 1
    assert "TLS_KEY_FILE" in refused[0]["reason"]
    assert "PRIVATE KEY" not in log.read_text()


async def test_a_server_does_not_start_with_a_certificate_it_cannot_use(served, tmp_path):
    chain, _ = served.authority.issue("fifth", HOST)
    _, key = served.authority.issue("sixth", HOST)
    with pytest.raises(CannotServe, match=f"TLS_KEY_FILE: {key} is not the key"):
        async with running(tmp_path, tls_cert_file=chain, tls_key_file=key):
            pass
    missing = tmp_path / "missing"
    with pytest.raises(CannotServe, match=f"TLS_CERT_FILE: {missing}: No such file"):
        async with running(tmp_path, tls_cert_file=missing, tls_key_file=key):
            pass
