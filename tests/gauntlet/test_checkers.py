"""The judges are alive: each sees, in a log that was kept clean and then tampered with, the one promise that the tampering breaks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.jobs import Job, RecordCounts
from domain.states import JobState
from tests.gauntlet import checkers
from tests.gauntlet.checkers import Arrival, Evidence, judge
from tests.gauntlet.plan import Plan
from tests.gauntlet.recovery import recoveries
from tests.gauntlet.traffic import HandedIn, natural

MS = 1_000_000
PLAN = Plan(1, 1, accounts=(1,), rate=50, burst=5, account_rate=50, account_burst=5)
PARTY, ACCOUNT = "P000", "P000-00"


def clean(rows: int = 40) -> Evidence:
    """A run in which every record came once, in time, at the pace allowed."""
    names = [natural(PARTY, f"{each:013d}") for each in range(rows)]
    arrivals = [
        Arrival(each * 25 * MS, each * 25, ACCOUNT, each // 20, f"k{each}", name, "accepted", None)
        for each, name in enumerate(names)
    ]
    handed = HandedIn(PARTY, Path("a.csv"), "J1", frozenset(names), frozenset(), 2)
    job = Job("J1", PARTY, "r", "p", 1, "a.csv", "", "", JobState.FINISHED, "", 0, rows=rows + 2, invalid=2)
    seen = {"sessions": {"over": 0, "most": 1, "allowed": 1}}
    report = seen | {"parties": {PARTY: seen | {"accounts": {ACCOUNT: seen}}}}
    return Evidence(
        PLAN, arrivals, dict.fromkeys(names, 1), report, [handed], [replace(job, records=RecordCounts(accepted=rows))]
    )  # fmt: skip


def test_a_clean_run_is_clean() -> None:
    """Nothing is found where nothing is wrong."""
    assert judge(clean()).is_clean


def lost(seen: Evidence) -> Evidence:
    """A record that the registrar never had."""
    return replace(seen, effects=dict(list(seen.effects.items())[1:]))


def twice(seen: Evidence) -> Evidence:
    """A record with two effects."""
    return replace(seen, effects=dict(seen.effects) | {seen.arrivals[3].natural: 2})


def foreign(seen: Evidence) -> Evidence:
    """A record that nobody handed in."""
    return replace(seen, effects=dict(seen.effects) | {natural(PARTY, "x"): 1})


def hurried(seen: Evidence) -> Evidence:
    """Seven records at one instant where five are allowed."""
    return replace(seen, arrivals=[*seen.arrivals, *([replace(seen.arrivals[-1], session=9)] * 6)])


def late(seen: Evidence) -> Evidence:
    """A record after the window's end."""
    return replace(seen, arrivals=[*seen.arrivals[:-1], replace(seen.arrivals[-1], outside_us=1)])


def crowded(seen: Evidence) -> Evidence:
    """Two sessions of one account."""
    report: dict[str, Any] = dict(seen.report)
    over = {"sessions": {"over": 1, "most": 2, "allowed": 1}}
    report["parties"] = {PARTY: report["parties"][PARTY] | {"accounts": {ACCOUNT: over}}}
    return replace(seen, report=report)


def forgotten(seen: Evidence) -> Evidence:
    """A file of which the ledger knows nothing."""
    return replace(seen, jobs=[])


def miscounted(seen: Evidence) -> Evidence:
    """A file of which the ledger says too little."""
    return replace(seen, jobs=[replace(seen.jobs[0], records=RecordCounts(accepted=39, unknown=1))])


def tampered(seen: Evidence) -> Evidence:
    """An audit chain that does not hold."""
    return replace(seen, audit_holds=False)


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        (lost, checkers.LOST), (twice, checkers.TWICE), (foreign, checkers.FOREIGN), (hurried, checkers.LIMITS),
        (late, checkers.WINDOWS), (crowded, checkers.SESSIONS), (forgotten, checkers.LEDGER),
        (miscounted, checkers.LEDGER), (tampered, checkers.LEDGER),
    ],
)  # fmt: skip
def test_a_tampered_log_is_found_out(tamper: Callable[[Evidence], Evidence], broken: str) -> None:
    """Each judge finds what is its own, and only that."""
    verdict = judge(tamper(clean()))
    assert {name for name, count in verdict.counts.items() if count} == {broken}
    assert verdict.sentences[0].startswith(broken)


def test_what_the_network_repeated_is_not_the_gate_s_doing() -> None:
    """The same keys of the same session at one instant are forgiven as often as the proxy delivered them again, and no more often."""
    seen = clean()
    again = [*seen.arrivals, *([replace(seen.arrivals[-1], decision="duplicate")] * 6)]
    assert judge(replace(seen, arrivals=again, repeated={"k39": 6})).is_clean
    assert judge(replace(seen, arrivals=again, repeated={"k39": 1})).counts[checkers.LIMITS] > 0


def test_what_comes_of_an_ended_session_was_settled_before() -> None:
    """Refused records of a session that a newer one ended do not count; others that were refused do."""
    seen = clean()
    ended = replace(seen.arrivals[-1], decision="refused", session=0)
    assert judge(replace(seen, arrivals=[*seen.arrivals, *([ended] * 6)])).is_clean
    living = replace(ended, session=1)
    assert not judge(replace(seen, arrivals=[*seen.arrivals, *([living] * 6)])).is_clean


def test_recovery_is_read_from_the_log() -> None:
    """From the kill to the last account that sends again; the longest silence counts from the kill on."""
    arrivals = [
        replace(clean().arrivals[0], account=account, wall_ms=at)
        for at, account in ((100, "a"), (900, "b"), (1000, "a"), (3000, "a"), (5500, "b"), (9000, "a"))
    ]
    [times] = recoveries(arrivals, [("kill worker", 1000)])
    assert (times.count, times.back_s, times.silence_s) == (1, (4.5, 4.5, 4.5), (2.5, 2.5, 2.5))


def test_a_step_of_the_gate_s_clock_is_worth_a_burst_and_no_more() -> None:
    """A full burst, a step that refills it, another burst: allowed with the step, not without, and not three times."""
    seen = clean()
    last = seen.arrivals[-1]
    bursts = [replace(last, at_ns=last.at_ns + 1000 * MS + at // 5 * 60 * MS) for at in range(15)]
    twice, thrice = ([*seen.arrivals, *bursts[:many]] for many in (10, 15))
    step = (last.wall_ms + 1001,)
    assert judge(replace(seen, arrivals=twice, leaps=step)).counts[checkers.LIMITS] == 0
    assert judge(replace(seen, arrivals=twice)).counts[checkers.LIMITS] > 0
    assert judge(replace(seen, arrivals=thrice, leaps=step)).counts[checkers.LIMITS] > 0
