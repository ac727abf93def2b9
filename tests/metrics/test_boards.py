"""Boards: the checked-in JSON is what the code makes, and every query names what the gate measures."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from metrics import names
from metrics.boards import build
from tests.metrics.promql import faults, read
from tests.source import ROOT

NAMES = sorted(build.boards())


def tree(name: str) -> dict[str, Any]:
    """One board as Grafana reads it."""
    found: dict[str, Any] = json.loads((build.FOLDER / name).read_text(encoding="utf-8"))
    return found


def queries(name: str) -> Iterator[tuple[str, str]]:
    """Title and expression of every query of a board."""
    for panel in tree(name)["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_the_json_that_grafana_reads_is_what_the_code_makes() -> None:
    """After a change of a board, `python -m metrics.boards.build` writes its JSON anew; no other JSON stands there."""
    stored = {path.name: path.read_text(encoding="utf-8") for path in build.FOLDER.glob("*.json")}
    assert stored == dict(build.boards())


@pytest.mark.parametrize("name", NAMES)
def test_every_query_names_what_is_measured(name: str) -> None:
    """Metrics exist, have the labels asked for, and counters stand under a rate."""
    found = [(title, fault) for title, expr in queries(name) for fault in faults(expr)]
    assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_legends_name_labels_that_the_query_keeps(name: str) -> None:
    """A legend's `{{label}}` is one by which its query groups."""
    for panel in tree(name)["panels"]:
        for target in panel["targets"]:
            wanted = set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
            assert wanted <= read(target["expr"]).grouped, panel["title"]


@pytest.mark.parametrize("name", NAMES)
def test_a_board_can_be_understood_by_who_sees_it_first(name: str) -> None:
    """Title, description of the board and of each panel, units, and no two panels of one name or place."""
    board = tree(name)
    assert board["title"]
    assert board["description"].endswith(".")
    panels = board["panels"]
    assert all(panel["description"].endswith(".") for panel in panels)
    assert all(panel["datasource"]["uid"] == "prometheus" for panel in panels)
    for key in ("title", "id"):
        assert len({panel[key] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_the_boards_differ_by_id() -> None:
    """Grafana keeps one board a uid."""
    assert len({tree(name)["uid"] for name in NAMES}) == len(NAMES) == 3


def test_nearly_everything_that_is_measured_is_shown() -> None:
    """A metric that no board and no rule looks at is named here with its reason, or should not be."""
    seen = {one.name for name in NAMES for _, expr in queries(name) for one in read(expr).selected}
    rules = (ROOT / "metrics" / "alerts.rules.yml").read_text(encoding="utf-8")
    unseen = {
        metric.name
        for metric in names.ALL
        if not any(shown.startswith(metric.name) for shown in seen) and metric.name not in rules
    }
    assert unseen == {
        "pratunam_brake_ratio",  # rate after the brake ÷ limit says the same for all schedulers at once
        "pratunam_parties_waiting",  # the table of parties has them one by one
        "pratunam_party_level_records",  # for the curious: a party's bucket
        "pratunam_party_outstanding_records",
    }


def test_the_table_of_parties_has_its_columns() -> None:
    """One row a party: backlog, pace, share, sessions against accounts, and what binds it."""
    (table,) = [panel for panel in tree("parties.json")["panels"] if panel["type"] == "table"]
    organize = table["transformations"][1]["options"]
    headings = set(organize["renameByName"].values())
    assert {"party", "bound by", "backlog", "pace", "share", "sessions", "accounts", "window"} <= headings
    assert all(target["format"] == "table" and target["instant"] for target in table["targets"])


def test_compose_mounts_boards_and_rules_where_they_are_looked_for() -> None:
    """What compose mounts is what Grafana's provider and Prometheus' rule files name."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    mounts = {
        name: {there: here for here, there, *_ in (m.split(":") for m in services[name]["volumes"])}
        for name in ("grafana", "prometheus")
    }
    deploy = ROOT / "deploy"
    provider = yaml.safe_load((deploy / "grafana/provisioning/dashboards/boards.yml").read_text("utf-8"))
    path = provider["providers"][0]["options"]["path"]
    assert (ROOT / mounts["grafana"][path]).resolve() == build.FOLDER
    source = yaml.safe_load((deploy / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    assert source["datasources"][0]["uid"] == "prometheus"
    (rules,) = yaml.safe_load((deploy / "prometheus.yml").read_text("utf-8"))["rule_files"]
    assert (ROOT / mounts["prometheus"][rules]).resolve() == ROOT / "metrics" / "alerts.rules.yml"
