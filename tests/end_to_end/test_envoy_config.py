"""`ocr-grpc envoy-config`: an Envoy of one's own before servers of one's own."""

import json
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ocr_grpc.sidecar.envoy import find_envoy
from tests.processes import COMMAND, environment, free_ports, serve
from tests.support import encoded, picture


def write_config(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [COMMAND, "envoy-config", str(folder / "envoy"), *arguments],
        env=environment(folder, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def envoy(folder: Path, url: str):
    config = folder / "envoy" / "envoy.json"
    command = [str(find_envoy(None)), "-c", str(config), "--disable-hot-restart"]
    process = subprocess.Popen([*command, "--concurrency", "1", "-l", "error"], env={}, cwd=folder)
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(base_url=url, transport=transport, timeout=20) as client:
            yield client
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="module", params=["address", "socket"])
def door(request, tmp_path_factory):
    """An Envoy that reaches the server by its address or by a socket."""
    folder = tmp_path_factory.mktemp("door")
    (port,) = free_ports(1)
    own = {"TRUSTED_PROXIES": "127.0.0.0/8", "TRUSTED_HOPS": "1", "HTTP_PORT": str(port)}
    if request.param == "socket":
        own["SIDECAR_SOCKET"] = str(folder / "http.sock")
    with serve(folder, **own) as (_, address):
        to_address = ["--upstream", address] if request.param == "address" else []
        written = write_config(folder, *to_address, **own)
        assert written.returncode == 0, written.stderr
        assert written.stdout.strip() == str(folder / "envoy" / "envoy.json")
        with envoy(folder, f"http://127.0.0.1:{port}") as client:
            yield client, folder


def test_it_serves_what_our_own_sidecar_serves(door):
    client, _ = door
    found = client.get("/v1/ocr/capabilities")
    assert found.status_code == 200
    assert found.json()["engines"][0]["name"] == "null"
    assert client.get("/").headers["content-type"].startswith("text/html")
    lines = client.post("/v1/ocr:upload", content=encoded(picture())).text.splitlines()
    assert "finished" in json.loads(lines[-1])


def test_the_server_believes_it_about_its_clients(door):
    client, folder = door
    client.get("/v1/ocr/capabilities", headers={"x-forwarded-for": "203.0.113.7"})
    log = folder / "serve.log"
    deadline = time.monotonic() + 5
    while '"http:203.0.113.7"' not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = [line for line in log.read_text().splitlines() if '"event": "call"' in line]
    assert json.loads(lines[-1])["caller"] == "http:203.0.113.7"


def test_files_are_named_where_envoy_will_find_them(tmp_path):
    written = write_config(tmp_path, "--at", "/etc/envoy", "--upstream", "a:1", "--upstream", "b:2")
    assert written.returncode == 0, written.stderr
    text = (tmp_path / "envoy" / "envoy.json").read_text()
    assert str(tmp_path) not in text
    assert "/etc/envoy/descriptors.binpb" in text
    assert "/etc/envoy/web/index.html" in text
    assert (tmp_path / "envoy" / "web" / "index.html").exists()
    service = json.loads(text)["static_resources"]["clusters"][0]
    endpoints = service["load_assignment"]["endpoints"][0]["lb_endpoints"]
    ports = [each["endpoint"]["address"]["socket_address"]["port_value"] for each in endpoints]
    assert ports == [1, 2]


def test_servers_are_named_in_one_way(tmp_path):
    written = write_config(tmp_path, "--upstream", "a:1", "--upstream", "/run/b.sock")
    assert written.returncode == 1
    assert "Servers are all named by sockets, or all by addresses." in written.stderr
