"""Each alert is well-formed, fires when it should and not otherwise, and leads to a runbook."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from ocr_grpc.settings import Settings
from tests.deploy.prometheus import (
    PROMETHEUS,
    ROOT,
    RUNBOOKS,
    alerts,
    known_metrics,
    metrics_of,
    promtool,
    rule_files,
    rules,
)

TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
NAMES = [alert.name for alert in alerts()]
_OF_OTHERS = {"max_connections", "runbook_url"}
"""Names in runbooks that are those of others."""

_TEMPLATE_FAILED = ("<error", "<no value>", "%!", "NaN")


def test_promtool_finds_nothing_wrong_with_rules_and_configuration():
    assert not promtool("check", "rules", *rule_files()).startswith("FAILED")
    # It loads the rules as well, so their path from there is right.
    said = promtool("check", "config", PROMETHEUS / "prometheus.yml")
    assert f"{len(rule_files())} rule files found" in said, said


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_otherwise(path):
    said = promtool("test", "rules", path)
    assert not said.startswith("FAILED"), said


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not():
    fires, quiet = set(), set()
    for path in TESTS:
        for group in _groups(path):
            fed = set().union(*(metrics_of(each["series"]) for each in group["input_series"]))
            for check in group["promql_expr_test"]:
                name = re.search(r'ALERTS\{alertname="(\w+)"', check["expr"]).group(1)
                wanted = metrics_of(next(each.expr for each in alerts() if each.name == name))
                # Without its metrics no alert fires, which would show nothing.
                assert fed & wanted or any(":" in each for each in wanted), (name, fed)
                (fires if check["exp_samples"] else quiet).add(name)
    assert len(NAMES) == len(set(NAMES))
    assert fires == set(NAMES)
    assert quiet == set(NAMES)


def test_every_metric_of_the_rules_is_one_of_the_service():
    unknown = {
        (rule.get("alert") or rule["record"], name)
        for rule in rules()
        for name in metrics_of(rule["expr"]) - known_metrics()
    }
    assert unknown == set()


def test_names_of_metrics_are_found_in_expressions():
    expr = 'sum by (le) (rate(a_b{x="c"}[5m] offset 1h)) > 2 * d:e and on (f) g == 1 or vector(0)'
    assert metrics_of(expr) == {"a_b", "d:e", "g"}


def test_alerts_say_how_bad_it_is_what_it_is_and_where_to_read_on():
    for alert in alerts():
        assert alert.severity in ("page", "ticket"), alert.name
        assert set(alert.annotations) == {"summary", "description", "runbook_url"}, alert.name
        url = alert.annotations["runbook_url"]
        base = '{{ or $externalLabels.runbooks "docs/runbooks.md" }}'
        assert url == f"{base}#{alert.name.lower()}"


def test_what_alerts_say_comes_out_whole(tmp_path: Path):
    """Fire each of them while none is expected: promtool then prints what it said."""
    made = [_expecting_nothing(group, tmp_path) for path in TESTS for group in _groups(path)]
    said = promtool("test", "rules", *filter(None, made))
    for alert in alerts():
        assert alert.annotations["summary"] in said, alert.name
        assert f"https://example.com/runbooks#{alert.name.lower()}" in said, alert.name
    assert not [word for word in _TEMPLATE_FAILED if word in said], said


def _groups(path: Path) -> list[dict]:
    return yaml.safe_load(path.read_text())["tests"]


def _expecting_nothing(group: dict, folder: Path) -> Path | None:
    """Write a group of tests anew, with the rules of its alert alone; None if it fires nothing."""
    name = group["name"].partition(":")[0]
    times = [each["eval_time"] for each in group["promql_expr_test"] if each["exp_samples"]]
    if not times:
        return None
    wanted = [rule for rule in rules() if rule.get("alert", name) == name]
    (folder / f"{name}.rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": name, "rules": wanted}]})
    )
    test = {
        "interval": group["interval"],
        "input_series": group["input_series"],
        "external_labels": {"runbooks": "https://example.com/runbooks"},
        "alert_rule_test": [
            {"eval_time": time, "alertname": name, "exp_alerts": []} for time in times
        ],
    }
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump({"rule_files": [f"{name}.rules.yml"], "tests": [test]}))
    return path


def test_no_setting_has_the_job_that_removes_things_run_so_rarely_that_its_alert_fires():
    (alert,) = (each for each in alerts() if each.name == "OcrRetentionLate")
    hours = int(re.search(r"> (\d+) \* 3600$", alert.expr).group(1))
    with pytest.raises(ValidationError, match="less than or equal to 3600"):
        Settings(_env_file=None, retention_interval_seconds=3601)
    longest = Settings(_env_file=None, retention_interval_seconds=3600)
    assert longest.retention_interval_seconds <= hours * 3600 / 2, "one round may fail"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    headings = re.findall(r"^## (Ocr\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(NAMES)


def test_every_query_in_the_runbooks_is_one_that_prometheus_understands(tmp_path: Path):
    queries = re.findall(r"^```promql\n(.*?)^```$", RUNBOOKS.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in queries for line in block.splitlines() if line]
    asked = [{"record": f"q:{number}", "expr": line} for number, line in enumerate(lines)]
    rules_file = tmp_path / "queries.yml"
    rules_file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": asked}]}))
    said = promtool("check", "rules", rules_file)
    assert not said.startswith("FAILED"), said
    assert {(line, each) for line in lines for each in metrics_of(line) - known_metrics()} == set()


def test_every_name_in_the_runbooks_is_one_of_the_service():
    """Settings, reasons, events of the log, fields: a runbook that is wrong costs time."""
    source = [path for path in (ROOT / "ocr_grpc").rglob("*.py") if "_pb2" not in path.name]
    source += (ROOT / "protos").rglob("*.proto")
    words = set(re.findall(r"\w+", "".join(path.read_text() for path in source)))
    text = re.sub(r"^```.*?^```$", "", RUNBOOKS.read_text(), flags=re.DOTALL | re.MULTILINE)
    named = {word for word in re.findall(r"`(\w+)(?:=[^`]*)?`", text) if "_" in word}
    known = words | {word.upper() for word in words} | known_metrics() | _OF_OTHERS
    assert len(named) > 100
    assert {word for word in named if word not in known and not word.endswith("_")} == set()


def test_links_in_the_runbooks_lead_somewhere():
    text = RUNBOOKS.read_text()
    headings = {each.lower() for each in re.findall(r"^#+ (\w+)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        page, _, anchor = target.partition("#")
        assert (RUNBOOKS.parent / page).exists(), target
        assert not anchor or anchor in headings, target
