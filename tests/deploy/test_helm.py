"""The Helm chart: what it refuses, what Kubernetes would say, how its pods are fenced in."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.programs import require
from tests.clients.stage import ROOT
from tests.processes import COMMAND

CHART = ROOT / "deploy/helm/ocr-grpc"
CASES = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
TOOLS = f"{ROOT}/.build/bin{os.pathsep}{os.environ.get('PATH', '')}"
SCHEMAS = ROOT / ".build/kubernetes-schemas"
KUBERNETES = "1.34.0"
OPERATORS = "ScaledObject,HTTPRoute,ServiceMonitor,PrometheusRule"
"""Kinds of operators, which Kubernetes itself has no schemas for."""


def run(program: str, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    require(program, path=TOOLS)
    return subprocess.run(
        [str(shutil.which(program, path=TOOLS)), *words],
        input=given,
        env={"PATH": TOOLS, "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@cache
def template(case: str, *words: str) -> subprocess.CompletedProcess[str]:
    values = ["--values", str(CHART / "ci" / f"{case}.yaml")] if case else []
    fixed = ["--kube-version", KUBERNETES, "--namespace", "ocr"]
    return run("helm", "template", "ocr", str(CHART), *fixed, *values, *words)


def made(case: str, *words: str) -> list[dict[str, Any]]:
    done = template(case, *words)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def of_kind(found: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in found if each["kind"] == kind}


def pods(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the specification of each pod, by the name of who makes it."""
    direct = {name: each["spec"] for name, each in of_kind(found, "Pod").items()}
    for kind in ("Deployment", "Job"):
        for name, each in of_kind(found, kind).items():
            direct[name] = each["spec"]["template"]["spec"]
    return direct


@pytest.mark.parametrize("case", CASES)
def test_helm_finds_nothing_to_complain_of(case):
    values = str(CHART / "ci" / f"{case}.yaml")
    words = ["lint", "--strict", "--kube-version", KUBERNETES, str(CHART), "--values", values]
    done = run("helm", *words)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES)
def test_kubernetes_knows_every_field(case):
    if not SCHEMAS.is_dir():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "There are no schemas of Kubernetes; see `.ci/tools`."
        )
    where = f"{SCHEMAS}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    words = ["-strict", "-output", "json", "-summary", "-skip", OPERATORS]
    text = template(case).stdout
    done = run("kubeconform", *words, "-schema-location", where, "-", given=text)
    said = json.loads(done.stdout)
    assert done.returncode == 0, said.get("resources")
    assert said["summary"]["valid"] >= 10
    wrong = text.replace("imagePullPolicy:", "imagePullPolitics:")
    refused = run("kubeconform", *words, "-schema-location", where, "-", given=wrong)
    assert refused.returncode != 0, "the schemas are strict"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "settings.BLOB_URL=s3://a/b"], "existingSecret"),
        (["--set", "existingSecret=ocr"], "settings.BLOB_URL"),
        (["--set", "existingSecret=ocr,serve.replica=3"], "replica"),
        (["--set", "existingSecret=ocr,settings.SECRET_KEY=weak"], "SECRET_KEY"),
        (
            ["--set", "existingSecret=ocr,settings.BLOB_URL=s3://a/b,documents.existingClaim=c"],
            "one of them",
        ),
    ],
)
def test_what_is_missing_or_unknown_is_refused(words, said):
    refused = template("", *words)
    assert refused.returncode != 0
    assert said in refused.stderr


@pytest.mark.parametrize("case", CASES)
def test_the_chart_makes_no_secret(case):
    assert of_kind(made(case), "Secret") == {}


