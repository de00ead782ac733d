"""Dashboards are whole: Grafana loads them, and each of their queries asks for what there is."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.deploy.prometheus import ROOT, alerts, known_metrics, metrics_of, promtool

GRAFANA = ROOT / "deploy" / "grafana"
PATHS = sorted((GRAFANA / "dashboards").glob("*.json"))
UNITS = {"none", "short", "s", "bytes", "Bps", "ops", "reqps", "percentunit"}
"""Those of Grafana that are used here; a wrong name would show bare numbers."""

per_board = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def board(path: Path) -> dict:
    return json.loads(path.read_text())


def panels(path: Path) -> Iterator[dict]:
    return (each for each in board(path)["panels"] if each["type"] != "row")


def expressions(path: Path) -> list[str]:
    """Return all expressions, with Grafana's variables filled in."""
    annotations = [each["expr"] for each in board(path)["annotations"]["list"]]
    asked = [target["expr"] for panel in panels(path) for target in panel["targets"]]
    variables = {"$__rate_interval": "5m", "$job": ".*", "$instance": ".*"}
    return [
        re.sub(r"\$\w+", lambda found: variables[found.group()], expr)
        for expr in annotations + asked
    ]


def test_dashboards_have_ids_of_their_own():
    assert len(PATHS) == 3
    assert len({board(path)["uid"] for path in PATHS}) == 3
    assert len({board(path)["title"] for path in PATHS}) == 3
    for path in PATHS:
        ids = [panel["id"] for panel in board(path)["panels"]]
        assert len(ids) == len(set(ids)), path.name


@per_board
def test_every_panel_says_what_it_shows_in_which_unit_and_under_which_names(path):
    for panel in panels(path):
        name = panel["title"]
        assert len(panel["description"]) > 20, name
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, name
        assert panel["datasource"]["uid"] == "${datasource}", name
        assert panel["targets"], name
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references)), name
        assert all(target["legendFormat"] for target in panel["targets"]), name


@per_board
def test_no_panel_lies_on_another(path):
    places = [each["gridPos"] for each in board(path)["panels"]]
    assert all(each["x"] + each["w"] <= 24 for each in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


@per_board
def test_prometheus_understands_every_query_and_the_service_has_every_metric(path, tmp_path):
    asked = expressions(path)
    recorded = [{"record": f"q:{number}", "expr": expr} for number, expr in enumerate(asked)]
    rules_file = tmp_path / "queries.yml"
    rules_file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": recorded}]}))
    said = promtool("check", "rules", rules_file)
    assert not said.startswith("FAILED"), said
    unknown = {(expr, name) for expr in asked for name in metrics_of(expr) - known_metrics()}
    assert unknown == set()


@per_board
def test_dashboards_choose_jobs_and_instances_mark_restarts_and_lead_to_runbooks(path):
    dashboard = board(path)
    variables = {each["name"] for each in dashboard["templating"]["list"]}
    assert variables == {"datasource", "job", "instance", "runbooks"}
    assert {each["name"] for each in dashboard["annotations"]["list"]} == {"Restarts", "Alerts"}
    others = {board(each)["uid"] for each in PATHS} - {dashboard["uid"]}
    links = {link["url"] for link in dashboard["links"]}
    assert links == {f"/d/{uid}" for uid in others} | {"${runbooks}"}
    anchors = {f"${{runbooks}}#{alert.name.lower()}" for alert in alerts()}
    assert {link["url"] for panel in panels(path) for link in panel.get("links", [])} <= anchors


def test_every_alert_has_a_panel_that_shows_its_cause():
    linked = {
        link["url"].partition("#")[2]
        for path in PATHS
        for panel in panels(path)
        for link in panel.get("links", [])
    }
    assert {alert.name.lower() for alert in alerts()} - linked == set()


def test_every_metric_of_the_service_that_is_no_part_of_another_is_in_a_dashboard():
    shown = {name for path in PATHS for expr in expressions(path) for name in metrics_of(expr)}
    recorded_from = {
        "ocr_first_text_seconds_bucket",
        "grpc_server_handled_total",
    }
    parts = {name for name in known_metrics() if name.endswith(("_sum", "_count"))}
    left_out = {"grpc_server_started_total", "process_virtual_memory_bytes"}
    missing = {
        name
        for name in known_metrics() - shown - parts - left_out - recorded_from
        if ":" not in name and name not in ("up", "ALERTS")
    }
    assert missing == set()


def test_grafana_is_told_where_prometheus_and_the_dashboards_are():
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    assert [each["type"] for each in sources["datasources"]] == ["prometheus"]
    providers = yaml.safe_load((GRAFANA / "provisioning/dashboards/ocr-grpc.yml").read_text())
    assert providers["providers"][0]["options"]["path"] == "/etc/grafana/dashboards"
