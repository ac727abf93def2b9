"""How soon work goes on after a kill, read from the registrar's log."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.gauntlet.checkers import Arrival
from tests.gauntlet.deaths import LEADER, REDIS, WORKER
from tests.gauntlet.losses import FLUSH

#: records of the moment of the kill itself may still be on their way (ms)
_ON_THE_WAY_MS = 250
#: an account counts as at work when it sent within this before the kill (ms)
_AT_WORK_MS = 2_000
MEASURED = (WORKER, LEADER, REDIS, FLUSH)


@dataclass(frozen=True, slots=True)
class Times:
    """Recovery after one kind of kill, in seconds: until every account that was at work sent again, and the longest silence of all."""

    what: str
    count: int
    back_s: tuple[float, float, float]
    silence_s: tuple[float, float, float]


def recoveries(arrivals: Sequence[Arrival], blows: Sequence[tuple[str, int]]) -> list[Times]:
    """Measure every kill of the measured kinds after which all was back before the log ended."""
    back: dict[str, list[float]] = defaultdict(list)
    silence: dict[str, list[float]] = defaultdict(list)
    for name, at in blows:
        if name not in MEASURED:
            continue
        before = {each.account for each in arrivals if at - _AT_WORK_MS <= each.wall_ms <= at}
        first: dict[str, int] = {}
        last, gap = at, 0
        for each in arrivals:
            if each.wall_ms <= at + _ON_THE_WAY_MS or each.account not in before:
                continue
            if len(first) < len(before):
                gap, last = max(gap, each.wall_ms - last), each.wall_ms
            first.setdefault(each.account, each.wall_ms)
        if before and len(first) == len(before):
            back[name].append((max(first.values()) - at) / 1000)
            silence[name].append(gap / 1000)
    return [
        Times(name, len(back[name]), _spread(back[name]), _spread(silence[name]))
        for name in MEASURED
        if back[name]
    ]


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), median(values), max(values)
