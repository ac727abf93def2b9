"""The judges of a gauntlet: what was promised, read afterwards from the registrar's own log and books. They only look."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.jobs import Job
from domain.states import JobState
from registrar.judge import LimitStep, scan_bucket
from tests.gauntlet.plan import Plan
from tests.gauntlet.traffic import HandedIn

_MOST_NAMED = 3
_BEGINS_NS = 2_000_000_000
#: what a step of the gate's clock is worth (s), and how soon after it that is had
_LEAP_S, _LEAP_WITHIN_S = 0.3, 0.05
#: decisions that do not count for the buckets: what stands behind an `end` line was sent before it could be read
_BEHIND_THE_END = "after_end"
LOST, TWICE, FOREIGN = "lost", "not exactly once", "never valid"
LIMITS, SESSIONS, WINDOWS, LEDGER = (
    "over limits",
    "sessions over accounts",
    "outside windows",
    "ledger differs",
)
INVARIANTS = (TWICE, LOST, FOREIGN, LIMITS, SESSIONS, WINDOWS, LEDGER)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record at the registrar's door, by its own clocks."""

    at_ns: int
    wall_ms: int
    account: str
    session: int
    key: str
    natural: str
    decision: str
    outside_us: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was seen of a run: arrivals, effects by digest, the registrar's report, what was handed in, and the ledger's end."""

    plan: Plan
    arrivals: Sequence[Arrival]
    effects: Mapping[str, int]
    report: Mapping[str, Any]
    handed_in: Sequence[HandedIn]
    jobs: Sequence[Job]
    #: keys that the network itself delivered once more, and how often
    repeated: Mapping[str, int] = field(default_factory=dict)
    #: jobs that people cancelled: their records may be unprocessed
    cancelled: frozenset[str] = frozenset()
    audit_holds: bool = True
    #: when the gate's clock was stepped forward (ms, wall)
    leaps: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judges found: numbers by invariant, sentences, and what they left out of the buckets and why."""

    counts: Mapping[str, int]
    sentences: Sequence[str]
    late: int = 0
    repeated: int = 0

    @property
    def is_clean(self) -> bool:
        """Say whether every promise was kept."""
        return not any(self.counts.values())


def judge(seen: Evidence) -> Verdict:
    """Count what broke each promise."""
    counted, late, repeated = _counting(seen)
    found: list[tuple[str, int, str]] = [
        *_effects(seen),
        *_over_limits(seen, counted),
        *_over_sessions(seen),
        *_outside(seen),
        *_ledger(seen),
    ]
    counts = Counter[str](dict.fromkeys(INVARIANTS, 0))
    for name, count, _ in found:
        counts[name] += count
    return Verdict(dict(counts), [f"{name}: {words}" for name, _, words in found], late, repeated)


def read_arrivals(path: Path, accounts: Sequence[str]) -> list[Arrival]:
    """Read the registrar's file."""
    found = []
    for line in path.read_bytes().splitlines():
        row = json.loads(line)
        found.append(
            Arrival(
                row["at_ns"], row["wall_us"] // 1000, accounts[row["account"]], row["session"], row["key"],
                row["natural"], row["decision"], row["outside_us"],
            )
        )  # fmt: skip
    return found


def _effects(seen: Evidence) -> Iterator[tuple[str, int, str]]:
    """Each valid record took effect once; nothing else did."""
    optional = {one for handed in seen.handed_in if handed.job in seen.cancelled for one in handed.accepted}
    wanted = {one for handed in seen.handed_in for one in handed.accepted}
    lost = [one for one in wanted - optional if not seen.effects.get(one)]
    if lost:
        yield LOST, len(lost), f"{len(lost)} valid record(s) took no effect, {_some(lost)}"
    twice = [one for one, count in seen.effects.items() if count > 1]
    if twice:
        yield TWICE, len(twice), f"{len(twice)} record(s) took effect more than once, {_some(twice)}"
    foreign = [one for one, count in seen.effects.items() if count and one not in wanted]
    if foreign:
        yield (
            FOREIGN,
            len(foreign),
            f"{len(foreign)} record(s) took effect that nobody handed in, {_some(foreign)}",
        )


def _counting(seen: Evidence) -> tuple[list[Arrival], int, int]:
    """Return the arrivals that count for the buckets, how many came of sessions given up for good, and how many the network repeated.

    A record of a session that a newer one has ended was settled before it arrived (architecture.md 4.3); what the network itself
    delivers twice, the gate sent once.
    """
    counted, late, repeated = [], 0, 0
    left = dict(seen.repeated)
    known: set[tuple[str, int]] = set()
    began = _sessions_began(seen.arrivals)
    for each in seen.arrivals:
        if each.decision == _BEHIND_THE_END:
            continue
        is_again = (each.key, each.session) in known
        known.add((each.key, each.session))
        if is_again and left.get(each.key, 0) > 0:
            left[each.key] -= 1
            repeated += 1
        elif each.decision == "refused" and _is_superseded(each, began[each.account]):
            late += 1
        else:
            counted.append(each)
    return counted, late, repeated


