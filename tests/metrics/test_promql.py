"""The strict reading of expressions finds the slips that it is there for."""

import pytest

from tests.metrics.promql import faults, read


def test_metrics_labels_and_functions_are_found() -> None:
    """A histogram's quantile names its buckets, the label of its matcher and the rate that it stands under."""
    expression = read(
        'histogram_quantile(0.99, sum by (le, registry) (rate(pratunam_answer_seconds_bucket{registry="r"}[5m])))'
    )
    (one,) = expression.selected
    assert (one.name, one.labels, one.function, one.is_range) == (
        "pratunam_answer_seconds_bucket",
        ("registry",),
        "rate",
        True,
    )
    assert expression.grouped == {"le", "registry"}


@pytest.mark.parametrize(
    "text",
    [
        "sum by (registry) (increase(pratunam_records_sent_total[1m])) > 1.5 * max(pratunam_registry_rate_limit)",
        'count(up{job=~"worker|scheduler"} == 0) or vector(0)',
        "time() - max by (registry) (max_over_time(pratunam_registry_looked_at_seconds[1h])) > 15",
    ],
)
def test_what_is_right_has_no_fault(text: str) -> None:
    """Counters under rates, gauges as they are, labels that exist."""
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("max(pratunam_record_sent_total)", "no such metric: pratunam_record_sent_total"),
        ("rate(pratunam_registry_rate[1m])", "pratunam_registry_rate under rate"),
        ("max(pratunam_records_sent_total)", "pratunam_records_sent_total under max"),
        ('max(pratunam_registry_held{party="P1"})', "pratunam_registry_held has no label party"),
        ("sum by (acount) (pratunam_sessions_open)", "grouped by acount, which nothing has"),
        (
            "rate(pratunam_records_sent_total)",
            "pratunam_records_sent_total with or without a range under rate",
        ),
    ],
)
def test_slips_are_named(text: str, fault: str) -> None:
    """A wrong name, a rate of a gauge, a bare counter, a label that is not there, a forgotten range."""
    assert fault in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "sum(pratunam_sessions_open",
        "sum pratunam_sessions_open)",
        "sum(pratunam_sessions_open{registry=r})",
        "pratunam_sessions_open[five]",
        "sum by registry (pratunam_sessions_open)",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    """Open brackets, bare label values, ranges that are none."""
    with pytest.raises(ValueError, match=r"\w"):
        faults(text)
