"""`ocr-grpc envoy-config`: an Envoy of one's own before servers of one's own."""

import json
import re
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ocr_grpc.sidecar.envoy import find_envoy
from tests.processes import COMMAND, environment, free_ports, serve
from tests.support import encoded, picture

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


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


def stats_of(folder: Path, *arguments: str) -> dict:
    written = write_config(folder, "--stats-listen", "127.0.0.1:9", *arguments)
    assert written.returncode == 0, written.stderr
    return json.loads((folder / "envoy" / "envoy.json").read_text())


def test_its_administration_is_at_a_socket_where_it_will_run(tmp_path):
    config = stats_of(tmp_path, "--at", "/etc/envoy")
    assert config["admin"]["address"] == {"pipe": {"path": "/etc/envoy/admin.sock", "mode": 0o600}}
    config = stats_of(tmp_path, "--admin-socket", "/run/own.sock")
    assert config["admin"]["address"]["pipe"]["path"] == "/run/own.sock"
    refused = write_config(tmp_path, "--stats-listen", "9090")
    assert refused.returncode == 1
    assert "'9090' is no HOST:PORT to listen on." in refused.stderr


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """An Envoy without a server, and a client for its own metrics."""
    folder = tmp_path_factory.mktemp("watched")
    door, stats, nobody = free_ports(3)
    own = {"HTTP_PORT": str(door), "MAX_HTTP_CONNECTIONS": "10"}
    listen = ["--upstream", f"127.0.0.1:{nobody}", "--stats-listen", f"127.0.0.1:{stats}"]
    written = write_config(folder, *listen, **own)
    assert written.returncode == 0, written.stderr
    with (
        envoy(folder, f"http://127.0.0.1:{door}") as client,
        httpx.Client(
            base_url=f"http://127.0.0.1:{stats}", transport=httpx.HTTPTransport(retries=8)
        ) as prometheus,
    ):
        yield client, prometheus


def samples(prometheus: httpx.Client) -> dict[str, list[tuple[dict[str, str], float]]]:
    text = prometheus.get("/stats/prometheus").raise_for_status().text
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            # The parser calls every counter `_total`, which Envoy does not.
            name = sample.name if f"\n{sample.name}{{" in text else family.name
            found.setdefault(name, []).append((sample.labels, sample.value))
    return found


def test_its_own_metrics_are_those_of_the_docs_and_tell_of_calls_that_reach_no_server(watched):
    client, prometheus = watched
    assert client.get("/v1/ocr/capabilities").status_code == 503
    found = samples(prometheus)
    told = set(re.findall(r"^\| `(envoy_[a-z_]+)", DOCS.read_text(), re.MULTILINE))
    assert len(told) >= 8
    assert told - found.keys() == set()
    failed = {"envoy_cluster_name": "service", "envoy_response_code_class": "5"}
    assert (failed, 1) in found["envoy_cluster_upstream_rq_xx"]
    calls = {"envoy_http_conn_manager_prefix": "ingress"}
    assert (calls, 1) in found["envoy_http_downstream_rq_completed"]
    assert ({"envoy_cluster_name": "service"}, 0) in found["envoy_cluster_membership_healthy"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/stats", 404),
        ("GET", "/config_dump", 404),
        ("GET", "/stats/prometheus/", 404),
        ("GET", "/stats/prometheus%2f..%2f..%2fconfig_dump", 404),
        ("POST", "/stats/prometheus", 404),
        ("POST", "/quitquitquit", 404),
    ],
)
def test_nothing_else_of_its_administration_is_reached(watched, method, path, status):
    _, prometheus = watched
    assert prometheus.request(method, path).status_code == status
    assert samples(prometheus)


def test_a_question_with_a_body_is_refused(watched):
    _, prometheus = watched
    assert prometheus.request("GET", "/stats/prometheus", content=b"x" * 1000).status_code == 413


def test_it_tells_of_itself_while_clients_hold_all_connections_and_holds_few_itself(watched):
    client, prometheus = watched
    door, stats = client.base_url.port, prometheus.base_url.port
    assert door
    assert stats
    with ExitStack() as stack:

        def connected(port: int) -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=2))

        for _ in range(20):
            connected(door)
        deadline = time.monotonic() + 10
        calls = {"envoy_http_conn_manager_prefix": "ingress"}
        while (calls, 10) not in samples(prometheus)["envoy_http_downstream_cx_active"]:
            assert time.monotonic() < deadline, "they are all taken"
            time.sleep(0.05)
        asked = [connected(stats) for _ in range(40)]
        assert sum(map(was_closed, asked)) >= 24


def was_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.3)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_servers_are_named_in_one_way(tmp_path):
    written = write_config(tmp_path, "--upstream", "a:1", "--upstream", "/run/b.sock")
    assert written.returncode == 1
    assert "Servers are all named by sockets, or all by addresses." in written.stderr
