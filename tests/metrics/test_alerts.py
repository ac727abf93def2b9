"""Alert rules: what they ask for exists, they say what to do, and each has its scene in the tests of promtool."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from metrics.boards import build
from tests.metrics.promql import faults, read
from tests.metrics.test_boards import queries
from tests.source import ROOT

RULES = ROOT / "metrics" / "alerts.rules.yml"
SCENES = ROOT / "metrics" / "alerts_test.yml"
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
NAMES = [alert["alert"] for alert in ALERTS]
#: the six without which the gate does not go into service
MUST = {"LimitBroken", "SessionOverAccount", "SentOutsideWindow", "GateStalled", "LedgerFailing", "RedisGone"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_asks_for_what_is_measured_and_says_what_to_do(alert: dict[str, Any]) -> None:
    """Its metrics and labels exist; it has severity, summary, meaning and remedy; its summary uses labels that its result has."""
    assert faults(alert["expr"]) == []
    assert set(alert) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[sm]", alert.get("for", "0s"))
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert set(alert["annotations"]) == {"summary", "means", "do"}
    assert all(alert["annotations"][part].endswith(".") for part in ("means", "do"))
    used = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
    of_series = {"process", "instance"} if alert["alert"] == "ProcessDown" else set()
    assert used <= read(alert["expr"]).grouped | of_series


def test_the_six_that_must_be_there_wake_people() -> None:
    """Limits, sessions, windows, a standing gate, the ledger and Redis page; names are told once."""
    assert len(NAMES) == len(set(NAMES))
    assert {alert["alert"] for alert in ALERTS if alert["labels"]["severity"] == "page"} >= MUST


def test_every_alert_fires_in_a_scene_and_one_scene_is_quiet() -> None:
    """The tests of promtool expect each alert at least once, name no other, and begin with a gate that is well."""
    scenes = yaml.safe_load(SCENES.read_text(encoding="utf-8"))
    assert scenes["rule_files"] == [RULES.name]
    expected = [
        re.findall(r'alertname="(\w+)"', sample["labels"])
        for scene in scenes["tests"]
        for check in scene["promql_expr_test"]
        for sample in check["exp_samples"]
    ]
    assert {name for found in expected for name in found} == set(NAMES)
    assert all(not check["exp_samples"] for check in scenes["tests"][0]["promql_expr_test"])
    for scene in scenes["tests"]:
        for series in scene["input_series"]:
            assert [fault for fault in faults(series["series"]) if " under " not in fault] == []


def test_every_alert_has_its_page_in_the_operators_document() -> None:
    """docs/operations.md has a heading for each alert, and none for an alert that is gone."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.split("## When you are paged", 1)[1].split("\n## ", 1)[0]
    assert sorted(re.findall(r"^### (\w+)$", section, re.MULTILINE)) == sorted(NAMES)


def test_prometheus_itself_agrees(tmp_path: Path) -> None:
    """With promtool on the PATH, rules, scenes and the boards' queries pass it; without, the strict reading has to do, and does."""
    boards = [expr for name in build.boards() for _, expr in queries(name)]
    assert len(boards) > 60
    promtool = shutil.which("promtool")
    if promtool is None:
        texts = [alert["expr"] for alert in ALERTS] + boards
        assert [fault for text in texts for fault in faults(text)] == []
        return
    asked = [
        {"record": f"board:query{number}", "expr": expr.replace("$__rate_interval", "1m")}
        for number, expr in enumerate(boards)
    ]
    drawn = tmp_path / "boards.yml"
    drawn.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": asked}]}), encoding="utf-8")
    for words in (["check", "rules", RULES], ["check", "rules", drawn], ["test", "rules", SCENES]):
        done = subprocess.run(
            [promtool, *map(str, words)], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        assert "SUCCESS" in done.stdout
