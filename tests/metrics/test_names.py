"""docs/metrics.md and the names in the code tell the same."""

import re

from metrics import names
from metrics.labels import BOUNDS, FAILURES
from metrics.names import Kind, MetricName
from tests.source import ROOT

PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(pratunam_\w+)` \| (\w+) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)


def row(metric: MetricName) -> tuple[str, str, str, str]:
    """A metric as the page has it."""
    name = metric.name + ("_total" if metric.kind is Kind.COUNTER else "")
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    return name, metric.kind.value, labels, metric.help


def test_the_page_lists_every_metric_as_it_is() -> None:
    """Name, kind, labels and meaning, in the order of the code, and no metric that is gone."""
    assert [row(metric) for metric in names.ALL] == ROWS


def test_the_page_names_every_reason() -> None:
    """What may bind a party and what may fail a loop stands in the page, word by word."""
    assert [word for word in sorted(BOUNDS | FAILURES) if f"`{word}`" not in PAGE] == []


def test_names_in_running_text_exist() -> None:
    """Every metric that the page mentions is one of those that it lists."""
    listed = {name for name, *_ in ROWS}
    assert set(re.findall(r"`(pratunam_\w+)`", PAGE)) <= listed
