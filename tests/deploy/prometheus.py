"""What tests of alerts and dashboards share: rules, names of metrics, promtool."""

import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from tests.clients.programs import require

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks.md"

_KEYWORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset"}
_KEYWORDS |= {"group_left", "group_right", "inf", "nan"}
_NOT_METRICS = [
    r'"[^"]*"',
    r"\{[^}]*\}",
    r"\[[^\]]*\]",
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",
    r"\boffset\s+\w+",
]


@dataclass(frozen=True)
class Alert:
    name: str
    expr: str
    severity: str
    wait: str = ""
    annotations: dict[str, str] = field(default_factory=dict)


def rule_files() -> list[Path]:
    return sorted((PROMETHEUS / "rules").glob("*.yml"))


@cache
def rules() -> list[dict]:
    loaded = [yaml.safe_load(path.read_text()) for path in rule_files()]
    return [rule for file in loaded for group in file["groups"] for rule in group["rules"]]


@cache
def alerts() -> list[Alert]:
    return [
        Alert(
            rule["alert"],
            rule["expr"],
            rule["labels"]["severity"],
            rule.get("for", ""),
            rule["annotations"],
        )
        for rule in rules()
        if "alert" in rule
    ]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def metrics_of(expr: str) -> set[str]:
    """Return the names of metrics in an expression of PromQL."""
    for pattern in _NOT_METRICS:
        expr = re.sub(pattern, " ", expr)
    names = re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])", expr)
    return {name for name in names if name.lower() not in _KEYWORDS}


@cache
def known_metrics() -> set[str]:
    """Return the names of docs/metrics.md, which another test compares with a real server's."""
    text = (ROOT / "docs" / "metrics.md").read_text()
    names = set()
    for name, what in re.findall(r"^\| `([a-z_]+)` \|[^|]*\|(.*)\|$", text, re.MULTILINE):
        parts = ("_bucket", "_count", "_sum") if what.strip().startswith("histogram") else ("",)
        names |= {name + part for part in parts}
    return names | recorded() | {"up", "ALERTS"}


def promtool(*arguments: str | Path) -> str:
    """Run promtool; return what it said, which begins with an error if it failed."""
    require("promtool")
    done = subprocess.run(
        ["promtool", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"FAILED {arguments}\n{done.stdout}"