@pytest.mark.parametrize("case", CASES)
def test_every_pod_is_fenced_in(case):
    found = pods(made(case))
    assert found.keys() == {"ocr-serve", "ocr-engine", "ocr-worker", "ocr-migrate", "ocr-test"}
    for name, pod in found.items():
        assert pod["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name
            mounts = {each["mountPath"] for each in container["volumeMounts"]}
            assert {"/data", "/tmp"} <= mounts, name


@pytest.mark.parametrize("case", CASES)
def test_pods_have_longer_to_stop_than_the_service_takes(case):
    found = pods(made(case))
    for role in ("serve", "engine", "worker"):
        pod = found[f"ocr-{role}"]
        said = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
        needed = int(said["SHUTDOWN_GRACE_SECONDS"]) + int(said.get("SHUTDOWN_DELAY_SECONDS") or 0)
        assert pod["terminationGracePeriodSeconds"] > needed + 15, role


def test_engines_get_the_token_and_no_other_secret():
    engine = pods(made("large"))["ocr-engine"]["containers"][0]
    assert "envFrom" not in engine
    secret = [each["valueFrom"] for each in engine["env"] if "valueFrom" in each]
    assert [each["secretKeyRef"]["key"] for each in secret] == ["ENGINE_TOKEN"]


def test_probes_ask_for_what_they_are_to_decide():
    container = pods(made("small"))["ocr-serve"]["containers"][0]
    assert container["livenessProbe"]["grpc"] == {"port": 50051, "service": "liveness"}
    assert container["readinessProbe"]["grpc"] == {"port": 50051}
    for role in ("engine", "worker"):
        probe = pods(made("small"))[f"ocr-{role}"]["containers"][0]["livenessProbe"]
        assert "/healthz" not in str(probe), "a restart brings no database and no engine back"
    with_tls = pods(made("large"))["ocr-serve"]["containers"][0]
    command = with_tls["readinessProbe"]["exec"]["command"]
    asked = subprocess.run(
        [COMMAND, *command[1:], "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert command[0] == "ocr-grpc"
    assert asked.returncode == 0, "the command of the probe is one of ours"


def test_only_what_is_named_passes():
    policies = of_kind(made("large"), "NetworkPolicy")
    assert policies.keys() == {"ocr-serve", "ocr-engine", "ocr-worker"}
    for name, policy in policies.items():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"], name
        assert {} not in policy["spec"]["egress"], name
    engine = policies["ocr-engine"]["spec"]
    assert engine["egress"] == []
    pages, metrics = engine["ingress"]
    roles = [
        each["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for each in pages["from"]
    ]
    assert (pages["ports"], roles) == ([{"port": "engine"}], ["serve", "worker"])
    assert metrics["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    ]


def test_servers_follow_their_queue_and_engines_their_load():
    scalers = of_kind(made("large"), "HorizontalPodAutoscaler")
    metric = {name: each["spec"]["metrics"][0] for name, each in scalers.items()}
    assert metric["ocr-serve"]["pods"]["metric"]["name"] == "ocr_queue_documents"
    assert metric["ocr-worker"]["external"]["metric"]["name"] == "ocr_batch_chunks_waiting"
    assert metric["ocr-engine"]["resource"]["name"] == "cpu"
    deployments = of_kind(made("large"), "Deployment")
    assert not [name for name, each in deployments.items() if "replicas" in each["spec"]]
    documented = Path(ROOT / "docs/metrics.md").read_text()
    asked = of_kind(made("operators"), "ScaledObject")
    assert asked.keys() == {"ocr-serve", "ocr-worker"}
    for name in ("ocr_queue_documents", "ocr_batch_chunks_waiting"):
        assert f"`{name}`" in documented
        queries = [each["spec"]["triggers"][0]["metadata"]["query"] for each in asked.values()]
        assert any(name in query for query in queries)


def test_labels_of_the_operator_do_not_take_the_place_of_those_of_metrics():
    """Prometheus would call the scraped one `exported_endpoint`, and no rule looks for that."""
    monitors = of_kind(made("operators"), "ServiceMonitor")
    assert set(monitors) == {"ocr-serve", "ocr-engine", "ocr-worker"}
    for monitor in monitors.values():
        (endpoint,) = monitor["spec"]["endpoints"]
        assert {"action": "labeldrop", "regex": "endpoint"} in endpoint["relabelings"]


def test_selectors_find_their_pods():
    found = made("operators")
    deployments = of_kind(found, "Deployment")
    labels = {n: each["spec"]["template"]["metadata"]["labels"] for n, each in deployments.items()}
    for name, each in deployments.items():
        assert each["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    for name, service in of_kind(found, "Service").items():
        role = {"ocr": "serve", "ocr-each": "serve"}.get(name, name.removeprefix("ocr-"))
        assert service["spec"]["selector"].items() <= labels[f"ocr-{role}"].items(), name
    for monitor in of_kind(found, "ServiceMonitor").values():
        wanted = monitor["spec"]["selector"]["matchLabels"]
        services = of_kind(found, "Service").values()
        assert sum(wanted.items() <= each["metadata"]["labels"].items() for each in services) == 1


def test_numbers_reach_the_service_as_they_are_written(tmp_path):
    values = tmp_path / "values.yaml"
    sizes = {"MAX_DOCUMENT_BYTES": 1073741824, "TRACES_SAMPLE_RATIO": 0.25, "MAX_PAGES": 2000000}
    own = {"ENGINE_MEMORY_BYTES": 2147483648}
    values.write_text(json.dumps({"settings": sizes, "engine": {"extraSettings": own}}))
    found = pods(made("large", "--values", str(values)))
    said = {
        each["name"]: each.get("value")
        for role in ("serve", "engine")
        for each in found[f"ocr-{role}"]["containers"][0]["env"]
    }
    assert {name: said[name] for name in sizes | own} == {
        name: str(value) for name, value in (sizes | own).items()
    }


def test_readers_do_not_grow_with_the_cores_of_the_node():
    found = pods(made("small"))
    for role in ("serve", "worker"):
        env = {
            each["name"]: each.get("value") for each in found[f"ocr-{role}"]["containers"][0]["env"]
        }
        assert 0 < int(env["READERS"]) + int(env["OFFICE_READERS"]) <= 8, role


def test_the_test_of_the_release_may_call_where_callers_are_named():
    found = made("large")
    calls, _ = of_kind(found, "NetworkPolicy")["ocr-serve"]["spec"]["ingress"]
    allowed = [
        each["podSelector"]["matchLabels"] for each in calls["from"] if "podSelector" in each
    ]
    labels = of_kind(found, "Pod")["ocr-test"]["metadata"]["labels"]
    assert any(wanted.items() <= labels.items() for wanted in allowed)
    assert len(calls["from"]) == 2, "those of the values too"


def test_engines_reach_what_is_named_and_nobody_else():
    egress = '[{"ports": [{"port": 4317}]}]'
    found = made("large", "--set-json", f"networkPolicy.engineEgress={egress}")
    assert of_kind(found, "NetworkPolicy")["ocr-engine"]["spec"]["egress"] == json.loads(egress)


def test_names_are_looked_up_at_the_ports_that_dns_has():
    def dns(*words: str) -> dict[str, list[tuple[int, str]]]:
        policies = of_kind(made("large", *words), "NetworkPolicy")
        first = {name: policies[name]["spec"]["egress"][0] for name in ("ocr-serve", "ocr-worker")}
        assert all("to" not in each for each in first.values())
        return {n: [(p["port"], p["protocol"]) for p in each["ports"]] for n, each in first.items()}

    usual = [(53, "UDP"), (53, "TCP")]
    assert dns() == {"ocr-serve": usual, "ocr-worker": usual}
    more = [*usual, (5353, "UDP"), (5353, "TCP")]
    found = dns("--set", "networkPolicy.dnsPorts={53,5353}")
    assert found == {"ocr-serve": more, "ocr-worker": more}
    assert template("large", "--set", "networkPolicy.dnsPorts=53").returncode != 0
    assert template("large", "--set", "networkPolicy.dnsPorts={}").returncode != 0, "or all ports"


def test_doors_speak_to_the_sidecar_as_it_listens():
    def port(case: str) -> str:
        ports = of_kind(made(case), "Service")["ocr"]["spec"]["ports"]
        return {each["name"]: each["appProtocol"] for each in ports}["http"]

    assert port("small") == "http"
    assert port("operators") == "kubernetes.io/h2c", "or gRPC does not pass through a Gateway"
    assert port("large") == "https"
    ingress = of_kind(made("large"), "Ingress")["ocr"]["metadata"]["annotations"]
    assert ingress["nginx.ingress.kubernetes.io/backend-protocol"] == "HTTPS"
    plain = of_kind(made("large", "--set", "tls.existingSecret="), "Ingress")["ocr"]["metadata"]
    assert "nginx.ingress.kubernetes.io/backend-protocol" not in plain["annotations"]
    assert "nginx.ingress.kubernetes.io/proxy-body-size" in plain["annotations"]


def test_settings_of_the_chart_are_settings_of_the_service():
    documented = (ROOT / ".env.example").read_text()
    for pod in pods(made("large")).values():
        for each in pod["containers"][0].get("env", []):
            name = each["name"]
            assert f"\n{name}=" in documented or name == "OCR_CA_FILE", name