def _sessions_began(arrivals: Sequence[Arrival]) -> dict[str, dict[int, int]]:
    """Return by account when (ns) each of its sessions brought its first record."""
    began: dict[str, dict[int, int]] = defaultdict(dict)
    for each in arrivals:
        began[each.account].setdefault(each.session, each.at_ns)
    return began


def _is_superseded(arrival: Arrival, began: Mapping[int, int]) -> bool:
    """Say whether a newer session of the account was there, which sends within `_BEGINS_NS` of its log-in."""
    return any(
        session > arrival.session and at_ns < arrival.at_ns + _BEGINS_NS for session, at_ns in began.items()
    )


def _over_limits(seen: Evidence, counted: Sequence[Arrival]) -> Iterator[tuple[str, int, str]]:
    plan = seen.plan
    times: dict[str, list[int]] = defaultdict(list)
    for each in counted:
        times["registry"].append(each.at_ns)
        times[each.account].append(each.at_ns)
    for scope, of_it in times.items():
        of_all = scope == "registry"
        rate, burst = (plan.rate, plan.burst) if of_all else (plan.account_rate, plan.account_burst)
        found = scan_bucket(of_it, _steps(seen, rate, burst))
        if found.over:
            worst_s = (found.worst_at_ns or 0) / 1e9
            yield LIMITS, found.over, f"{scope} by {found.max_excess:.2f} record(s), worst at {worst_s:.2f} s"


def _steps(seen: Evidence, rate: int, burst: int) -> list[LimitStep]:
    """Return what may come: a forward step of the gate's clock is worth `_LEAP_S` of refill (architecture.md 4.3), and no more."""
    steps = [LimitStep(0, rate, burst)]
    first = seen.arrivals[0]
    for leap in sorted(seen.leaps):
        at_ns = max(0, first.at_ns + (leap - first.wall_ms) * 1_000_000)
        steps += [
            LimitStep(at_ns, rate * (1 + _LEAP_S / _LEAP_WITHIN_S), burst),
            LimitStep(at_ns + round(_LEAP_WITHIN_S * 1e9), rate, burst),
        ]
    return steps


def _over_sessions(seen: Evidence) -> Iterator[tuple[str, int, str]]:
    scopes: list[tuple[str, Mapping[str, Any]]] = [("registry", seen.report)]
    for party, told in seen.report["parties"].items():
        scopes += [(party, told), *told["accounts"].items()]
    for name, told in scopes:
        sessions = told["sessions"]
        if sessions["over"]:
            yield (
                SESSIONS,
                sessions["over"],
                f"{name} had {sessions['most']} at once, {sessions['allowed']} allowed",
            )


def _outside(seen: Evidence) -> Iterator[tuple[str, int, str]]:
    outside = [each for each in seen.arrivals if each.outside_us is not None]
    if outside:
        last = max(each.outside_us or 0 for each in outside) / 1e6
        yield (
            WINDOWS,
            len(outside),
            f"{len(outside)} record(s), {last:.2f} s at worst, {_some([one.key for one in outside])}",
        )


def _ledger(seen: Evidence) -> Iterator[tuple[str, int, str]]:
    """The ledger says of every file what the registrar's books say."""
    jobs = {job.job: job for job in seen.jobs}
    for handed in seen.handed_in:
        job = jobs.get(handed.job)
        if job is None:
            yield LEDGER, 1, f"{handed.job} of {handed.party} is not in the ledger"
            continue
        told = job.records
        if handed.job in seen.cancelled:
            took = sum(bool(seen.effects.get(one)) for one in handed.accepted)
            if told.accepted != took or told.pending or told.unknown:
                yield LEDGER, 1, f"{handed.job}, cancelled, says {told}; {took} took effect"
            continue
        said = job.state, told.accepted, told.rejected, job.invalid
        if said != (JobState.FINISHED, len(handed.accepted), len(handed.rejected), handed.invalid):
            wanted = len(handed.accepted), len(handed.rejected), handed.invalid
            yield (
                LEDGER,
                1,
                f"{handed.job} of {handed.party} is {job.state}, {told}, invalid {job.invalid}; wanted {wanted}",
            )
    if not seen.audit_holds:
        yield LEDGER, 1, "the audit chain is broken"


def _some(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)[:_MOST_NAMED])
