"""Reads an expression of Prometheus as far as the tests need: which metrics it names, with which labels, and under which functions.

Strict: anything that it does not know is an error, so that a slip of the pen cannot hide.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from metrics import names
from metrics.names import Kind

#: series that Prometheus and the client's process collector make by themselves, with their labels
BESIDE: dict[str, tuple[str, ...]] = {
    "up": (),
    "ALERTS": ("alertname", "alertstate", "severity"),
    "process_cpu_seconds_total": (),
    "process_resident_memory_bytes": (),
}
#: labels that scraping and gathering add to every series
ADDED = frozenset({"process", "job", "instance"})
#: functions that only make sense of what only goes up
_RATES = frozenset({"rate", "increase", "irate"})
_FUNCTIONS = _RATES | {
    "sum", "max", "min", "count", "avg", "topk", "histogram_quantile", "abs", "time", "vector", "label_replace",
    "max_over_time", "min_over_time", "label_values",
}  # fmt: skip
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_OPERATORS = frozenset({"and", "or", "unless", "bool"})
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
    |(?P<range>\[(?:\d+(?:ms|[smhdwy])|\$__rate_interval)\])
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[=<>(){},+\-*/^%])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Selected:
    """One series that an expression selects: its name, the labels of its matchers, and whether a range of it is wanted."""

    name: str
    labels: tuple[str, ...]
    function: str
    is_range: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """All that is selected, and all labels by which is grouped."""

    selected: Sequence[Selected]
    grouped: frozenset[str]


def read(text: str) -> Expression:
    """Read one expression; raises ValueError for what it does not know."""
    tokens = list(_tokens(text))
    selected: list[Selected] = []
    grouped: set[str] = set()
    calls: list[str] = []
    place = 0
    while place < len(tokens):
        kind, value = tokens[place]
        after = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if kind == "name" and value in _GROUPING:
            labels, place = _names_in(tokens, place + 1)
            grouped.update(labels)
            continue
        if kind == "name" and value in _FUNCTIONS and (after == "(" or after in _GROUPING):
            if after in _GROUPING:
                labels, following = _names_in(tokens, place + 2)
                grouped.update(labels)
                tokens[place + 1 : following] = []
            if tokens[place + 1][1] != "(":
                raise ValueError(f"{value} without arguments in {text}")
            calls.append(value)
            place += 2
            continue
        if value == "(":
            calls.append("")
        elif value == ")":
            if not calls:
                raise ValueError(f"a bracket too many in {text}")
            calls.pop()
        elif kind == "name" and value not in _OPERATORS:
            one, place = _selector(tokens, place, calls[-1] if calls else "")
            selected.append(one)
            continue
        elif kind == "range":
            raise ValueError(f"a range of nothing in {text}")
        place += 1
    if calls:
        raise ValueError(f"a bracket stays open in {text}")
    return Expression(selected, frozenset(grouped))


def faults(text: str) -> list[str]:
    """Return what is wrong with an expression, as sentences: unknown metrics, labels they do not have, rates of gauges."""
    known = series()
    expression = read(text)
    found: list[str] = []
    labels_there: set[str] = set(ADDED) | {"le"}
    for one in expression.selected:
        if one.name not in known:
            found.append(f"no such metric: {one.name}")
            continue
        labels_there |= set(known[one.name])
        allowed = {*known[one.name], *ADDED, *({"le"} if one.name.endswith("_bucket") else ())}
        found += [f"{one.name} has no label {label}" for label in one.labels if label not in allowed]
        goes_up = one.name.endswith(("_total", "_count", "_sum", "_bucket"))
        if (one.function in _RATES) != goes_up and one.name != "ALERTS":
            found.append(f"{one.name} under {one.function or 'nothing'}")
        if one.is_range != (one.function in _RATES or one.function.endswith("_over_time")):
            found.append(f"{one.name} with or without a range under {one.function or 'nothing'}")
    found += [f"grouped by {label}, which nothing has" for label in expression.grouped - labels_there]
    return found


def series() -> Mapping[str, tuple[str, ...]]:
    """Return every series that the gate and its surroundings make, with its labels."""
    ours: dict[str, tuple[str, ...]] = {}
    for metric in names.ALL:
        endings = {
            Kind.COUNTER: ("_total",),
            Kind.GAUGE: ("",),
            Kind.HISTOGRAM: ("_bucket", "_count", "_sum"),
        }[metric.kind]
        ours |= {metric.name + ending: metric.labels for ending in endings}
    return ours | BESIDE


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ValueError(f"cannot read {text[place:]!r}")
        yield match.lastgroup, match.group(match.lastgroup)
        place = match.end()


def _names_in(tokens: Sequence[tuple[str, str]], place: int) -> tuple[list[str], int]:
    """Read `(a, b)`; returns the names and the place after it."""
    if place >= len(tokens) or tokens[place][1] != "(":
        raise ValueError("labels to group by are missing")
    found: list[str] = []
    place += 1
    while tokens[place][1] != ")":
        if tokens[place][0] == "name":
            found.append(tokens[place][1])
        elif tokens[place][1] != ",":
            raise ValueError(f"{tokens[place][1]!r} is no label")
        place += 1
    return found, place + 1


def _selector(tokens: Sequence[tuple[str, str]], place: int, function: str) -> tuple[Selected, int]:
    """Read `name{label="x",…}[range]`; returns it and the place after it."""
    name = tokens[place][1]
    place += 1
    labels: list[str] = []
    if place < len(tokens) and tokens[place][1] == "{":
        place += 1
        while tokens[place][1] != "}":
            (_, label), (_, sign), (kind, _) = tokens[place : place + 3]
            if sign not in ("=", "!=", "=~", "!~") or kind != "string":
                raise ValueError(f"{name} has a matcher that is none")
            labels.append(label)
            place += 3
            if tokens[place][1] == ",":
                place += 1
        place += 1
    is_range = place < len(tokens) and tokens[place][0] == "range"
    return Selected(name, tuple(labels), function, is_range), place + is_range
